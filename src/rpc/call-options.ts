/**
 * What a caller may say of one call, and the interceptors that may be among it: code around calls. One function type
 * for all four kinds of call: requests and responses are async iterables, a unary side is one of a single message.
 */
import type { Priority } from '../http2/transport.ts'
import type { CallCredentials } from './credentials.ts'
import type { Deadline } from './deadline.ts'
import type { Metadata, MetadataInit } from './metadata.ts'
import type { Method } from './method.ts'

/** Options of one call; those that a channel has too override the channel's. */
export interface CallOptions {
  /** How long the call may take: milliseconds from now, or a Date; default no limit. Sent as grpc-timeout. */
  deadline?: Deadline | undefined
  /** Cancels the call when aborted. */
  signal?: AbortSignal | undefined
  /** Custom-Metadata to send with the request headers. */
  metadata?: MetadataInit | undefined
  /** True waits through failing connections until the deadline instead of failing with UNAVAILABLE; default false. */
  waitForReady?: boolean | undefined
  /** Name of the message encoding for requests, for example `gzip`; `identity` for none. */
  compression?: string | undefined
  /** Largest response message in octets; default 4 MiB. */
  maxReceiveMessageOctets?: number | undefined
  /** Largest request message in octets, before compression; default unlimited. */
  maxSendMessageOctets?: number | undefined
  /** Urgency among the calls of a connection (RFC 9218). */
  priority?: Priority | undefined
  /** Credentials of this call, added to the channel's. */
  credentials?: CallCredentials | undefined
  /** The call whose handler makes this one: it inherits that one's deadline and cancellation. */
  parent?: ParentCall | undefined
  /** Interceptors of this call, run inside of the channel's. */
  interceptors?: readonly ClientInterceptor[] | undefined
}

/** A server call as a parent: what is inherited from it. */
export interface ParentCall {
  /** Its deadline, undefined for none. */
  readonly deadline: Date | undefined
  /** Aborted when it is cancelled. */
  readonly signal: AbortSignal
}

/** Options of one message. */
export interface WriteOptions {
  /** False sends this message uncompressed although the call compresses; default true. */
  compress?: boolean
}

/** A call on its way out, as a client's interceptor sees it. */
export interface OutgoingCall {
  /** The method that is called. */
  readonly method: Method
  /** Metadata to send; may be changed until `next` is called. */
  readonly metadata: Metadata
  /** The caller's options without the metadata. */
  readonly options: CallOptions
  /**
   * The request messages; a unary call has one. What is handed to `next` may also be a list. What was said of a
   * message when it was written goes with it, or with what is sent in its place.
   */
  readonly requests: AsyncIterable<unknown> | Iterable<unknown>
  /** Told the response headers' metadata when they arrive. */
  onHeaders: ((metadata: Metadata) => void) | undefined
  /** Told the trailers' metadata when they arrive. */
  onTrailers: ((metadata: Metadata) => void) | undefined
}

/**
 * Code around a client's calls: gets the call and `next`, which sends it and gives the responses. It may change
 * what goes in and out, call `next` several times, or not at all. What it throws ends the call.
 *
 * @example
 * const timing: ClientInterceptor = async function* (call, next) {
 *   const start = performance.now()
 *   try {
 *     yield* next(call)
 *   } finally {
 *     console.log(call.method.path, performance.now() - start)
 *   }
 * }
 */
export type ClientInterceptor = (
  call: OutgoingCall,
  next: (call: OutgoingCall) => AsyncIterable<unknown>,
) => AsyncIterable<unknown>
