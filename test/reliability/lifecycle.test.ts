/** Faults of processes, sockets and handlers (RELIABILITY 2.6), on both engines, over real sockets. */
import net from 'node:net'
import t from 'tap'
import { type Channel, connect, Server, StatusError } from '../../src/rpc/index.ts'
import { Status } from '../../src/wire/grpc/status-codes.ts'
import { HpackDecoder } from '../../src/wire/index.ts'
import { Random } from '../rpc/messages/kinds.ts'
import { collect, ENGINES, echo, pair, rejection } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'
import { dataFrame, headersFrame, type RawPeer, rstFrame, Type } from '../support/raw-http2.ts'
import { attack, settled } from './attack.ts'
import { Child } from './child-process.ts'

const STREAMS = 100
const RACES = 5000
/** More resets on one connection would be taken for rapid reset (CVE-2023-44487), and rightly. */
const RACES_PER_CONNECTION = 625

/** Nothing may reach these. */
const escaped: unknown[] = []
process.on('unhandledRejection', (reason) => escaped.push(reason))
process.on('uncaughtException', (error) => escaped.push(error))
t.teardown(() => {
  if (escaped.length > 0) throw escaped[0]
})

const fields = (method: string, ...more: string[]) => [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':path',
  `/test.Text/${method}`,
  ':authority',
  'a',
  'content-type',
  'application/grpc',
  'te',
  'trailers',
  ...more,
]

