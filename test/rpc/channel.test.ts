import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/rpc/channel.ts'
import { Metadata } from '../../src/rpc/metadata.ts'
import { Server } from '../../src/rpc/server.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { VERSION } from '../../src/rpc/version.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

t.test('targets and options that can not be understood are refused at once', async (t) => {
  t.throws(() => connect(''), TypeError)
  t.throws(() => connect('http://localhost:1'), /no http:\/\//)
  t.throws(() => connect('localhost:1', { engine: 'steam' as never }), /there are "node" and "pure"/)
  t.throws(
    () => connect('localhost:1', { compression: 'rot13' }),
    /"rot13" is unknown; there are identity,gzip/,
  )
  t.throws(() => connect('localhost:1').client(Text).one({}, { compression: 'rot13' }), /rot13/)
  t.throws(
    () =>
      connect('localhost:1')
        .client(Text)
        .one({}, { metadata: { te: 'x' } }),
    /written by gRPC/,
  )
})

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

for (const engine of ENGINES) {
  t.test(`${engine}: connectivity`, async (t) => {
    t.test('IDLE until used, READY with a connection, SHUTDOWN after close', async (t) => {
      const { channel, client } = await pair(t, engine)
      t.equal(channel.state, 'IDLE')
      const call = client.one({ text: 'x' })
      t.equal(channel.state, 'CONNECTING')
      await call
      t.equal(channel.state, 'READY')
      await channel.close()
      t.equal(channel.state, 'SHUTDOWN')
      t.match(await rejection(client.one({})), { code: 14, details: 'Channel has been shut down' })
    })

    t.test('ready and stateChange', async (t) => {
      const { channel } = await pair(t, engine)
      const changed = channel.stateChange('IDLE')
      await channel.ready()
      t.equal(await changed, 'CONNECTING')
      t.equal(channel.state, 'READY')
      await channel.ready()
    })

    t.test('a refused connection fails calls at once, with phase, address and cause', async (t) => {
      const port = await freePort()
      const channel = connect(`127.0.0.1:${port}`, { engine })
      t.teardown(() => channel.close())
      const error = (await rejection(channel.client(Text).one({}))) as StatusError
      t.match(error, { code: 14, phase: 'connect', details: /^No connection established\. Last error: / })
      t.match(error.details, new RegExp(`127\\.0\\.0\\.1:${port}`))
      t.match((error.cause as { cause?: unknown }).cause, { code: 'ECONNREFUSED' })
      t.equal(channel.state, 'TRANSIENT_FAILURE')
      const start = Date.now()
      t.match(await rejection(channel.client(Text).one({})), { code: 14 })
      t.ok(Date.now() - start < 500, 'while it pauses, calls fail with the last error')
      t.match(await rejection(channel.ready({ deadline: 30 })), {
        code: 4,
        details: /Failed to connect before the deadline/,
      })
    })

    t.test('waitForReady waits through failures until the server is there', async (t) => {
      const port = await freePort()
      const channel = connect(`127.0.0.1:${port}`, { engine, initialBackoffMs: 20 })
      t.teardown(() => channel.close({ graceMs: 0 }))
      const client = channel.client(Text)
      t.match(await rejection(client.one({}, { waitForReady: true, deadline: 60 })), {
        code: 4,
        details: /waiting for a connection to 127\.0\.0\.1:\d+ \(.*last error: No connection established/,
      })
      const waiting = client.one({ text: 'patience' }, { waitForReady: true })
      const server = new Server({ engine })
      server.add(Text, echo)
      await server.listen(`127.0.0.1:${port}`)
      t.teardown(() => server.close({ graceMs: 0 }))
      t.same(await waiting, { text: 'patience' })
    })

    t.test('a name that can not be resolved', async (t) => {
      const channel = connect('name.invalid:1', {
        engine,
        lookup: () =>
          Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
      })
      t.teardown(() => channel.close())
      t.match(await rejection(channel.client(Text).one({})), {
        code: 14,
        phase: 'resolve',
        details: 'Name resolution failed for target name.invalid:1: getaddrinfo ENOTFOUND',
        cause: { code: 'ENOTFOUND' },
      })
    })

    t.test('a name with several addresses: the first that answers', async (t) => {
      const { address } = await pair(t, engine)
      const port = address.split(':').at(-1)
      const channel = connect(`several.example:${port}`, {
        engine,
        lookup: async () => ['127.0.0.9', '::1', '127.0.0.1'],
      })
      t.teardown(() => channel.close())
      const call = channel.client(Text).one({ text: 'x' })
      t.same(await call, { text: 'x' })
      t.equal(call.peer, address)
    })

    t.test('reconnects after the server was gone and came back', async (t) => {
      const port = await freePort()
      const first = new Server({ engine })
      first.add(Text, echo)
      await first.listen(`127.0.0.1:${port}`)
      const channel = connect(`127.0.0.1:${port}`, { engine, initialBackoffMs: 20 })
      t.teardown(() => channel.close({ graceMs: 0 }))
      const client = channel.client(Text)
      await client.one({})
      await first.close({ graceMs: 0 })
      const second = new Server({ engine })
      second.add(Text, echo)
      await second.listen(`127.0.0.1:${port}`)
      t.teardown(() => second.close({ graceMs: 0 }))
      t.same(await client.one({ text: 'again' }, { waitForReady: true }), { text: 'again' })
    })

    t.test('unix sockets', async (t) => {
      const path = join(tmpdir(), `glass-${process.pid}-${engine}.sock`)
      const server = new Server({ engine })
      server.add(Text, echo)
      t.equal(await server.listen(`unix:${path}`), `unix:${path}`)
      const channel = connect(`unix:${path}`, { engine })
      t.teardown(async () => {
        await channel.close()
        await server.close()
      })
      t.same(await channel.client(Text).one({ text: 'x' }), { text: 'x' })
    })

    t.test('close waits for calls that run; graceMs cuts them', async (t) => {
      const { channel, client } = await pair(t, engine, {
        one: async ({ text = '' }) => {
          await new Promise((resolve) => setTimeout(resolve, text === 'slow' ? 60_000 : 30))
          return { text }
        },
      })
      const call = client.one({ text: 'x' })
      await channel.ready()
      let closed = false
      const closing = channel.close().then(() => {
        closed = true
      })
      t.same(await call, { text: 'x' })
      t.equal(closed, false)
      await closing
      const other = await pair(t, engine, { one: () => new Promise(() => {}) })
      const hanging = rejection(other.client.one({}))
      await other.channel.ready()
      await other.channel.close({ graceMs: 10 })
      t.match(await hanging, { code: 1, details: 'Cancelled: the channel was closed' })
    })

    t.test('goes idle without calls, and comes back', async (t) => {
      const { channel, client } = await pair(t, engine, echo, { channel: { idleTimeoutMs: 20 } })
      await client.one({})
      t.equal(await channel.stateChange('READY'), 'IDLE')
      await client.one({})
      t.equal(channel.state, 'READY')
    })

    t.test('await using closes at once', async (t) => {
      const { address } = await pair(t, engine, {
        many: async function* () {
          for (;;) yield { text: 'x' }
        },
      })
      let state: string
      let call: AsyncIterable<unknown>
      {
        await using channel = connect(address, { engine })
        call = channel.client(Text).many({})
        await channel.ready()
        state = channel.state
      }
      t.equal(state, 'READY')
      t.match(await rejection(collect(call)), { code: 1 })
    })

    t.test(
      'one user-agent: the library, before it what channel or call say, or what is handed on',
      async (t) => {
        const own = `grpc-glass/${VERSION}`
        const { client, address } = await pair(t, engine, {
          one: (_, call) => ({ text: call.metadata.getAll('user-agent').join('|') }),
        })
        t.same(await client.one({}), { text: own })
        const metadata = new Metadata({ 'user-agent': 'shop/1', 'x-a': '1' })
        t.same(await client.one({}, { metadata }), { text: `shop/1 ${own}` })
        t.equal(metadata.get('user-agent'), 'shop/1', 'what the caller gave is not changed')
        await using named = connect(address, { engine, userAgent: 'till/2', compression: 'gzip' })
        const till = named.client(Text)
        t.same(await till.one({}), { text: `till/2 ${own}` })
        t.same(await till.one({}, { compression: 'identity' }), { text: `till/2 ${own}` })
        t.same(await till.one({}, { metadata: { 'user-agent': ['a', 'b'] } }), { text: `a b ${own}` })

        const proxy = await pair(t, engine, {
          one: (request, { metadata }) => client.one(request, { metadata }),
        })
        t.same(await proxy.client.one({}), { text: `${own} ${own}` }, 'metadata can be handed on as it came')
      },
    )

    t.test('defaultDeadlineMs, and the deadline text', async (t) => {
      const { client, address } = await pair(
        t,
        engine,
        { one: () => new Promise(() => {}) },
        { channel: { defaultDeadlineMs: 40 } },
      )
      const error = (await rejection(client.one({}))) as StatusError
      t.ok(error instanceof StatusError)
      t.match(
        error.message,
        new RegExp(
          `^4 DEADLINE_EXCEEDED: (Deadline exceeded after 0\\.040s,remote_addr=${address}|Deadline exceeded)`,
        ),
      )
    })
  })
}
