import { createServer, connect as dial, type Server as NetServer, type Socket } from 'node:net'
import t from 'tap'
import { connect, type EngineName, loadProto, Server, servicesOf } from '../../src/index.ts'
import type { InspectEvent, Sender } from '../../src/inspect/events.ts'
import { schemaOf } from '../../src/inspect/schema.ts'
import { TapProxy } from '../../src/inspect/tap-proxy.ts'
import { CONNECTION_PREFACE, recordValue } from '../../src/wire/index.ts'

/** A TCP server for one test. */
async function listen(
  t: { teardown(end: () => unknown): void },
  onSocket: (socket: Socket) => void,
): Promise<number> {
  const server: NetServer = createServer({ allowHalfOpen: true }, onSocket)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as { port: number }).port
}

/** Everything a socket sends until it ends. */
async function drain(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1))

t.test('octets go through unchanged, in both directions, half-closed in order', async (t) => {
  const port = await listen(t, (socket) => socket.pipe(socket))
  const seen: Record<Sender, Buffer[]> = { client: [], server: [] }
  const tap = new TapProxy({
    target: { host: '127.0.0.1', port },
    onOctets: (_connection, sender, octets) => seen[sender].push(Buffer.from(octets)),
  })
  t.teardown(() => tap.close())
  const octets = Buffer.alloc(3_000_000, 'grpc')
  const socket = dial({ port: portOf(await tap.listen()), host: '127.0.0.1', allowHalfOpen: true })
  socket.end(octets)
  const echoed = await drain(socket)
  t.ok(echoed.equals(octets), 'forwarded, slower than it was written')
  t.ok(Buffer.concat(seen.client).equals(octets))
  t.ok(Buffer.concat(seen.server).equals(octets))
})

t.test('a connection that is cut on one side is cut on the other', async (t) => {
  const port = await listen(t, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.resetAndDestroy())
  })
  const events: InspectEvent[] = []
  const tap = new TapProxy({ target: { host: '127.0.0.1', port }, onEvent: (event) => events.push(event) })
  t.teardown(() => tap.close())
  const socket = dial({ port: portOf(await tap.listen()), host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write(CONNECTION_PREFACE)
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  while (events.filter(({ type }) => type === 'end').length < 2 || tap.openConnections > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.match(events[0], { type: 'preface', sender: 'client', connection: 1 })
  t.match(
    events.filter(({ type }) => type === 'end').find(({ sender }) => sender === 'server'),
    { error: /ECONNRESET/ },
  )
})

t.test('a target that refuses closes the client', async (t) => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as { port: number }
  await new Promise((resolve) => closed.close(resolve))
  const tap = new TapProxy({ target: { host: '127.0.0.1', port } })
  t.teardown(() => tap.close())
  const socket = dial({ port: portOf(await tap.listen()), host: '127.0.0.1' })
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  t.pass('closed')
})

t.test('connections are bounded', async (t) => {
  const port = await listen(t, (socket) => socket.pipe(socket))
  const tap = new TapProxy({ target: { host: '127.0.0.1', port }, maxConnections: 1 })
  t.teardown(() => tap.close())
  const tapPort = portOf(await tap.listen())
  const first = dial({ port: tapPort, host: '127.0.0.1' })
  first.write('x')
  await new Promise((resolve) => first.once('data', resolve))
  t.equal(tap.openConnections, 1)
  const second = dial({ port: tapPort, host: '127.0.0.1' })
  second.on('error', () => {})
  await new Promise<void>((resolve) => second.once('close', () => resolve()))
  first.destroy()
  while (tap.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const third = dial({ port: tapPort, host: '127.0.0.1' })
  third.write('y')
  t.equal(String(await new Promise((resolve) => third.once('data', resolve))), 'y')
  third.destroy()
})

t.test('only loopback addresses', async (t) => {
  const target = { host: '127.0.0.1', port: 1 }
  t.throws(() => new TapProxy({ target, host: '0.0.0.0' }), TypeError)
  t.throws(() => new TapProxy({ target, host: '::' }), TypeError)
  const tap = new TapProxy({ target, host: '127.0.0.1' })
  await tap.close()
  const port = await listen(t, () => {})
  await t.rejects(new TapProxy({ target, port }).listen(), { code: 'EADDRINUSE' })
})

for (const engine of ['node', 'pure'] as const satisfies EngineName[]) {
  t.test(`real calls of the ${engine} engine, named by their schema`, async (t) => {
    const proto = await loadProto(new URL('../../proto/helloworld.proto', import.meta.url).pathname)
    const server = new Server({ engine })
    server.add(proto.helloworld.Greeter, {
      async sayHello({ name }: { name: string }) {
        return { message: `Hello ${name}` }
      },
      async *sayHellos({ name }: { name: string }) {
        for (let i = 0; i < 3; i++) yield { message: `${name} ${i}` }
      },
    })
    const address = await server.listen('127.0.0.1:0')
    const events: InspectEvent[] = []
    const tap = new TapProxy({
      target: { host: '127.0.0.1', port: portOf(address) },
      schema: schemaOf(servicesOf(proto)),
      onEvent: (event) => events.push(event),
    })
    const channel = connect(await tap.listen(), { engine })
    const greeter = channel.client(proto.helloworld.Greeter)
    t.same(await greeter.sayHello({ name: '대한민국' }), { message: 'Hello 대한민국' })
    const got = []
    for await (const reply of greeter.sayHellos({ name: 'x' })) got.push(reply)
    t.equal(got.length, 3)
    await channel.close()
    await server.close()
    await tap.close()
    const errors = events.filter((event) => event.type === 'error')
    t.same(errors, [])
    const messages = events.filter((event) => event.type === 'message')
    t.same(
      messages.map(({ sender, typeName, scan }) => [sender, typeName, recordValue(scan!.records[0]!)]),
      [
        ['client', 'helloworld.HelloRequest', '대한민국'],
        ['server', 'helloworld.HelloReply', 'Hello 대한민국'],
        ['client', 'helloworld.HelloRequest', 'x'],
        ['server', 'helloworld.HelloReply', 'x 0'],
        ['server', 'helloworld.HelloReply', 'x 1'],
        ['server', 'helloworld.HelloReply', 'x 2'],
      ],
    )
    t.match(
      events.filter((event) => event.type === 'status'),
      [{ code: 0 }, { code: 0 }],
    )
    const paths = events
      .filter((event) => event.type === 'fields')
      .filter(({ section }) => section === 'request')
      .map(({ fields }) => fields[fields.indexOf(':path') + 1])
    t.same(paths, ['/helloworld.Greeter/SayHello', '/helloworld.Greeter/SayHellos'])
  })
}
