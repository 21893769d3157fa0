/**
 * The ten standard types of error details (google/rpc/error_details.proto) as an application sees them, and a function
 * that makes each. How they travel is in `status-details.ts`.
 */
import { bundledTypes } from './services/bundled-registry.ts'

/** Why a call failed, for programs to decide on. */
export interface ErrorInfo {
  /** A constant in upper case, unique within the domain. */
  readonly reason: string
  /** Where the reason comes from, most often a service's DNS name. */
  readonly domain: string
  /** What else is known. */
  readonly metadata: Readonly<Record<string, string>>
}

/** When to try again. */
export interface RetryInfo {
  /** Wait at least this long, in milliseconds; with fractions down to nanoseconds. */
  readonly retryDelayMs: number
}

/** For the server's developers; think twice before sending it to anybody else. */
export interface DebugInfo {
  /** A stack trace, innermost first. */
  readonly stackEntries: readonly string[]
  /** Anything more. */
  readonly detail: string
}

/** One quota that was exceeded. */
export interface QuotaViolation {
  /** Whose quota. */
  readonly subject: string
  /** What happened, in words. */
  readonly description: string
  /** The service that the quota belongs to, where it is another one than the called one. */
  readonly apiService: string
  /** What is counted. */
  readonly quotaMetric: string
  /** Which limit on it. */
  readonly quotaId: string
  /** What the limit is counted apart by. */
  readonly quotaDimensions: Readonly<Record<string, string>>
  /** The limit at the time. */
  readonly quotaValue: bigint
  /** The limit to come, while a change is on its way. */
  readonly futureQuotaValue?: bigint
}

/** Which quotas were exceeded. */
export interface QuotaFailure {
  /** Each of them. */
  readonly violations: readonly QuotaViolation[]
}

/** One condition that was not met. */
export interface PreconditionViolation {
  /** The kind of condition, a constant in upper case. */
  readonly type: string
  /** What does not meet it. */
  readonly subject: string
  /** How to meet it, in words. */
  readonly description: string
}

/** Which conditions were not met. */
export interface PreconditionFailure {
  /** Each of them. */
  readonly violations: readonly PreconditionViolation[]
}

/** One field of the request that was wrong. */
export interface FieldViolation {
  /** The way to the field, as in `name` or `addresses[2].city`. */
  readonly field: string
  /** What is wrong, in words. */
  readonly description: string
  /** A constant in upper case, unique within the domain of the ErrorInfo beside it. */
  readonly reason: string
  /** The description for users, in their language. */
  readonly localizedMessage?: LocalizedMessage
}

/** Which fields of the request were wrong. */
export interface BadRequest {
  /** Each of them. */
  readonly fieldViolations: readonly FieldViolation[]
}

/** To find the call again in the server's logs. */
export interface RequestInfo {
  /** What the logs call it. */
  readonly requestId: string
  /** Opaque to everybody but the server. */
  readonly servingData: string
}

/** Which resource it was about. */
export interface ResourceInfo {
  /** The kind of resource. */
  readonly resourceType: string
  /** Which one. */
  readonly resourceName: string
  /** Whose it is. */
  readonly owner: string
  /** What happened when it was accessed. */
  readonly description: string
}

/** A page to read. */
export interface HelpLink {
  /** What it tells. */
  readonly description: string
  /** Where it is. */
  readonly url: string
}

/** Where to read more. */
export interface Help {
  /** Each page. */
  readonly links: readonly HelpLink[]
}

/** A text that users may be shown. */
export interface LocalizedMessage {
  /** Language by BCP 47, as in `en-US`. */
  readonly locale: string
  /** The text. */
  readonly message: string
}

/** The standard types by name. */
export interface StandardDetails {
  /** See {@link ErrorInfo}. */
  ErrorInfo: ErrorInfo
  /** See {@link RetryInfo}. */
  RetryInfo: RetryInfo
  /** See {@link DebugInfo}. */
  DebugInfo: DebugInfo
  /** See {@link QuotaFailure}. */
  QuotaFailure: QuotaFailure
  /** See {@link PreconditionFailure}. */
  PreconditionFailure: PreconditionFailure
  /** See {@link BadRequest}. */
  BadRequest: BadRequest
  /** See {@link RequestInfo}. */
  RequestInfo: RequestInfo
  /** See {@link ResourceInfo}. */
  ResourceInfo: ResourceInfo
  /** See {@link Help}. */
  Help: Help
  /** See {@link LocalizedMessage}. */
  LocalizedMessage: LocalizedMessage
}

/** Name of a standard type. */
export type StandardDetailName = keyof StandardDetails

/** A detail of a standard type. */
export interface StandardDetail<Name extends StandardDetailName> {
  /** Name of the type without its package. */
  readonly type: Name
  /** Name of the type as it travels, `type.googleapis.com/google.rpc.` and the name. */
  readonly typeUrl: string
  /** The message. */
  readonly value: StandardDetails[Name]
}

/** What may be given for a message: any part of it; what is left out has its default. */
export type DetailInit<T> = T extends bigint
  ? bigint | number
  : T extends string | number
    ? T
    : T extends readonly (infer Element)[]
      ? readonly DetailInit<Element>[]
      : { readonly [Key in keyof T]?: DetailInit<T[Key]> | undefined }

const TYPE_URL_PREFIX = 'type.googleapis.com/google.rpc.'
const MAX_DURATION_SECONDS = 315_576_000_000
const NANOS_PER_MS = 1_000_000

const typeOf = bundledTypes('google/rpc/error_details.proto')

