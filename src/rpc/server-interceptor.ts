/** Interceptors of a server: the same shape as a client's, around the handler. */
import { Status } from '../wire/grpc/status-codes.ts'
import type { HandlerCall } from './handlers.ts'
import type { Route } from './route.ts'
import { StatusError } from './status-error.ts'

/** A call on its way to its handler. */
export interface IncomingCall {
  /** What the handler gets: metadata, deadline, peer, and how to send headers and trailers. */
  readonly call: HandlerCall
  /** The request messages; a unary call has one. */
  readonly requests: AsyncIterable<unknown>
}

/**
 * Code around a server's calls: gets the call and `next`, which runs the handler and gives its responses. It may
 * look at or replace messages, or throw a StatusError to end the call.
 *
 * @example
 * const auth: ServerInterceptor = async function* (incoming, next) {
 *   if (incoming.call.metadata.get('authorization') !== 'Bearer sesame') {
 *     throw new StatusError(Status.UNAUTHENTICATED, 'a token is needed')
 *   }
 *   yield* next(incoming)
 * }
 */
export type ServerInterceptor = (
  incoming: IncomingCall,
  next: (incoming: IncomingCall) => AsyncIterable<unknown>,
) => AsyncIterable<unknown>

async function* single(value: unknown): AsyncGenerator<unknown, undefined> {
  yield value
}

async function only(messages: AsyncIterable<unknown>, path: string): Promise<unknown> {
  let found: { message: unknown } | undefined
  for await (const message of messages) {
    if (found !== undefined) {
      throw new StatusError(
        Status.INTERNAL,
        `An interceptor gave ${path} a second message where one is allowed`,
      )
    }
    found = { message }
  }
  if (found === undefined) {
    throw new StatusError(Status.INTERNAL, `An interceptor gave ${path} no message where one is needed`)
  }
  return found.message
}

/** The same route with interceptors around its handler, the first outermost. */
export function interceptRoute(route: Route, interceptors: readonly ServerInterceptor[]): Route {
  const { method, handler } = route
  const innermost = async function* (incoming: IncomingCall): AsyncGenerator<unknown, undefined> {
    const request = method.requestStream ? incoming.requests : await only(incoming.requests, method.path)
    const result = await handler(request, incoming.call)
    if (method.responseStream) yield* result as AsyncIterable<unknown>
    else yield result
  }
  const chain = interceptors.reduceRight<(incoming: IncomingCall) => AsyncIterable<unknown>>(
    (next, interceptor) => (incoming) => interceptor(incoming, next),
    innermost,
  )
  return {
    method,
    handler: (request, call) => {
      const requests = method.requestStream ? (request as AsyncIterable<unknown>) : single(request)
      const responses = chain({ call, requests })
      return method.responseStream ? responses : only(responses, method.path)
    },
  }
}