function message(text = 'x'): Buffer {
  const body = Buffer.from(JSON.stringify({ text }))
  const octets = Buffer.alloc(5 + body.length)
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

/** Opens streams that have got their first message. */
async function openStreams(channel: Channel, count: number) {
  const client = channel.client(Text)
  const calls = Array.from({ length: count }, (_, i) => {
    const call = client.many({ text: String(i) })
    const items = call[Symbol.asyncIterator]()
    return { call, items, first: items.next() }
  })
  await Promise.all(calls.map(({ first }) => first))
  return calls
}

for (const engine of ENGINES) {
  t.test(`${engine}: 76 a server killed under ${STREAMS} open streams; the next one is found`, async (t) => {
    const child = Child.start(t, 'child-server.ts', { ENGINE: engine })
    const address = (await child.line(/^127/))!
    const channel = connect(address, { engine, initialBackoffMs: 20 })
    const calls = await openStreams(channel, STREAMS)
    const ends = calls.map(({ items }) => rejection(items.next()))
    await child.kill()
    for (const error of await Promise.all(ends)) {
      if (!(error instanceof StatusError) || error.code !== Status.UNAVAILABLE) t.fail(String(error))
    }
    t.match(await rejection(channel.client(Text).one({})), { code: Status.UNAVAILABLE })
    const next = Child.start(t, 'child-server.ts', { ENGINE: engine, ADDRESS: address })
    t.equal(await next.line(/^127/), address)
    t.same(await channel.client(Text).one({ text: 'x' }, { waitForReady: true, deadline: 20_000 }), {
      text: 'x',
    })
    await channel.close({ graceMs: 0 })
  })

  t.test(`${engine}: 77 keepalive finds a frozen server (gRFC A8); thawed, it serves again`, async (t) => {
    const child = Child.start(t, 'child-server.ts', { ENGINE: engine })
    const address = (await child.line(/^127/))!
    const channel = connect(address, {
      engine,
      keepaliveTimeMs: 200,
      keepaliveTimeoutMs: 200,
      initialBackoffMs: 20,
    })
    const calls = await openStreams(channel, 10)
    const ends = calls.map(({ items }) => rejection(items.next()))
    child.process.kill('SIGSTOP')
    for (const error of await Promise.all(ends)) {
      t.match(error, { code: Status.UNAVAILABLE, details: /keepalive: no answer to PING within 200 ms/ })
    }
    const waiting = channel.client(Text).one({ text: 'x' }, { waitForReady: true, deadline: 20_000 })
    child.process.kill('SIGCONT')
    t.same(await waiting, { text: 'x' })
    await channel.close({ graceMs: 0 })
  })

  t.test(`${engine}: 78 500 resets in the middle of a message: handlers are told, nothing stays`, (t) => {
    let cancelled = 0
    const play = async ({ raw, running }: { raw: () => Promise<RawPeer>; running: () => number }) => {
      for (let round = 0; round < 5; round++) {
        const peer = await raw()
        for (let i = 0; i < 100; i++) {
          const id = 2 * i + 1
          peer.write(
            headersFrame(id, false, ...fields('Gather')),
            dataFrame(id, false, message().subarray(0, 9)),
          )
        }
        t.ok(await settled(() => running() === 100), `${running()} handlers run`)
        // slowly enough not to be taken for rapid reset
        for (let i = 0; i < 100; i++) peer.write(rstFrame(2 * i + 1, 8))
        t.ok(await settled(() => running() === 0), `${running()} handlers left`)
        peer.socket.destroy()
      }
      t.ok(await settled(() => cancelled === 500), `${cancelled} of 500 were told`)
    }
    return attack(t, engine, play, {
      handlers: {
        async gather(requests, { signal }) {
          signal.addEventListener('abort', () => cancelled++)
          for await (const _ of requests);
          return { text: 'never' }
        },
      },
    })
  })

  t.test(`${engine}: 78 300 sockets reset in the middle of a message`, (t) => {
    let cancelled = 0
    const play = async ({ raw, running }: { raw: () => Promise<RawPeer>; running: () => number }) => {
      for (let i = 0; i < 300; i++) {
        const peer = await raw()
        peer.write(headersFrame(1, false, ...fields('Gather')), dataFrame(1, false, message().subarray(0, 9)))
        if (i % 10 === 9) t.ok(await settled(() => running() > 0 || cancelled > 0))
        ;(peer.socket as net.Socket).resetAndDestroy()
      }
      t.ok(await settled(() => running() === 0), `${running()} handlers left`)
    }
    return attack(t, engine, play, {
      handlers: {
        async gather(requests, { signal }) {
          signal.addEventListener('abort', () => cancelled++)
          for await (const _ of requests);
          return { text: 'never' }
        },
      },
    })
  })

  t.test(`${engine}: 79 a client that half-closes its socket leaves nothing behind`, (t) => {
    let aborted = 0
    const play = async ({ raw, running }: { raw: () => Promise<RawPeer>; running: () => number }) => {
      for (let i = 0; i < 20; i++) {
        const peer = await raw()
        peer.write(headersFrame(1, false, ...fields('One')), dataFrame(1, true, message()))
        t.ok(await settled(() => running() === 1))
        peer.socket.end()
        // our choice: who can't hear the peer's resets and window updates any more ends the call
        t.ok(await settled(() => running() === 0), 'the handler was cancelled')
        await peer.gone()
      }
      t.equal(aborted, 20)
    }
    return attack(t, engine, play, {
      handlers: {
        one: async ({ text = '' }, { signal }) => {
          if (text !== 'x') return { text }
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          aborted++
          return { text }
        },
      },
    })
  })

  t.test(`${engine}: 80, 81 handlers that fail in every way end their call, nothing else`, async (t) => {
    const cyclic: { text: string; self?: unknown } = { text: 'x' }
    cyclic.self = cyclic
    const told: unknown[] = []
    const gone = () => new Promise((resolve) => setTimeout(resolve, 20))
    const ways: Record<string, (call: { sendHeaders(): void; signal: AbortSignal }) => unknown> = {
      'throws at once': () => {
        throw new Error('secret')
      },
      rejects: () => Promise.reject(new Error('secret')),
      'rejects with nothing': () => Promise.reject(undefined),
      'throws text': () => {
        throw 'secret'
      },
      'rejects after headers': async (call) => {
        call.sendHeaders()
        await gone()
        throw new Error('secret')
      },
      'sends headers twice': (call) => {
        call.sendHeaders()
        call.sendHeaders()
        return { text: 'x' }
      },
      'throws a status that is none': () => {
        throw Object.assign(new Error('secret'), { code: 'abc' })
      },
      'throws a status out of range': () => {
        throw Object.assign(new Error('secret'), { code: 99 })
      },
      'throws OK': () => {
        throw Object.assign(new Error('secret'), { code: 0 })
      },
      'returns a cyclic object': () => cyclic,
      'returns nothing': () => undefined,
      'returns what throws when it is read': () => ({
        get text(): string {
          throw new Error('secret')
        },
      }),
      'rejects after the call has ended': async (call) => {
        await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
        await gone()
        throw new Error('secret')
      },
    }
    const { server, client } = await pair(
      t,
      engine,
      {
        ...echo,
        one: ({ text = '' }, call) => (ways[text] === undefined ? { text } : (ways[text](call) as never)),
        async *many({ text = '' }, call) {
          yield { text: 'before' }
          yield (await ways[text]!(call)) as never
        },
        gather: (_, call) => ways['rejects after headers']!(call) as never,
      },
      { server: { onHandlerError: (error) => told.push(error) } },
    )
    for (const name of Object.keys(ways)) {
      const options = { deadline: name.includes('ended') ? 100 : 10_000 }
      const calls = [
        () => client.one({ text: name }, options),
        () => collect(client.many({ text: name }, options)),
      ]
      for (const call of calls) {
        const error = await rejection(call())
        t.ok(error instanceof StatusError, `${name}: ${error}`)
        const { code, details } = error as StatusError
        const codes = name.includes('ended') ? [4] : [2, 13]
        t.ok(codes.includes(code), `${name}: ${code} ${details}`)
        t.notMatch(details, /secret/, 'the text of an exception is not for the peer')
        t.same(await client.one({ text: 'fine' }), { text: 'fine' }, 'served on')
      }
    }
    t.match(await rejection(client.gather([{}, {}])), { code: 2 })
    t.ok(await settled(() => server.runningCalls === 0))
    await gone()
    await gone()
    t.ok(told.length > 0, 'the server may log them')
    t.same(escaped, [])
  })

  t.test(`${engine}: 82 ${RACES} calls race their deadline: each settles once`, async (t) => {
    const random = new Random(82)
    const { server, client, address } = await pair(t, engine, {
      ...echo,
      one: async ({ text = '', count = 0 }) => {
        if (count > 0) await new Promise((resolve) => setTimeout(resolve, count))
        return { text }
      },
    })
    const channels = Array.from({ length: RACES / RACES_PER_CONNECTION }, () => connect(address, { engine }))
    const clients = channels.map((channel) => channel.client(Text))
    await Promise.all(clients.map((client) => client.one({})))
    const settledCount = new Uint8Array(RACES)
    const codes = new Map<number, number>()
    const others: string[] = []
    const pending: Promise<void>[] = []
    for (let i = 0; i < RACES; i++) {
      const client = clients[i % clients.length]!
      const call = client.one({ text: 'x', count: random.below(13) }, { deadline: random.below(13) })
      if (random.below(6) === 0) setTimeout(() => call.cancel(), random.below(13))
      const once = (code: number) => {
        settledCount[i]!++
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      const done = call.then(
        () => once(0),
        (error: StatusError) => {
          once(error.code)
          if (![0, 1, 4].includes(error.code)) others.push(String(error))
        },
      )
      pending.push(
        done,
        Promise.resolve(call.status).then(() => {}),
      )
      if (i % 25 === 24) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(pending)
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.ok(
      settledCount.every((count) => count === 1),
      `each settled once: ${JSON.stringify([...codes])}`,
    )
    t.same(others, [], `OK, CANCELLED or DEADLINE_EXCEEDED: ${JSON.stringify([...codes])}`)
    t.ok(await settled(() => server.runningCalls === 0), `${server.runningCalls} calls left`)
    t.same(await client.one({ text: 'after' }), { text: 'after' })
    await Promise.all(channels.map((channel) => channel.close()))
  })

  t.test(`${engine}: 83 the server ends a call at its deadline by itself`, (t) => {
    const play = async ({ raw, running }: { raw: () => Promise<RawPeer>; running: () => number }) => {
      const peer = await raw()
      peer.frames.length = 0
      peer.write(
        headersFrame(1, false, ...fields('One', 'grpc-timeout', '100m')),
        dataFrame(1, true, message('slow')),
      )
      const { payload } = await peer.frame(Type.HEADERS, 1)
      t.match(new HpackDecoder().decode(payload, 0, payload.length).join(), /grpc-status,4/)
      t.equal(running(), 0)
    }
    return attack(t, engine, play, {
      handlers: {
        one: async ({ text = '' }) => {
          if (text === 'slow') await new Promise((resolve) => setTimeout(resolve, 1000))
          return { text }
        },
      },
    })
  })

  t.test(`${engine}: 84 without free descriptors the server still accepts later (EMFILE)`, async (t) => {
    const LIMIT = 64
    const child = Child.start(t, 'child-server.ts', { ENGINE: engine }, LIMIT)
    const address = await child.line(/^127/)
    t.ok(address, 'it starts with 64 descriptors')
    if (address === undefined) return
    const port = Number(address.split(':')[1])
    const channel = connect(address, { engine, initialBackoffMs: 20 })
    await channel.client(Text).one({ text: 'before' })
    const sockets = Array.from({ length: 2 * LIMIT }, () => {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => {})
      return socket
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    t.same(await channel.client(Text).one({ text: 'still' }, { deadline: 10_000 }), { text: 'still' })
    t.equal(child.exited, false)
    for (const socket of sockets) socket.destroy()
    const fresh = connect(address, { engine, initialBackoffMs: 20 })
    t.same(await fresh.client(Text).one({ text: 'after' }, { waitForReady: true, deadline: 20_000 }), {
      text: 'after',
    })
    await fresh.close({ graceMs: 0 })
    await channel.close({ graceMs: 0 })
  })

  t.test(`${engine}: 85 after closing client and server the process ends by itself`, async (t) => {
    const child = Child.start(t, 'child-exit.ts', { ENGINE: engine })
    t.equal(await child.line(/^closed$/), 'closed')
    await child.ended()
    t.equal(child.code, 0)
    t.comment(`${(child.exitMs - child.lineMs.at(-1)!).toFixed(0)} ms after the close`)
  })

  t.test(`${engine}: 86 shutdown with calls in flight: they finish, new ones go elsewhere`, async (t) => {
    let release: () => void = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const { server, address, channel, client } = await pair(
      t,
      engine,
      {
        one: async ({ text = '' }) => {
          await released
          return { text }
        },
        async *many({ text = '', count = 3 }) {
          for (let index = 0; index < count; index++) {
            yield { text, index }
            if (index === 0) await released
          }
        },
        async gather(requests) {
          const texts: string[] = []
          for await (const { text = '' } of requests) texts.push(text)
          await released
          return { text: texts.join() }
        },
        async *chat(requests) {
          for await (const { text = '' } of requests) yield { text }
          await released
          yield { text: 'last' }
        },
      },
      { channel: { initialBackoffMs: 20 } },
    )
    const inFlight = Array.from({ length: 10 }, (_, i) => [
      client.one({ text: String(i) }),
      collect(client.many({ text: 'm' })),
      client.gather([{ text: 'a' }, { text: 'b' }]),
      collect(client.chat([{ text: 'c' }])),
    ]).flat() as PromiseLike<unknown>[]
    const results = Promise.allSettled(inFlight)
    t.ok(await settled(() => server.runningCalls === 40), `${server.runningCalls} run`)
    const closed = server.close()
    t.ok(await settled(() => channel.state !== 'READY'), 'GOAWAY arrived')
    t.match(await rejection(client.one({})), { code: Status.UNAVAILABLE })
    const next = new Server({ engine }).add(Text, echo)
    await next.listen(address)
    t.same(await client.one({ text: 'elsewhere' }, { waitForReady: true, deadline: 20_000 }), {
      text: 'elsewhere',
    })
    t.equal(server.runningCalls, 40, 'they run on')
    release()
    const failed = (await results).filter(({ status }) => status === 'rejected')
    t.same(failed, [])
    await closed
    await channel.close()
    await next.close()
  })
}
