/** Where a server's calls go. */
import type { HandlerCall } from './handlers.ts'
import type { Method } from './method.ts'

/** A method with the function that answers it. */
export interface Route<Request = unknown, Response = unknown> {
  readonly method: Method<Request, Response>
  readonly handler: (request: unknown, call: HandlerCall) => unknown
}