const NAMES: ReadonlySet<string> = new Set<StandardDetailName>([
  'ErrorInfo',
  'RetryInfo',
  'DebugInfo',
  'QuotaFailure',
  'PreconditionFailure',
  'BadRequest',
  'RequestInfo',
  'ResourceInfo',
  'Help',
  'LocalizedMessage',
])

/** Whether a full type name is that of a standard type. */
export function standardDetailName(typeName: string): StandardDetailName | undefined {
  if (!typeName.startsWith('google.rpc.')) return undefined
  const name = typeName.slice('google.rpc.'.length)
  return NAMES.has(name) ? (name as StandardDetailName) : undefined
}

/** google.protobuf.Duration as a message. */
interface Duration {
  readonly seconds: bigint
  readonly nanos: number
}

function toDuration(ms: unknown): { seconds: number; nanos: number } | undefined {
  if (ms === undefined) return undefined
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= MAX_DURATION_SECONDS * 1000)) {
    const shown = typeof ms === 'number' ? String(ms) : typeof ms
    throw new TypeError(
      `google.rpc.RetryInfo.retryDelayMs: expected milliseconds from 0 to ${MAX_DURATION_SECONDS}000, got ${shown}`,
    )
  }
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: Math.floor((ms - seconds * 1000) * NANOS_PER_MS) }
}

/** @throws RangeError for what duration.proto does not allow */
function toMilliseconds({ seconds, nanos }: Duration): number {
  const wrong =
    Math.abs(Number(seconds)) > MAX_DURATION_SECONDS ||
    Math.abs(nanos) >= 1000 * NANOS_PER_MS ||
    Number(seconds) * nanos < 0
  if (wrong) throw new RangeError(`a duration of ${seconds} seconds and ${nanos} nanoseconds`)
  return Number(seconds) * 1000 + nanos / NANOS_PER_MS
}

/** Octets of a standard message. @throws MessageError or TypeError naming what can't be sent */
export function encodeDetail(name: StandardDetailName, value: unknown): Uint8Array {
  const type = typeOf(`google.rpc.${name}`)
  if (name !== 'RetryInfo') return type.toBinary(value)
  const { retryDelayMs, ...rest } = value as Record<string, unknown>
  return type.toBinary({ ...rest, retryDelay: toDuration(retryDelayMs) })
}

/** A standard message from octets. @throws MessageError or RangeError if they are none */
export function decodeDetail(name: StandardDetailName, octets: Uint8Array): StandardDetails[typeof name] {
  const message = typeOf(`google.rpc.${name}`).decode(octets)
  if (name !== 'RetryInfo') return message
  return { retryDelayMs: message.retryDelay === undefined ? 0 : toMilliseconds(message.retryDelay) }
}

/** Goes through the octets, so that what can't be sent is found here, and defaults are filled in. */
function detail<Name extends StandardDetailName>(
  type: Name,
  init: DetailInit<StandardDetails[Name]>,
): StandardDetail<Name> {
  const value = decodeDetail(type, encodeDetail(type, init)) as StandardDetails[Name]
  return { type, typeUrl: TYPE_URL_PREFIX + type, value }
}

/**
 * Says why a call failed, for programs.
 *
 * @throws MessageError on a field that is none or of another type
 * @example
 * errorInfo({ reason: 'STOCK_EMPTY', domain: 'shop.example.com', metadata: { sku: '4711' } })
 */
export function errorInfo(init: DetailInit<ErrorInfo>): StandardDetail<'ErrorInfo'> {
  return detail('ErrorInfo', init)
}

/**
 * Says when to try again.
 *
 * @throws TypeError on a delay that is no number of milliseconds, negative, or beyond ten thousand years
 * @example
 * retryInfo({ retryDelayMs: 1500 })
 */
export function retryInfo(init: DetailInit<RetryInfo>): StandardDetail<'RetryInfo'> {
  return detail('RetryInfo', init)
}

/**
 * Gives a stack trace away, to those who may see it.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function debugInfo(init: DetailInit<DebugInfo>): StandardDetail<'DebugInfo'> {
  return detail('DebugInfo', init)
}

/**
 * Says which quotas were exceeded.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function quotaFailure(init: DetailInit<QuotaFailure>): StandardDetail<'QuotaFailure'> {
  return detail('QuotaFailure', init)
}

/**
 * Says which conditions were not met.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function preconditionFailure(
  init: DetailInit<PreconditionFailure>,
): StandardDetail<'PreconditionFailure'> {
  return detail('PreconditionFailure', init)
}

/**
 * Says which fields of the request were wrong.
 *
 * @throws MessageError on a field that is none or of another type
 * @example
 * badRequest({ fieldViolations: [{ field: 'name', description: 'must not be empty' }] })
 */
export function badRequest(init: DetailInit<BadRequest>): StandardDetail<'BadRequest'> {
  return detail('BadRequest', init)
}

/**
 * Says how to find the call again in the server's logs.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function requestInfo(init: DetailInit<RequestInfo>): StandardDetail<'RequestInfo'> {
  return detail('RequestInfo', init)
}

/**
 * Says which resource it was about.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function resourceInfo(init: DetailInit<ResourceInfo>): StandardDetail<'ResourceInfo'> {
  return detail('ResourceInfo', init)
}

/**
 * Says where to read more.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function help(init: DetailInit<Help>): StandardDetail<'Help'> {
  return detail('Help', init)
}

/**
 * Gives a text that users may be shown.
 *
 * @throws MessageError on a field that is none or of another type
 */
export function localizedMessage(init: DetailInit<LocalizedMessage>): StandardDetail<'LocalizedMessage'> {
  return detail('LocalizedMessage', init)
}
