/** A line for each call, on both sides, whatever its kind: `npx tsx examples/interceptor-logging.ts`. */
import {
  type ClientInterceptor,
  connect,
  loadProto,
  Server,
  type ServerInterceptor,
  Status,
  StatusError,
  statusName,
} from 'grpc-glass'

/** How a call ended, from what its responses threw. */
function outcome(error: unknown): string {
  return error instanceof StatusError ? `${statusName(error.code)}: ${error.details}` : `${error}`
}

const logClient: ClientInterceptor = async function* (call, next) {
  let responses = 0
  let end = 'left' // the caller had enough, or cancelled
  try {
    for await (const response of next(call)) {
      responses++
      yield response
    }
    end = statusName(Status.OK)
  } catch (error) {
    end = outcome(error)
    throw error
  } finally {
    console.log(`client ${call.method.path} ${responses} ${end}`)
  }
}

const logServer: ServerInterceptor = async function* (incoming, next) {
  let responses = 0
  let end = 'left'
  try {
    for await (const response of next(incoming)) {
      responses++
      yield response
    }
    end = statusName(Status.OK)
  } catch (error) {
    end = outcome(error)
    throw error
  } finally {
    console.log(`server ${incoming.call.method.path} ${responses} ${end}`)
  }
}

type Hello = { name: string }
const { helloworld } = await loadProto('proto/helloworld.proto')
await using server = new Server({ interceptors: [logServer] }).add(helloworld.Greeter, {
  sayHello({ name }: Hello) {
    if (name === '') throw new StatusError(Status.INVALID_ARGUMENT, 'a name is needed')
    return { message: `Hello ${name}` }
  },
  async *chat(requests: AsyncIterable<Hello>) {
    for await (const { name } of requests) yield { message: `Hello ${name}` }
  },
})
await using channel = connect(await server.listen('127.0.0.1:0'), { interceptors: [logClient] })
const greeter = channel.client(helloworld.Greeter)

console.log((await greeter.sayHello({ name: 'Ada' })).message)
await greeter.sayHello({ name: '' }).catch(() => {})
for await (const { message } of greeter.chat([{ name: 'Bob' }, { name: 'Eve' }])) console.log(message)
