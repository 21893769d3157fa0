/** What a service is implemented with: one function for each method, and the call that it is given. */
import type { PeerInfo } from '../http2/transport.ts'
import type { Metadata, MetadataInit } from './metadata.ts'
import type { IsDynamic, Method, Methods } from './method.ts'

/** A call, as its handler sees it. */
export interface HandlerCall {
  /** The method that is called. */
  readonly method: Method
  /** The request's Custom-Metadata. */
  readonly metadata: Metadata
  /** The value of `:authority`. */
  readonly authority: string
  /** When the client stops waiting; undefined for never. */
  readonly deadline: Date | undefined
  /** Aborted when the call is cancelled, its deadline passes or its connection is lost. Made when first read. */
  readonly signal: AbortSignal
  /** True once nobody waits for an answer any more. */
  readonly cancelled: boolean
  /** Who calls: address, TLS, certificate. */
  readonly peer: PeerInfo
  /** Whether the request message that came last was compressed (its Compressed-Flag). */
  readonly requestCompressed: boolean
  /**
   * Sends the response headers now; otherwise they go with the first message.
   * @throws Error if they were sent already, TypeError on metadata that can't be sent
   */
  sendHeaders(metadata?: MetadataInit): void
  /** Metadata to send with the status; later calls add to it. @throws TypeError on metadata that can't be sent */
  setTrailers(metadata: MetadataInit): void
  /** False sends the messages that follow uncompressed although the server compresses; default true. */
  compress: boolean
}

/** Answers a unary call. */
export type UnaryHandler<Q, S> = (request: Q, call: HandlerCall) => S | Promise<S>
/** Answers one request with a stream: an async generator, any iterable, or a promise of one. */
export type ServerStreamingHandler<Q, S> = (
  request: Q,
  call: HandlerCall,
) => Responses<S> | Promise<Responses<S>>
/** Answers a stream of requests with one message. */
export type ClientStreamingHandler<Q, S> = (requests: AsyncIterable<Q>, call: HandlerCall) => S | Promise<S>
/** Answers a stream of requests with a stream. */
export type BidirectionalHandler<Q, S> = (
  requests: AsyncIterable<Q>,
  call: HandlerCall,
) => Responses<S> | Promise<Responses<S>>

/** A stream of responses. */
export type Responses<S> = AsyncIterable<S> | Iterable<S>

/** The function that implements a method. */
export type Handler<M> =
  M extends Method<infer Q, infer S, infer QS, infer SS>
    ? IsDynamic<QS, SS> extends true
      ? // biome-ignore lint/suspicious/noExplicitAny: a method known only at run time has no types to check against
        (requestOrRequests: any, call: HandlerCall) => any
      : QS extends true
        ? SS extends true
          ? BidirectionalHandler<Q, S>
          : ClientStreamingHandler<Q, S>
        : SS extends true
          ? ServerStreamingHandler<Q, S>
          : UnaryHandler<Q, S>
    : never

/** An implementation: an object or class instance with a function for each method it implements. */
export type Handlers<M extends Methods> = string extends keyof M
  ? // biome-ignore lint/suspicious/noExplicitAny: a service known only at run time has no types to check against
    object & { readonly [name: string]: any }
  : { readonly [K in keyof M]?: Handler<M[K]> }
