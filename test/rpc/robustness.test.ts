/**
 * What becomes of calls when the server dies, freezes, goes, refuses, or comes back: on all pairings of the engines where
 * two take part, and against a raw peer where frames decide.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import { type ChannelOptions, connect, Server } from '../../src/rpc/index.ts'
import {
  dataFrame,
  goawayFrame,
  greetAsServer,
  headersFrame,
  type RawPeer,
  RawServer,
  rstFrame,
  Type,
} from '../support/raw-http2.ts'
import { ENGINES, echo, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

const OPEN_STREAMS = 100
const REFUSED_STREAM = 7

interface Child {
  readonly process: ChildProcess
  readonly address: string
}

/** Starts a server in a process of its own; killed with the test. */
async function startChild(t: Test, engine: EngineName, address = '127.0.0.1:0'): Promise<Child> {
  const script = join(import.meta.dirname, 'support/child-server.ts')
  const child = spawn(process.execPath, ['--import=tsx', script, engine, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [line] = await once(createInterface({ input: child.stdout! }), 'line')
  return { process: child, address: String(line) }
}

function open(t: Test, engine: EngineName, address: string, options: ChannelOptions = {}) {
  const channel = connect(address, { engine, initialBackoffMs: 20, maxBackoffMs: 50, ...options })
  t.teardown(() => channel.close({ graceMs: 0 }))
  return channel
}

/** Streams that have had their first message. */
async function openStreams(client: ReturnType<ReturnType<typeof open>['client']>) {
  const calls = Array.from({ length: OPEN_STREAMS }, (_, index) => client.many!({ text: String(index) }))
  const readers = calls.map((call) => call[Symbol.asyncIterator]())
  await Promise.all(readers.map((reader) => reader.next()))
  return { calls, readers }
}

for (const engine of ENGINES) {
  for (const clientEngine of ENGINES) {
    const name = `${clientEngine} client, ${engine} server`

    t.test(
      `${name}: SIGKILL ends every open stream with UNAVAILABLE, and the next call finds the new server`,
      async (t) => {
        const first = await startChild(t, engine)
        const channel = open(t, clientEngine, first.address)
        const client = channel.client(Text)
        const { calls, readers } = await openStreams(client)
        const ends = readers.map((reader) => rejection(reader.next()))
        const start = performance.now()
        first.process.kill('SIGKILL')
        const errors = await Promise.all(ends)
        t.comment(`${OPEN_STREAMS} streams ended ${(performance.now() - start).toFixed(0)} ms after the kill`)
        const dropped = { code: 14, phase: 'messages', details: /^Connection dropped: / }
        t.match(
          errors,
          Array.from({ length: OPEN_STREAMS }, () => dropped),
        )
        t.match(await Promise.all(calls.map((call) => call.status)), errors)
        t.match(await rejection(client.one({})), { code: 14, details: /refused/ })
        const waiting = client.one({ text: 'back' }, { waitForReady: true })
        await startChild(t, engine, first.address)
        t.same(await waiting, { text: 'back' })
        t.equal(channel.state, 'READY')
      },
    )

    t.test(
      `${name}: a server that goes in order lets calls end, and new ones find its successor`,
      async (t) => {
        const server = new Server({ engine })
        let release = (): void => {}
        const released = new Promise<void>((resolve) => {
          release = resolve
        })
        server.add(Text, {
          ...echo,
          one: async () => {
            await released
            return { text: 'old' }
          },
        })
        const address = await server.listen('127.0.0.1:0')
        t.teardown(() => server.close({ graceMs: 0 }))
        const channel = open(t, clientEngine, address)
        const client = channel.client(Text)
        const running = Array.from({ length: 10 }, () => client.one({}))
        while (server.runningCalls < 10) await new Promise(setImmediate)
        const closed = server.close()
        const successor = new Server({ engine })
        successor.add(Text, echo)
        t.teardown(() => successor.close({ graceMs: 0 }))
        await successor.listen(address)
        // Until it has heard of the end, a call may still go to the old server.
        await channel.stateChange('READY')
        t.same(await client.one({ text: 'new' }, { waitForReady: true }), { text: 'new' })
        release()
        for (const reply of await Promise.all(running)) t.same(reply, { text: 'old' })
        await closed
      },
    )
  }

  t.test(`${engine} client: a frozen server (SIGSTOP) is found out by keepalive`, async (t) => {
    const child = await startChild(t, engine)
    const client = open(t, engine, child.address, {
      keepaliveTimeMs: 100,
      keepaliveTimeoutMs: 100,
    }).client(Text)
    const reader = client.many({ text: 'x' })[Symbol.asyncIterator]()
    await reader.next()
    const end = rejection(reader.next())
    child.process.kill('SIGSTOP')
    t.match(await end, { code: 14, details: /^Connection dropped: / })
  })
}

/** Answers one request with the message `{}` and status OK. */
function answer(peer: RawPeer, streamId: number): void {
  peer.write(
    headersFrame(streamId, false, ':status', '200', 'content-type', 'application/grpc'),
    dataFrame(streamId, false, Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d])),
    headersFrame(streamId, true, 'grpc-status', '0'),
  )
}

