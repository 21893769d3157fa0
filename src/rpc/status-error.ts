/** How a call ended: a Status, and the error that a failed call rejects with. */
import { Status, statusName } from '../wire/grpc/status-codes.ts'
import { Metadata, type MetadataInit } from './metadata.ts'
import {
  encodeStatusDetails,
  STATUS_DETAILS_KEY,
  type StatusDetail,
  statusDetails,
} from './status-details.ts'

/** How far a call had come when it failed. */
export type Phase =
  | 'resolve'
  | 'connect'
  | 'tls'
  | 'settings'
  | 'headers'
  | 'messages'
  | 'trailers'
  | 'handler'

/** The outcome of a call: what `call.status` resolves with. */
export interface StatusObject {
  /** One of the codes of {@link Status}. */
  readonly code: number
  /** The Status-Message, empty if there is none. */
  readonly details: string
  /** The trailers' Custom-Metadata. */
  readonly metadata: Metadata
}

/** Optional parts of a {@link StatusError}. */
export interface StatusErrorOptions {
  /** Metadata that goes with the status: the trailers. */
  metadata?: MetadataInit
  /** Details for programs, made by `badRequest`, `retryInfo` and their kin; sent as `grpc-status-details-bin`. */
  statusDetails?: readonly StatusDetail[]
  /** What caused it, as in the standard `Error` option. */
  cause?: unknown
  /** How far the call had come; set by the library. */
  phase?: Phase
}

/**
 * A call that ended with another status than OK.
 *
 * A client's call rejects with it. A handler throws it to answer with exactly this status; whatever else a
 * handler throws becomes UNKNOWN, and its text stays on the server.
 *
 * @example
 * throw new StatusError(Status.NOT_FOUND, 'no country is called "Atlantis"', { metadata: { 'x-hint': 'korea' } })
 * @example
 * throw new StatusError(Status.INVALID_ARGUMENT, 'a name is needed', {
 *   statusDetails: [badRequest({ fieldViolations: [{ field: 'name', description: 'must not be empty' }] })],
 * })
 */
export class StatusError extends Error implements StatusObject {
  override readonly name = 'StatusError'
  /** One of the codes of {@link Status}. */
  readonly code: number
  /** The Status-Message, as the peer sent it or as the library words it. */
  readonly details: string
  /** The trailers' Custom-Metadata. */
  readonly metadata: Metadata
  /** How far the call had come when it failed. */
  readonly phase: Phase | undefined

  /**
   * @param code one of {@link Status}; a code that is none (or OK) becomes UNKNOWN
   * @param details for the caller to read; any text, sent percent-encoded
   * @throws TypeError on metadata that can't be sent, MessageError on details that can't be encoded
   */
  constructor(code: number, details = '', options: StatusErrorOptions = {}) {
    const valid = Number.isInteger(code) && code >= 1 && code <= 16 ? code : Status.UNKNOWN
    super(
      `${valid} ${statusName(valid)}: ${details}`,
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = valid
    this.details = String(details)
    this.metadata = options.metadata instanceof Metadata ? options.metadata : new Metadata(options.metadata)
    if (options.statusDetails !== undefined) {
      const octets = encodeStatusDetails(valid, this.details, options.statusDetails)
      this.metadata = this.metadata.clone().set(STATUS_DETAILS_KEY, octets)
    }
    this.phase = options.phase
  }

  /** Details for programs, decoded each time they are asked for; see the function `statusDetails`. */
  get statusDetails(): StatusDetail[] {
    return statusDetails(this)
  }

  /**
   * The status that a thrown value stands for: a StatusError itself; an object with an integer `code` and
   * text `details`, as handlers of grpc-js throw; otherwise UNKNOWN with a text that gives nothing away.
   */
  static from(thrown: unknown): StatusError {
    if (thrown instanceof StatusError) return thrown
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'details' in thrown) {
      const { code, details } = thrown
      if (
        Number.isInteger(code) &&
        (code as number) >= 1 &&
        (code as number) <= 16 &&
        typeof details === 'string'
      ) {
        const metadata =
          'metadata' in thrown && thrown.metadata instanceof Metadata ? thrown.metadata : undefined
        return new StatusError(code as number, details, { cause: thrown, ...(metadata && { metadata }) })
      }
    }
    return new StatusError(Status.UNKNOWN, 'Unknown error', { cause: thrown, phase: 'handler' })
  }
}
