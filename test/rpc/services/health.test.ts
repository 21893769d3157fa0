import t, { type Test } from 'tap'
import type { EngineName } from '../../../src/http2/transport.ts'
import {
  addHealth,
  connect,
  Health,
  type HealthCheckResponse,
  Server,
  type ServerInterceptor,
  type ServerOptions,
} from '../../../src/rpc/index.ts'
import { ENGINES, echo, rejection } from '../support/pair.ts'
import { Text } from '../support/text-service.ts'

/** A server with a health service, and a client of that. */
async function start(t: Test, engine: EngineName, clientEngine = engine, options: ServerOptions = {}) {
  const server = new Server({ engine, ...options })
  server.add(Text, echo)
  const health = addHealth(server)
  const address = await server.listen('127.0.0.1:0')
  const channel = connect(address, { engine: clientEngine })
  t.teardown(async () => {
    await channel.close({ graceMs: 0 })
    await server.close({ graceMs: 0 })
  })
  return { server, health, address, channel, client: channel.client(Health) }
}

/** The statuses of a watching call, one at a time. */
function watching(call: AsyncIterable<HealthCheckResponse>) {
  const iterator = call[Symbol.asyncIterator]()
  return async () => {
    const { value, done } = await iterator.next()
    return done ? 'the end' : value.status
  }
}

t.test('the status that is set is the status that is got', async (t) => {
  const server = new Server()
  const health = addHealth(server)
  t.throws(() => addHealth(server), { name: 'TypeError', message: /added already/ })
  t.equal(health.get(), 'SERVING')
  t.equal(health.get('test.Text'), undefined)
  server.add(Text, echo)
  t.equal(health.get('test.Text'), 'SERVING', 'services that the server has are known')
  health.set('test.Text', 'UNKNOWN')
  t.equal(health.get('test.Text'), 'UNKNOWN')
  health.set('a part of it', 'NOT_SERVING')
  t.equal(health.get('a part of it'), 'NOT_SERVING')
  for (const wrong of ['SERVICE_UNKNOWN', 'up', 1, undefined]) {
    t.throws(() => health.set('', wrong as never), { name: 'TypeError', message: /is no status/ })
  }
  health.shutDown()
  health.set('', 'SERVING')
  t.equal(health.get(), 'NOT_SERVING')
  t.equal(health.get('test.Text'), 'NOT_SERVING')
  t.equal(health.get('nothing'), undefined)
  await server.close()
})

for (const engine of ENGINES) {
  for (const clientEngine of ENGINES) {
    const name = `${clientEngine} client, ${engine} server`

    t.test(`${name}: Check and List`, async (t) => {
      const { health, client } = await start(t, engine, clientEngine)
      t.strictSame(await client.check({}), { status: 'SERVING' })
      t.strictSame(await client.check({ service: 'test.Text' }), { status: 'SERVING' })
      health.set('test.Text', 'NOT_SERVING')
      t.strictSame(await client.check({ service: 'test.Text' }), { status: 'NOT_SERVING' })
      t.match(await rejection(client.check({ service: 'test.Other' })), {
        code: 5,
        details: 'This server has no service "test.Other"',
      })
      const long = (await rejection(client.check({ service: 'x'.repeat(100_000) }))) as Error
      t.match(long, { code: 5 })
      t.ok(long.message.length < 200)
      t.match(await rejection(client.check({ service: '__proto__' })), { code: 5 })
      t.strictSame((await client.list({})).statuses, {
        '': { status: 'SERVING' },
        'test.Text': { status: 'NOT_SERVING' },
        'grpc.health.v1.Health': { status: 'SERVING' },
      })
    })

    t.test(`${name}: Watch tells the status at once and at each change`, async (t) => {
      const { health, client } = await start(t, engine, clientEngine)
      const call = client.watch({ service: 'test.Text' })
      const next = watching(call)
      t.equal(await next(), 'SERVING')
      const soon = next()
      health.set('', 'NOT_SERVING')
      health.set('test.Text', 'SERVING')
      health.set('test.Text', 'NOT_SERVING')
      t.equal(await soon, 'NOT_SERVING', 'changes of others and no changes are not told')
      health.set('test.Text', 'SERVING')
      t.equal(await next(), 'SERVING')
      call.cancel()
      t.match(await call.status, { code: 1 })
    })

    t.test(`${name}: Watch of a service that is unknown`, async (t) => {
      const { health, client } = await start(t, engine, clientEngine)
      const next = watching(client.watch({ service: 'test.Later' }))
      t.equal(await next(), 'SERVICE_UNKNOWN')
      health.set('test.Later', 'SERVING')
      t.equal(await next(), 'SERVING')
      const call = client.watch({ service: 'x'.repeat(1025) })
      t.match(await call.status, { code: 3, details: /at most 1024 characters, this has 1025/ })
    })

    t.test(`${name}: a server that begins to close says NOT_SERVING, and watches end`, async (t) => {
      const { server, client } = await start(t, engine, clientEngine)
      const calls = ['', 'test.Text', 'unknown'].map((service) => client.watch({ service }))
      const nexts = calls.map(watching)
      t.strictSame(await Promise.all(nexts.map((next) => next())), ['SERVING', 'SERVING', 'SERVICE_UNKNOWN'])
      const closed = server.close()
      t.strictSame(await Promise.all([nexts[0]!(), nexts[1]!()]), ['NOT_SERVING', 'NOT_SERVING'])
      for (const call of calls) {
        t.match(await call.status, { code: 14, details: 'The server is shutting down' })
      }
      await closed
    })
  }

  t.test(`${engine}: shutDown before closing leaves watches open`, async (t) => {
    const { health, client } = await start(t, engine)
    const next = watching(client.watch({}))
    t.equal(await next(), 'SERVING')
    health.shutDown()
    t.equal(await next(), 'NOT_SERVING')
    t.strictSame(await client.check({}), { status: 'NOT_SERVING' }, 'calls are still taken')
  })

  t.test(`${engine}: a watch that is cancelled ends on the server, also through interceptors`, async (t) => {
    let over = 0
    const counting: ServerInterceptor = async function* (incoming, next) {
      try {
        yield* next(incoming)
      } finally {
        over++
      }
    }
    const { client } = await start(t, engine, engine, { interceptors: [counting] })
    for (let i = 0; i < 10; i++) {
      const call = client.watch({})
      for await (const { status } of call) {
        t.equal(status, 'SERVING')
        break
      }
      t.match(await call.status, { code: 1 })
    }
    while (over < 10) await new Promise(setImmediate)
    t.equal(over, 10)
  })

  t.test(`${engine}: who asks after closing began is told at once`, async (t) => {
    const { server, health } = await start(t, engine)
    void server.close()
    let told = 0
    server.onClosing(() => told++)
    t.equal(told, 1, 'who comes late is told at once')
    t.equal(health.get(), 'NOT_SERVING')
  })
}
