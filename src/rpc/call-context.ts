/**
 * The server call that the running code belongs to, through AsyncLocalStorage: so that calls made inside of a
 * handler can inherit its deadline and cancellation without being handed it. Kept only for servers that ask
 * (`callContext: true`), because it costs each call some hundred nanoseconds.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HandlerCall } from './handlers.ts'

const storage = new AsyncLocalStorage<HandlerCall>()

/**
 * The server call whose handler is running, in a server with `callContext: true`; otherwise undefined.
 *
 * @example
 * const log = (text: string) => console.log(currentCall()?.metadata.get('x-request-id'), text)
 */
export function currentCall(): HandlerCall | undefined {
  return storage.getStore()
}

/** Runs `handler` as part of `call`. */
export function runInCall<T>(call: HandlerCall, handler: () => T): T {
  return storage.run(call, handler)
}
