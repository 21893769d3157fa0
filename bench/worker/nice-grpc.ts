/** nice-grpc, on grpc-js's definitions. */
import { ServerCredentials } from '@grpc/grpc-js'
import {
  type CallOptions,
  type Client,
  type CompatServiceDefinition,
  createChannel,
  createClient,
  createServer,
  Metadata,
} from 'nice-grpc'
import {
  type Connection,
  type ConnectOptions,
  type Contender,
  metadataOf,
  type ServeOptions,
} from './contender.ts'
import { benchService, channelCredentials, channelOptions, greeterService } from './grpc-js.ts'
import { bodyOf } from './payload.ts'

interface Payload {
  body: Uint8Array
}

/** The definition with the method names that nice-grpc is written with, in lower camel case. */
function definitionOf(service: object): CompatServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => [
    name[0]!.toLowerCase() + name.slice(1),
    method,
  ])
  return Object.fromEntries(methods) as CompatServiceDefinition
}

const bench = definitionOf(benchService)

const handlers = {
  echo: async (request: Payload) => request,
  async *download({ count, sizeOctets }: { count: number; sizeOctets: number }) {
    const message = { body: bodyOf(sizeOctets) }
    for (let i = 0; i < count; i++) yield message
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

async function serve({ tls, ...options }: ServeOptions): Promise<number> {
  const server = createServer(channelOptions(options))
  server.add(bench, handlers as never)
  server.add(definitionOf({ SayHello: greeterService.SayHello! }), {
    sayHello: async ({ name }: { name: string }) => ({ message: `Hello ${name}` }),
  } as never)
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ])
  return server.listen('127.0.0.1:0', credentials)
}

type Method = (request: unknown, options?: CallOptions) => Promise<unknown> & AsyncIterable<Payload>

async function connect(port: number, options: ConnectOptions): Promise<Connection> {
  const channel = createChannel(`127.0.0.1:${port}`, channelCredentials(options), channelOptions(options))
  const client = createClient(bench, channel) as Client<CompatServiceDefinition> & Record<string, Method>
  const { deadlineMs, metadataFields } = options
  const metadata = Metadata(metadataOf(metadataFields ?? 0))
  // nice-grpc has deadlines in another package of its own; a signal is what it has built in
  const callOptions = (): CallOptions =>
    deadlineMs === undefined ? { metadata } : { metadata, signal: AbortSignal.timeout(deadlineMs) }
  const readAll = async (messages: AsyncIterable<Payload>, onMessage: (body: Uint8Array) => void) => {
    for await (const { body } of messages) onMessage(body)
  }
  return {
    echo(body, done) {
      client.echo!({ body }, callOptions()).then(
        (reply) => done(undefined, (reply as Payload).body),
        done as never,
      )
    },
    download(count, sizeOctets, onMessage, done) {
      readAll(client.download!({ count, sizeOctets }, callOptions()), onMessage).then(
        () => done(undefined),
        done,
      )
    },
    upload(count, body, done) {
      async function* requests() {
        const message = { body }
        for (let i = 0; i < count; i++) yield message
      }
      client.upload!(requests(), callOptions()).then(
        (reply) => done(undefined, (reply as { octets: number }).octets),
        done as never,
      )
    },
    chat(onMessage, done) {
      const queue: Uint8Array[] = []
      let wake: (() => void) | undefined
      let ended = false
      async function* requests() {
        for (;;) {
          while (queue.length > 0) yield { body: queue.shift()! }
          if (ended) return
          await new Promise<void>((settle) => {
            wake = settle
          })
        }
      }
      readAll(client.chat!(requests(), callOptions()), onMessage).then(() => done(undefined), done)
      return {
        send(body) {
          queue.push(body)
          wake?.()
        },
        end() {
          ended = true
          wake?.()
        },
      }
    },
    close: async () => channel.close(),
  }
}

export const niceGrpc: Contender = { serve, connect }