/** A raw server that is told of each request, with the number of those before it. */
async function rawServer(
  t: Test,
  onRequest: (peer: RawPeer, streamId: number, before: number) => void,
): Promise<RawServer & { requests(): number }> {
  let requests = 0
  const server = await RawServer.start(async (peer) => {
    await greetAsServer(peer)
    for (let next = 0; ; next++) {
      const frame = await peer.until(() => peer.frames.filter(({ type }) => type === Type.HEADERS)[next])
      onRequest(peer, frame.streamId, requests++)
    }
  })
  t.teardown(() => server.close())
  return Object.assign(server, { requests: () => requests })
}

for (const engine of ENGINES) {
  const address = ({ address }: RawServer): string => `${address.host}:${address.port}`

  t.test(`${engine} client: gRFC A6, REFUSED_STREAM is retried once, and no more`, async (t) => {
    const server = await rawServer(t, (peer, streamId, before) => {
      if (before === 0 || before > 1) peer.write(rstFrame(streamId, REFUSED_STREAM))
      else answer(peer, streamId)
    })
    const client = open(t, engine, address(server)).client(Text)
    t.same(await client.one({}), {}, 'refused, then answered')
    t.equal(server.requests(), 2)
    t.match(await rejection(client.one({})), { code: 14 }, 'refused twice')
    t.equal(server.requests(), 4)
  })

  t.test(
    `${engine} client: RFC 9113 §6.8, GOAWAY: what it leaves out moves, what it names ends here`,
    async (t) => {
      const server = await rawServer(t, (peer, streamId, before) => {
        if (before < 2) {
          if (before === 0) return
          // Both have come: the first will be answered, the second was never looked at.
          const first = peer.frames.find(({ type }) => type === Type.HEADERS)!.streamId
          peer.write(goawayFrame(first, 0))
          answer(peer, first)
        } else answer(peer, streamId)
      })
      const client = open(t, engine, address(server)).client(Text)
      t.same(await Promise.all([client.one({}), client.one({})]), [{}, {}])
      t.equal(server.peers.length, 2, 'on a second connection')
      t.equal(server.requests(), 3)
    },
  )

  t.test(`${engine} client: GOAWAY on every connection ends with UNAVAILABLE, without a loop`, async (t) => {
    const server = await RawServer.start(async (peer) => {
      await greetAsServer(peer)
      peer.write(goawayFrame(0, 0))
    })
    t.teardown(() => server.close())
    const client = open(t, engine, address(server), { initialBackoffMs: 60_000 }).client(Text)
    t.match(await rejection(client.one({})), { code: 14 })
    t.match(await rejection(client.one({})), { code: 14 })
    t.ok(server.peers.length <= 2, `${server.peers.length} connections`)
  })

  t.test(`${engine} client: several addresses, of which the first are dead, IPv6 and IPv4`, async (t) => {
    const server = new Server({ engine })
    server.add(Text, echo)
    t.teardown(() => server.close({ graceMs: 0 }))
    const port = (await server.listen('[::1]:0')).split(':').at(-1)!
    for (const target of [`ipv6:[::1]:${port}`, `[::1]:${port}`]) {
      t.same(await open(t, engine, target).client(Text).one({ text: 'a' }), { text: 'a' }, target)
    }
    for (const hosts of [
      ['127.0.0.1', '::1'],
      ['127.0.0.8', '127.0.0.9', '::1'],
    ]) {
      const channel = open(t, engine, `several.test:${port}`, { lookup: async () => hosts })
      const call = channel.client(Text).one({ text: 'b' })
      t.same(await call, { text: 'b' })
      t.equal(call.peer, `[::1]:${port}`)
    }
    const dead = open(t, engine, `dead.test:${port}`, { lookup: async () => ['127.0.0.8', '127.0.0.9'] })
    t.match(await rejection(dead.client(Text).one({})), {
      code: 14,
      phase: 'connect',
      details: /\(2 addresses tried\)/,
      cause: { name: 'AggregateError' },
    })
  })
}
