/**
 * A Greeter that answers back all it is told, in the API of this library; `grpc-js.ts` has the same one in that of
 * grpc-js. Metadata steers it:
 *
 * - each value of `echo` comes back in the response headers, each of `echo-bin` in the trailers;
 * - `behavior: fail` ends with NOT_FOUND, `hang` waits for the end of the call, `throw` throws no status.
 */

import type { Test } from 'tap'
import type { ServerTls } from '../../../src/http2/transport.ts'
import {
  type EngineName,
  type HandlerCall,
  loadProtoSync,
  Server,
  Status,
  StatusError,
} from '../../../src/index.ts'
import type { ServerOptions } from '../../../src/rpc/server-options.ts'

export const PROTO = 'proto/helloworld.proto'
export const { helloworld } = loadProtoSync(PROTO)

export interface HelloRequest {
  name: string
}
export interface HelloReply {
  message: string
}

/** What a failing call ends with: not ASCII, and octets for `grpc-status-details-bin` that are no text. */
export const FAILURE = {
  code: Status.NOT_FOUND,
  details: 'no “such” name: Zoë\n100 %',
  detailsBin: Uint8Array.of(0x08, 0x05, 0x12, 0x02, 0xff, 0x00),
}

/** Largest message that both sides take in these tests. */
export const LARGE_LIMIT_OCTETS = 16 << 20
/** Size of a name that is large. */
export const LARGE_OCTETS = 8 << 20

/** What a server saw of the ends of calls that hang. */
export class Ends {
  #count = 0
  #waiting: (() => void) | undefined

  add(): void {
    this.#count++
    this.#waiting?.()
  }

  /** Resolves when `count` hanging calls are over. */
  async reached(count: number): Promise<void> {
    while (this.#count < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}

async function obey(call: HandlerCall, ends: Ends): Promise<void> {
  switch (call.metadata.get('behavior')) {
    case 'fail':
      throw new StatusError(FAILURE.code, FAILURE.details, {
        metadata: { 'grpc-status-details-bin': FAILURE.detailsBin },
      })
    case 'throw':
      throw new Error('secret of the server')
    case 'hang':
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
      ends.add()
  }
}

function echoMetadata(call: HandlerCall): void {
  call.sendHeaders({ echo: call.metadata.getAll('echo') })
  call.setTrailers({ 'echo-bin': call.metadata.getAll('echo-bin') })
}

/** The handlers. */
export function greeterHandlers(ends: Ends) {
  return {
    async sayHello({ name }: HelloRequest, call: HandlerCall): Promise<HelloReply> {
      echoMetadata(call)
      await obey(call, ends)
      return { message: `Hello ${name}` }
    },
    async *sayHellos({ name }: HelloRequest, call: HandlerCall): AsyncGenerator<HelloReply> {
      echoMetadata(call)
      yield { message: `Hello ${name}` }
      await obey(call, ends)
      yield { message: `Goodbye ${name}` }
    },
    async greetAll(requests: AsyncIterable<HelloRequest>, call: HandlerCall): Promise<HelloReply> {
      echoMetadata(call)
      const names: string[] = []
      for await (const { name } of requests) names.push(name)
      await obey(call, ends)
      return { message: `Hello ${names.join(', ')}` }
    },
    async *chat(requests: AsyncIterable<HelloRequest>, call: HandlerCall): AsyncGenerator<HelloReply> {
      echoMetadata(call)
      for await (const { name } of requests) {
        yield { message: `Hello ${name}` }
        await obey(call, ends)
      }
    },
  }
}

/** Starts our server; it is closed with the test. */
export async function startOurs(
  t: Test,
  engine: EngineName,
  options: ServerOptions & { tls?: ServerTls } = {},
): Promise<{ address: string; server: Server; ends: Ends }> {
  const { tls, ...rest } = options
  const ends = new Ends()
  const server = new Server({ engine, maxReceiveMessageOctets: LARGE_LIMIT_OCTETS, ...rest })
  server.add(helloworld.Greeter, greeterHandlers(ends))
  const address = await server.listen('127.0.0.1:0', tls === undefined ? {} : { tls })
  t.teardown(() => server.close({ graceMs: 0 }))
  return { address, server, ends }
}
