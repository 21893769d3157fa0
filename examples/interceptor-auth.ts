/** A token with each call, renewed when it is refused, and a server that asks for one: `npx tsx examples/interceptor-auth.ts`. */
import { timingSafeEqual } from 'node:crypto'
import {
  addHealth,
  bearerToken,
  type ClientInterceptor,
  connect,
  Health,
  loadProto,
  Server,
  type ServerInterceptor,
  Status,
  StatusError,
} from 'grpc-glass'

let valid = 'token-1'

/** Lets probes in without a token; everybody else needs the valid one. */
const authenticate: ServerInterceptor = async function* (incoming, next) {
  const { method, metadata } = incoming.call
  if (!method.path.startsWith(`/${Health.name}/`)) {
    const given = Buffer.from(metadata.get('authorization') ?? '')
    const wanted = Buffer.from(`Bearer ${valid}`)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new StatusError(Status.UNAUTHENTICATED, given.length === 0 ? 'a token is needed' : 'an old token')
    }
  }
  yield* next(incoming)
}

/** Gets a new token when the old one is refused, and makes a call with one request once more. */
function renewing(renew: () => Promise<void>): ClientInterceptor {
  return async function* (call, next) {
    if (call.method.requestStream) return yield* next(call)
    const requests: unknown[] = []
    for await (const request of call.requests) requests.push(request)
    const attempt = () => next({ ...call, requests })
    let answered = false
    try {
      for await (const response of attempt()) {
        answered = true
        yield response
      }
      return
    } catch (error) {
      const refused = error instanceof StatusError && error.code === Status.UNAUTHENTICATED
      if (!refused || answered) throw error
      console.log(error.message)
    }
    await renew()
    yield* attempt()
  }
}

const { helloworld } = await loadProto('proto/helloworld.proto')
await using server = new Server({ interceptors: [authenticate] }).add(helloworld.Greeter, {
  sayHello: ({ name }: { name: string }) => ({ message: `Hello ${name}` }),
})
addHealth(server)
const address = await server.listen('127.0.0.1:0')

let token = 'token-0'
const renew = async () => {
  token = valid // in earnest: from a token service
}
await using channel = connect(address, {
  credentials: bearerToken(() => token), // asked before each call
  interceptors: [renewing(renew)],
  allowInsecureCredentials: true, // for this example only: tokens belong on TLS
})
const greeter = channel.client(helloworld.Greeter)
console.log((await greeter.sayHello({ name: 'Ada' })).message)
valid = 'token-2'
console.log((await greeter.sayHello({ name: 'Bob' })).message)

await using stranger = connect(address)
await stranger
  .client(helloworld.Greeter)
  .sayHello({ name: 'Eve' })
  .catch((error: StatusError) => console.log(error.message))
console.log((await stranger.client(Health).check({})).status)
