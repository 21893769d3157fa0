/**
 * Interceptors: code around calls. One function type for all four kinds of call, on both sides: requests and
 * responses are async iterables, a unary side is one of a single message.
 */
import type { CallOptions } from './call-options.ts'
import type { Metadata } from './metadata.ts'
import type { Method } from './method.ts'

/** A call on its way out, as a client's interceptor sees it. */
export interface OutgoingCall {
  readonly method: Method
  /** Metadata to send; may be changed until `next` is called. */
  readonly metadata: Metadata
  /** The caller's options without the metadata. */
  readonly options: CallOptions
  readonly requests: AsyncIterable<unknown>
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
