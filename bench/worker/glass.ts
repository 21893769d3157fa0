/** This library on either of its engines. */
import { connect, type EngineName, loadProto, Server, type Service, type StatusError } from 'grpc-glass'
import {
  type Connection,
  type ConnectOptions,
  type Contender,
  MAX_MESSAGE_OCTETS,
  MAX_STREAMS,
  metadataOf,
  type ServeOptions,
} from './contender.ts'
import { protoFiles } from './files.ts'
import { bodyOf } from './payload.ts'

interface Payload {
  body: Uint8Array
}

const loading = load()

async function load(): Promise<{ bench: Service; greeter: Service }> {
  const schema = (await loadProto(protoFiles)) as unknown as Record<string, Record<string, Service>>
  return { bench: schema.bench!.Bench!, greeter: schema.helloworld!.Greeter! }
}

const handlers = {
  echo: (request: Payload) => request,
  *download({ count, sizeOctets }: { count: number; sizeOctets: number }) {
    const message = { body: bodyOf(sizeOctets) }
    for (let i = 0; i < Number(count); i++) yield message
  },
  async upload(requests: AsyncIterable<Payload>) {
    let octets = 0
    for await (const { body } of requests) octets += body.length
    return { octets }
  },
  async *chat(requests: AsyncIterable<Payload>) {
    yield* requests
  },
}

async function serve(engine: EngineName, { tls, gzip }: ServeOptions): Promise<number> {
  const server = new Server({
    engine,
    maxReceiveMessageOctets: MAX_MESSAGE_OCTETS,
    maxConcurrentStreams: MAX_STREAMS,
    ...(gzip && { compression: 'gzip' }),
  })
  const { bench, greeter } = await loading
  server.add(bench, handlers)
  server.add(greeter, { sayHello: ({ name }: { name: string }) => ({ message: `Hello ${name}` }) })
  const address = await server.listen(
    '127.0.0.1:0',
    // with `ca` it would ask clients for certificates
    tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } },
  )
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

async function open(
  engine: EngineName,
  port: number,
  { tls, gzip, deadlineMs, metadataFields }: ConnectOptions,
): Promise<Connection> {
  const channel = connect(`127.0.0.1:${port}`, {
    engine,
    maxReceiveMessageOctets: MAX_MESSAGE_OCTETS,
    ...(tls !== undefined && { tls: { ca: tls.ca, servername: 'localhost' } }),
    ...(gzip && { compression: 'gzip' }),
  })
  const { echo, download, upload, chat } = (await loading).bench.methods as Record<string, never>
  const metadata = metadataFields === undefined ? undefined : metadataOf(metadataFields)
  const options =
    deadlineMs === undefined && metadata === undefined ? undefined : { deadline: deadlineMs, metadata }
  await channel.ready()
  return {
    echo(body, done) {
      channel.unary<Payload, Payload>(echo!, { body }, options).then(
        (reply) => done(undefined, reply.body),
        (error: StatusError) => done(error, body),
      )
    },
    download(count, sizeOctets, onMessage, done) {
      const call = channel.serverStreaming<object, Payload>(download!, { count, sizeOctets }, options)
      const read = async (): Promise<void> => {
        for await (const { body } of call) onMessage(body)
      }
      read().then(() => done(undefined), done)
    },
    upload(count, body, done) {
      const call = channel.clientStreaming<Payload, { octets: number }>(upload!, undefined, options)
      const write = async (): Promise<number> => {
        const message = { body }
        for (let i = 0; i < count; i++) await call.write(message)
        call.end()
        return Number((await call).octets)
      }
      write().then(
        (octets) => done(undefined, octets),
        (error: Error) => done(error, 0),
      )
    },
    chat(onMessage, done) {
      const call = channel.bidirectional<Payload, Payload>(chat!, undefined, options)
      const read = async (): Promise<void> => {
        for await (const { body } of call) onMessage(body)
      }
      read().then(() => done(undefined), done)
      return { send: (body) => void call.write({ body }), end: () => call.end() }
    },
    close: () => channel.close({ graceMs: 0 }),
  }
}

const contender = (engine: EngineName): Contender => ({
  serve: (options) => serve(engine, options),
  connect: (port, options) => open(engine, port, options),
})

export const node = contender('node')
export const pure = contender('pure')
