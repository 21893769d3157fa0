/**
 * One attack on a server, and what must be true after each: the process lives, another connection is served,
 * and descriptors, streams and heap are back where they were.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import type { Handlers } from '../../src/rpc/handlers.ts'
import { connect, Server, type ServerOptions } from '../../src/rpc/index.ts'
import { echo } from '../rpc/support/pair.ts'
import { type methods, Text } from '../rpc/support/text-service.ts'
import { openSockets } from '../support/descriptors.ts'
import { type RawPeer, rawClient } from '../support/raw-http2.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Growth of resident memory that an attack may leave behind (RELIABILITY promise 13). */
const MAX_GROWTH_OCTETS = 20 * 1024 * 1024
const SETTLE_MS = 5000

/** Live memory in octets, after a collection. */
export function heapOctets(): number {
  collect()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** A server under attack. */
export interface Target {
  readonly engine: EngineName
  readonly address: { host: string; port: number }
  /** Calls that run now. */
  readonly running: () => number
  /** Connects as a raw client. */
  readonly raw: (greet?: boolean) => Promise<RawPeer>
}

/** Waits until `ready` is true, at most five seconds; answers whether it became so. */
export async function settled(ready: () => boolean): Promise<boolean> {
  for (const end = Date.now() + SETTLE_MS; Date.now() < end; ) {
    if (ready()) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return ready()
}

/**
 * Runs `play` against a fresh server and checks the aftermath.
 * @param options.handlers of test.Text; default echo
 * @param options.add adds further services
 */
export async function attack(
  t: Test,
  engine: EngineName,
  play: (target: Target) => Promise<void>,
  options: {
    handlers?: Handlers<typeof methods>
    server?: ServerOptions
    add?: (server: Server) => void
  } = {},
): Promise<void> {
  const server = new Server({ engine, watchdogIntervalMs: 100, ...options.server })
  server.add(Text, { ...echo, ...options.handlers })
  options.add?.(server)
  const address = await server.listen('127.0.0.1:0')
  const port = Number(address.split(':').at(-1))
  const channel = connect(address, { engine })
  const client = channel.client(Text)
  await client.one({ text: 'before' })
  const sockets = openSockets()
  const heap = heapOctets()
  const peers: RawPeer[] = []
  await play({
    engine,
    address: { host: '127.0.0.1', port },
    running: () => server.runningCalls,
    raw: async (greet = true) => {
      const peer = await rawClient({ host: '127.0.0.1', port }, greet)
      peers.push(peer)
      return peer
    },
  })
  const probe = connect(address, { engine })
  const start = performance.now()
  t.same(
    await probe.client(Text).one({ text: 'after' }, { deadline: 5000 }),
    { text: 'after' },
    'another connection is served',
  )
  const probeMs = performance.now() - start
  t.comment(`probe ${probeMs.toFixed(0)} ms`)
  t.same(
    await client.one({ text: 'still' }, { deadline: 5000 }),
    { text: 'still' },
    'so is the one from before',
  )
  await probe.close()
  for (const peer of peers.splice(0)) {
    peer.socket.destroy()
    peer.frames.length = 0
    peer.octets = Buffer.alloc(0)
  }
  t.ok(await settled(() => server.runningCalls === 0), 'no call is left behind')
  if (sockets !== undefined) {
    t.ok(
      await settled(() => openSockets()! <= sockets),
      `descriptors are back: ${openSockets()} after ${sockets}`,
    )
  }
  let growth = 0
  await settled(() => {
    growth = heapOctets() - heap
    return growth < MAX_GROWTH_OCTETS
  })
  t.ok(growth < MAX_GROWTH_OCTETS, `memory is back: ${(growth / 1048576).toFixed(1)} MiB more`)
  await channel.close()
  await server.close({ graceMs: 0 })
}
