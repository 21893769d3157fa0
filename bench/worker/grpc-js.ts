/** grpc-js, with messages by proto-loader, as its documentation shows it. */
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
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

const GZIP = grpc.compressionAlgorithms.gzip
const loaded = grpc.loadPackageDefinition(
  loadSync(protoFiles as string[], { longs: Number }),
) as unknown as Record<string, Record<string, grpc.ServiceClientConstructor>>
const Bench = loaded.bench!.Bench!
const Greeter = loaded.helloworld!.Greeter!

/** The definition of the service, which nice-grpc takes, too. */
export const benchService = Bench.service
/** The definition of the Greeter. */
export const greeterService = Greeter.service

const handlers: grpc.UntypedServiceImplementation = {
  echo(call: grpc.ServerUnaryCall<Payload, Payload>, reply: grpc.sendUnaryData<Payload>) {
    reply(null, call.request)
  },
  download(call: grpc.ServerWritableStream<{ count: number; sizeOctets: number }, Payload>) {
    const message = { body: bodyOf(call.request.sizeOctets) }
    let left = call.request.count
    const write = (): void => {
      while (left-- > 0) if (!call.write(message)) return void call.once('drain', write)
      call.end()
    }
    write()
  },
  upload(call: grpc.ServerReadableStream<Payload, object>, reply: grpc.sendUnaryData<object>) {
    let octets = 0
    call.on('data', ({ body }: Payload) => {
      octets += body.length
    })
    call.on('end', () => reply(null, { octets }))
  },
  chat(call: grpc.ServerDuplexStream<Payload, Payload>) {
    call.on('data', (message: Payload) => call.write(message))
    call.on('end', () => call.end())
  },
}

const limits = {
  'grpc.max_receive_message_length': MAX_MESSAGE_OCTETS,
  'grpc.max_concurrent_streams': MAX_STREAMS,
}

function serve({ tls, gzip }: ServeOptions): Promise<number> {
  const server = new grpc.Server({
    ...limits,
    ...(gzip && { 'grpc.default_compression_algorithm': GZIP }),
  })
  server.addService(Bench.service, handlers)
  server.addService(Greeter.service, {
    sayHello(call: grpc.ServerUnaryCall<{ name: string }, object>, reply: grpc.sendUnaryData<object>) {
      reply(null, { message: `Hello ${call.request.name}` })
    },
  })
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ])
  return new Promise((settle, fail) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? fail(error) : settle(port)))
  })
}

/** A channel with a connection of its own; its options are nice-grpc's, too. */
export function channelOptions({ tls, gzip }: ConnectOptions): grpc.ChannelOptions {
  return {
    ...limits,
    'grpc.use_local_subchannel_pool': 1,
    ...(gzip && { 'grpc.default_compression_algorithm': GZIP }),
    ...(tls !== undefined && { 'grpc.ssl_target_name_override': 'localhost' }),
  }
}

/** Credentials that trust the server's certificate. */
export function channelCredentials({ tls }: ConnectOptions): grpc.ChannelCredentials {
  return tls === undefined
    ? grpc.credentials.createInsecure()
    : grpc.credentials.createSsl(Buffer.from(tls.ca))
}

type Stream = grpc.ClientDuplexStream<Payload, Payload>

async function connect(port: number, options: ConnectOptions): Promise<Connection> {
  const client = new Bench(`127.0.0.1:${port}`, channelCredentials(options), channelOptions(options))
  await new Promise<void>((settle, fail) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error ? fail(error) : settle())),
  )
  const { deadlineMs, metadataFields } = options
  const callOptions = (): grpc.CallOptions =>
    deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(metadataOf(metadataFields ?? 0))) metadata.set(name, value)
  const settleAtEnd = (stream: Stream, done: (error: Error | undefined) => void): void => {
    stream.on('error', done)
    stream.on('status', ({ code }: grpc.StatusObject) => {
      if (code === grpc.status.OK) done(undefined)
    })
  }
  return {
    echo(body, done) {
      client.echo!({ body }, metadata, callOptions(), (error: Error | null, reply: Payload) =>
        done(error ?? undefined, reply?.body),
      )
    },
    download(count, sizeOctets, onMessage, done) {
      const stream: Stream = client.download!({ count, sizeOctets }, metadata, callOptions())
      stream.on('data', ({ body }: Payload) => onMessage(body))
      settleAtEnd(stream, done)
    },
    upload(count, body, done) {
      const stream: Stream = client.upload!(
        metadata,
        callOptions(),
        (error: Error | null, reply: { octets: number }) => done(error ?? undefined, reply?.octets),
      )
      const message = { body }
      let left = count
      const write = (): void => {
        while (left-- > 0) if (!stream.write(message)) return void stream.once('drain', write)
        stream.end()
      }
      write()
    },
    chat(onMessage, done) {
      const stream: Stream = client.chat!(metadata, callOptions())
      stream.on('data', ({ body }: Payload) => onMessage(body))
      settleAtEnd(stream, done)
      return { send: (body) => void stream.write({ body }), end: () => void stream.end() }
    },
    close: async () => client.close(),
  }
}

export const grpcJs: Contender = { serve, connect }
