/** A server and a channel to it, closed with the test. */
import type { Test } from 'tap'
import type { EngineName } from '../../../src/http2/transport.ts'
import { engineNames } from '../../../src/rpc/engines.ts'
import type { Handlers } from '../../../src/rpc/handlers.ts'
import { type Channel, type ChannelOptions, connect } from '../../../src/rpc/index.ts'
import { Server } from '../../../src/rpc/server.ts'
import type { ServerOptions } from '../../../src/rpc/server-options.ts'
import { type methods, Text } from './text-service.ts'

export const ENGINES: readonly EngineName[] = engineNames()

export interface Pair {
  server: Server
  address: string
  channel: Channel
  client: ReturnType<typeof textClient>
}

function textClient(channel: Channel) {
  return channel.client(Text)
}

/** Handlers that echo, for tests that look at something else. */
export const echo: Handlers<typeof methods> = {
  one: ({ text = '' }) => ({ text }),
  async *many({ text = '', count = 3 }) {
    for (let index = 0; index < count; index++) yield { text, index }
  },
  async gather(requests) {
    const texts: string[] = []
    for await (const { text = '' } of requests) texts.push(text)
    return { text: texts.join(',') }
  },
  async *chat(requests) {
    let index = 0
    for await (const { text = '' } of requests) yield { text, index: index++ }
  },
}

/** Starts a server with `handlers` and connects to it. */
export async function pair(
  t: Test,
  engine: EngineName,
  handlers: Handlers<typeof methods> = echo,
  options: { server?: ServerOptions; channel?: ChannelOptions; clientEngine?: EngineName } = {},
): Promise<Pair> {
  const server = new Server({ engine, ...options.server })
  server.add(Text, handlers)
  const address = await server.listen('127.0.0.1:0')
  const channel = connect(address, { engine: options.clientEngine ?? engine, ...options.channel })
  t.teardown(async () => {
    await channel.close({ graceMs: 0 })
    await server.close({ graceMs: 0 })
  })
  return { server, address, channel, client: textClient(channel) }
}

/** The error that a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

/** Everything an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
