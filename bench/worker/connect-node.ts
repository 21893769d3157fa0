/** connect-node, speaking the gRPC protocol over HTTP/2. */
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { type CallOptions, type ConnectRouter, createClient } from '@connectrpc/connect'
import {
  compressionGzip,
  connectNodeAdapter,
  createGrpcTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node'
import {
  type Connection,
  type ConnectOptions,
  type Contender,
  MAX_MESSAGE_OCTETS,
  MAX_STREAMS,
  metadataOf,
  type ServeOptions,
} from './contender.ts'
import { descriptorSetFile } from './files.ts'
import { bodyOf } from './payload.ts'

interface Payload {
  body: Uint8Array
}

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSetFile)))
const service = (name: string): DescService => registry.getService(name)!

function routes(router: ConnectRouter): void {
  router.service(service('bench.Bench'), {
    echo: (request: Payload) => ({ body: request.body }),
    async *download(request: { count: bigint; sizeOctets: number }) {
      const message = { body: bodyOf(request.sizeOctets) }
      for (let i = 0n; i < request.count; i++) yield message
    },
    async upload(requests: AsyncIterable<Payload>) {
      let octets = 0
      for await (const { body } of requests) octets += body.length
      return { octets: BigInt(octets) }
    },
    async *chat(requests: AsyncIterable<Payload>) {
      for await (const { body } of requests) yield { body }
    },
  } as never)
  router.service(service('helloworld.Greeter'), {
    sayHello: ({ name }: { name: string }) => ({ message: `Hello ${name}` }),
  } as never)
}

function serve({ tls, gzip }: ServeOptions): Promise<number> {
  const handler = connectNodeAdapter({
    routes,
    readMaxBytes: MAX_MESSAGE_OCTETS,
    acceptCompression: gzip ? [compressionGzip] : [],
  })
  const settings = { maxConcurrentStreams: MAX_STREAMS }
  const server =
    tls === undefined
      ? http2.createServer({ settings }, handler)
      : http2.createSecureServer({ settings, cert: tls.cert, key: tls.key }, handler)
  return new Promise((settle) =>
    server.listen(0, '127.0.0.1', () => settle((server.address() as AddressInfo).port)),
  )
}

type Method = (request: unknown, options?: CallOptions) => Promise<unknown> & AsyncIterable<Payload>

async function connect(port: number, options: ConnectOptions): Promise<Connection> {
  const { tls, gzip, deadlineMs, metadataFields } = options
  const baseUrl = `${tls === undefined ? 'http' : 'https'}://localhost:${port}`
  const nodeOptions = { ...(tls !== undefined && { ca: tls.ca }), family: 4 }
  const sessionManager = new Http2SessionManager(baseUrl, undefined, nodeOptions)
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: MAX_MESSAGE_OCTETS,
    acceptCompression: gzip ? [compressionGzip] : [],
    ...(gzip && { sendCompression: compressionGzip }),
  })
  const client = createClient(service('bench.Bench'), transport) as unknown as Record<string, Method>
  const callOptions: CallOptions = {
    ...(deadlineMs !== undefined && { timeoutMs: deadlineMs }),
    ...(metadataFields !== undefined && { headers: metadataOf(metadataFields) }),
  }
  if ((await sessionManager.connect()) === 'error') throw new Error('connect-node does not connect')
  const readAll = async (messages: AsyncIterable<Payload>, onMessage: (body: Uint8Array) => void) => {
    for await (const { body } of messages) onMessage(body)
  }
  return {
    echo(body, done) {
      client.echo!({ body }, callOptions).then(
        (reply) => done(undefined, (reply as Payload).body),
        done as never,
      )
    },
    download(count, sizeOctets, onMessage, done) {
      const request = { count: BigInt(count), sizeOctets }
      readAll(client.download!(request, callOptions), onMessage).then(() => done(undefined), done)
    },
    upload(count, body, done) {
      async function* requests() {
        const message = { body }
        for (let i = 0; i < count; i++) yield message
      }
      client.upload!(requests(), callOptions).then(
        (reply) => done(undefined, Number((reply as { octets: bigint }).octets)),
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
      readAll(client.chat!(requests(), callOptions), onMessage).then(() => done(undefined), done)
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
    close: async () => sessionManager.abort(),
  }
}

export const connectNode: Contender = { serve, connect }
