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

/**
 * Runs the handler as part of its call: what it starts, and each step of the responses it gives, for a generator runs
 * in the context of who asks it for the next one.
 */
export function runInCall(call: HandlerCall, handler: () => unknown): unknown {
  const result = storage.run(call, handler)
  if (!call.method.responseStream) return result
  return isPromise(result)
    ? result.then((responses) => stepsInCall(call, responses))
    : stepsInCall(call, result)
}

/** The same responses, each step as part of the call; what is no iterable is left for the call to refuse. */
function stepsInCall(call: HandlerCall, responses: unknown): unknown {
  if (typeof responses !== 'object' || responses === null) return responses
  const { [Symbol.asyncIterator]: inTurn, [Symbol.iterator]: atOnce } = responses as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  const begin: (() => AsyncIterator<unknown> | Iterator<unknown>) | undefined = inTurn ?? atOnce
  if (begin === undefined) return responses
  return {
    [Symbol.asyncIterator]: () => {
      const steps = storage.run(call, () => begin.call(responses))
      return {
        next: () => storage.run(call, () => steps.next()),
        return: () => storage.run(call, () => steps.return?.() ?? { value: undefined, done: true }),
      }
    },
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
