/** Tries again where that can help, and as late as the server asks: `npx tsx examples/interceptor-retry.ts`. */
import { setTimeout } from 'node:timers/promises'
import {
  type ClientInterceptor,
  connect,
  loadProto,
  retryInfo,
  Server,
  Status,
  StatusError,
} from 'grpc-glass'

const MAX_ATTEMPTS = 4
const FIRST_PAUSE_MS = 50

/** For calls with one request, as long as nothing was answered: only then nobody notices the second attempt. */
const retry: ClientInterceptor = async function* (call, next) {
  if (call.method.requestStream) return yield* next(call)
  const requests: unknown[] = []
  for await (const request of call.requests) requests.push(request)
  for (let attempt = 1; ; attempt++) {
    let answered = false
    try {
      for await (const response of next({ ...call, requests })) {
        answered = true
        yield response
      }
      return
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== Status.UNAVAILABLE) throw error
      if (answered || attempt === MAX_ATTEMPTS) throw error
      const asked = error.statusDetails.find((detail) => detail.type === 'RetryInfo')?.value.retryDelayMs
      const pauseMs = asked ?? FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())
      console.log(
        `attempt ${attempt}: ${error.message}${asked === undefined ? '' : `; again in ${asked} ms`}`,
      )
      // The deadline and the signal of the call end the pause, too.
      await setTimeout(pauseMs, undefined, { signal: call.options.signal })
    }
  }
}

const { helloworld } = await loadProto('proto/helloworld.proto')
let calls = 0
await using server = new Server().add(helloworld.Greeter, {
  sayHello({ name }: { name: string }) {
    calls++
    if (calls === 1) throw new StatusError(Status.UNAVAILABLE, 'waking up')
    if (calls === 2) {
      throw new StatusError(Status.UNAVAILABLE, 'nearly there', {
        statusDetails: [retryInfo({ retryDelayMs: 20 })],
      })
    }
    if (name === '') throw new StatusError(Status.INVALID_ARGUMENT, 'a name is needed')
    return { message: `Hello ${name}, it took ${calls} attempts` }
  },
})
await using channel = connect(await server.listen('127.0.0.1:0'), { interceptors: [retry] })
const greeter = channel.client(helloworld.Greeter)
console.log((await greeter.sayHello({ name: 'Ada' }, { deadline: 10_000 })).message)
await greeter.sayHello({ name: '' }).catch((error: StatusError) => console.log(`not again: ${error.message}`))
