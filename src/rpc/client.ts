/** A typed client: one function for each method of a service. */
import type { CallOptions } from './call-options.ts'
import type { BidirectionalCall, ClientStreamingCall, ServerStreamingCall, UnaryCall } from './calls.ts'
import type { IsDynamic, Method, Methods, Service } from './method.ts'

/** Requests given as a whole instead of by `write`: an async generator, a stream, an array. */
export type Requests<Request> = AsyncIterable<Request> | Iterable<Request>

/** Starts the four kinds of call; a channel does. */
export interface Caller {
  /** One request, one response. */
  unary<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): UnaryCall<S>
  /** One request, a stream of responses. */
  serverStreaming<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): ServerStreamingCall<S>
  /** A stream of requests, one response. */
  clientStreaming<Q, S>(
    method: Method<Q, S>,
    requests?: Requests<Q>,
    options?: CallOptions,
  ): ClientStreamingCall<Q, S>
  /** Both sides stream. */
  bidirectional<Q, S>(
    method: Method<Q, S>,
    requests?: Requests<Q>,
    options?: CallOptions,
  ): BidirectionalCall<Q, S>
}

/** A function that starts a call with one request. */
export type CallWithRequest<Request, Result> = (request: Request, options?: CallOptions) => Result

/** A function that starts a call with a stream of requests: given at once, or written to the call. */
export interface CallWithRequests<Request, Result> {
  (requests?: Requests<Request>, options?: CallOptions): Result
  (options: CallOptions): Result
}

/** The function that a method becomes in a client. */
export type ClientMethod<M> =
  M extends Method<infer Q, infer S, infer QS, infer SS>
    ? IsDynamic<QS, SS> extends true
      ? // biome-ignore lint/suspicious/noExplicitAny: a method known only at run time has no types to check against
        (requestOrRequests?: any, options?: CallOptions) => any
      : QS extends true
        ? CallWithRequests<Q, SS extends true ? BidirectionalCall<Q, S> : ClientStreamingCall<Q, S>>
        : CallWithRequest<Q, SS extends true ? ServerStreamingCall<S> : UnaryCall<S>>
    : never

/** A client of a service: its methods by their names in lower camel case. */
export type Client<M extends Methods> = string extends keyof M
  ? // biome-ignore lint/suspicious/noExplicitAny: a service known only at run time has no types to check against
    Readonly<Record<string, any>>
  : { readonly [K in keyof M]: ClientMethod<M[K]> }

function isRequests(value: unknown): value is Requests<unknown> {
  return (
    typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  )
}

/**
 * Makes a client of a service; `channel.client(service)` is the usual way.
 * @param caller what starts the calls
 */
export function createClient<M extends Methods>(caller: Caller, service: Service<M>): Client<M> {
  const client: Record<string, unknown> = Object.create(null)
  for (const [name, method] of Object.entries(service.methods)) client[name] = clientMethod(caller, method)
  return Object.freeze(client) as Client<M>
}

function clientMethod(caller: Caller, method: Method): unknown {
  if (!method.requestStream) {
    return method.responseStream
      ? (request: unknown, options?: CallOptions) => caller.serverStreaming(method, request, options)
      : (request: unknown, options?: CallOptions) => caller.unary(method, request, options)
  }
  const start = (requests: Requests<unknown> | undefined, options: CallOptions | undefined): unknown =>
    method.responseStream
      ? caller.bidirectional(method, requests, options)
      : caller.clientStreaming(method, requests, options)
  return (first?: unknown, options?: CallOptions) =>
    first === undefined || isRequests(first) ? start(first, options) : start(undefined, first as CallOptions)
}
