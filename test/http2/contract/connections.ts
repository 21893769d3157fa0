/** The life of a connection: settings, pings, GOAWAY, graceful and sudden ends (RFC 9113 §3.4, §5.4.1, §6.7, §6.8). */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { Http2Connection } from '../../../src/http2/transport.ts'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import {
  addressOf,
  ConnectionRecorder,
  type Engines,
  Pair,
  request,
  response,
  ServerRecorder,
  StreamRecorder,
  startClient,
  startServer,
} from './harness.ts'

const ping = (connection: Http2Connection): Promise<number> =>
  new Promise((resolve, reject) => {
    connection.ping((error, roundTripMs) => (error === undefined ? resolve(roundTripMs) : reject(error)))
  })

export async function connections(t: Test, engines: Engines): Promise<void> {
  await t.test('settings are told before onOpen, and the state follows (RFC 9113 §3.4)', async (t) => {
    const { server, heard } = await startServer(t, engines.server, { streamWindowOctets: 77_777 })
    const client = startClient(t, engines.client, addressOf(server), { streamWindowOctets: 88_888 })
    t.equal(client.connection.state, 'connecting')
    t.equal(client.connection.role, 'client')
    t.equal(client.connection.engine, engines.client.name)
    await client.heard.until(() => client.heard.opened)
    t.strictSame(client.heard.calls, ['settings', 'open'])
    t.equal(client.connection.state, 'open')
    t.equal(client.connection.remoteSettings.initialWindowSize, 77_777)
    t.equal(client.connection.localSettings.initialWindowSize, 88_888)
    const accepted = await heard.connection()
    await accepted.until(() => accepted.opened)
    t.strictSame(accepted.calls, ['settings', 'open'])
    t.equal(accepted.connection?.role, 'server')
    t.equal(accepted.connection?.engine, engines.server.name)
    t.equal(accepted.connection?.remoteSettings.initialWindowSize, 88_888)
    t.equal(client.connection.peer.address, server.address)
    t.match(accepted.connection?.peer.address, /^127\.0\.0\.1:\d+$/)
    t.equal(client.connection.peer.encrypted, false)
    t.equal(client.connection.peer.certificate, undefined)
    t.ok(server.connections.has(accepted.connection as Http2Connection))
  })

  await t.test('ping measures a round trip, from both sides, many at once (RFC 9113 §6.7)', async (t) => {
    const pair = await Pair.start(t, engines)
    const server = (await pair.connection()).connection as Http2Connection
    for (const connection of [pair.client, server]) {
      const times = await Promise.all(Array.from({ length: 50 }, () => ping(connection)))
      t.equal(times.length, 50)
      t.ok(times.every((ms) => ms >= 0))
    }
  })

  await t.test(
    'pings that are open when the connection ends are told so, once; later ones too',
    async (t) => {
      const pair = await Pair.start(t, engines)
      const answers: (Error | undefined)[] = []
      for (let i = 0; i < 20; i++) pair.client.ping((error) => answers.push(error))
      pair.client.destroy()
      t.equal(answers.length, 0)
      await pair.clientHeard.closing()
      t.equal(answers.length, 20)
      t.ok(answers.every((error) => error instanceof Error))
      await t.rejects(ping(pair.client))
    },
  )

  for (const closer of ['client', 'server'] as const) {
    await t.test(
      `close by the ${closer}: open streams finish, no new ones start, both end without error (RFC 9113 §6.8)`,
      async (t) => {
        const pair = await Pair.start(t, engines)
        const { stream, heard, incoming } = await pair.exchange()
        const server = (await pair.connection()).connection as Http2Connection
        const [closing, other] =
          closer === 'client' ? [pair.client, await pair.connection()] : [server, pair.clientHeard]
        closing.close()
        closing.close()
        t.equal(closing.state, 'draining')
        await other.until(() => other.goaway !== undefined)
        t.match(other.goaway, { code: ErrorCode.NO_ERROR })
        t.equal(other.connection?.state, 'draining')
        await ping(other.connection as Http2Connection)

        const late = pair.open()
        late.stream.sendHeaders(request(), true)
        await late.heard.closing()
        t.match(late.heard.error, { name: 'ConnectionError', unprocessed: true })

        stream.sendData(Buffer.from('still '), false)
        stream.sendData(Buffer.from('here'), true)
        await incoming.heard.called('end')
        incoming.stream.sendHeaders(response(), false)
        incoming.stream.sendData(incoming.heard.body, false)
        incoming.stream.sendTrailers(['grpc-status', '0'])
        await heard.closing()
        t.equal(heard.error, undefined)
        t.equal(heard.text, 'still here')
        const serverHeard = await (await pair.connection()).closing()
        await pair.clientHeard.closing()
        t.equal(pair.clientHeard.error, undefined)
        t.equal(serverHeard.error, undefined)
        t.equal(pair.client.state, 'closed')
        t.equal(server.state, 'closed')
        t.equal(pair.server.connections.size, 0)
      },
    )
  }

  await t.test(
    "a request that crosses the server's GOAWAY is served or told as unprocessed (RFC 9113 §6.8)",
    async (t) => {
      const pair = await Pair.start(t, engines, {
        onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
      })
      const server = (await pair.connection()).connection as Http2Connection
      const { stream, heard } = pair.open()
      stream.sendHeaders(request(), true)
      server.close()
      await heard.closing()
      if (heard.error !== undefined) t.match(heard.error, { unprocessed: true })
      else t.equal(heard.headers[1], '200')
      await pair.clientHeard.closing()
      t.equal(pair.clientHeard.error, undefined)
    },
  )

  await t.test('close without streams ends at once', async (t) => {
    const pair = await Pair.start(t, engines)
    const server = await pair.connection()
    pair.client.close()
    await pair.clientHeard.closing()
    await server.closing()
    t.equal(pair.clientHeard.error, undefined)
    t.equal(server.error, undefined)
  })

  for (const destroyer of ['client', 'server'] as const) {
    await t.test(
      `destroy by the ${destroyer}: the other side hears code and reason, streams end, the connection last`,
      async (t) => {
        const pair = await Pair.start(t, engines)
        const { heard, incoming } = await pair.exchange()
        const serverHeard = await pair.connection()
        const server = serverHeard.connection as Http2Connection
        const order: string[] = []
        heard.onClose = (error) => {
          order.push('stream')
          StreamRecorder.prototype.onClose.call(heard, error)
        }
        pair.clientHeard.onClose = (error) => {
          order.push('connection')
          ConnectionRecorder.prototype.onClose.call(pair.clientHeard, error)
        }
        const [destroyed, mine, other, otherStream] =
          destroyer === 'client'
            ? [pair.client, pair.clientHeard, serverHeard, incoming.heard]
            : [server, serverHeard, pair.clientHeard, heard]
        destroyed.destroy(ErrorCode.ENHANCE_YOUR_CALM, 'too_many_pings')
        destroyed.destroy(ErrorCode.INTERNAL_ERROR, 'ignored')
        await pair.clientHeard.closing()
        await serverHeard.closing()
        t.match(other.goaway, { code: ErrorCode.ENHANCE_YOUR_CALM, debugData: 'too_many_pings' })
        t.match(other.error, {
          name: 'ConnectionError',
          code: ErrorCode.ENHANCE_YOUR_CALM,
          initiator: 'peer',
          phase: 'open',
          debugData: 'too_many_pings',
        })
        t.match(other.error?.message, /ENHANCE_YOUR_CALM.*too_many_pings/)
        t.match(mine.error, {
          name: 'ConnectionError',
          code: ErrorCode.ENHANCE_YOUR_CALM,
          initiator: 'local',
        })
        t.match(otherStream.error, { name: 'ConnectionError', code: ErrorCode.ENHANCE_YOUR_CALM })
        t.strictSame(incoming.heard.calls, ['close'], 'half a request is not told as a whole one')
        t.strictSame(order, ['stream', 'connection'])
        t.equal(destroyed.state, 'closed')
      },
    )
  }

  await t.test('destroy with NO_ERROR ends streams with an error and the connection without', async (t) => {
    const pair = await Pair.start(t, engines)
    const { heard } = await pair.exchange()
    pair.client.destroy()
    t.equal(pair.clientHeard.closed, false, 'onClose comes in a later turn')
    await pair.clientHeard.closing()
    t.equal(pair.clientHeard.error, undefined)
    t.match(heard.error, { name: 'ConnectionError', initiator: 'local' })
    const late = pair.open()
    late.stream.sendHeaders(request(), true)
    await late.heard.closing()
    t.match(late.heard.error, { name: 'ConnectionError', unprocessed: true })
    pair.client.close()
    pair.client.destroy()
    pair.client.ref()
    pair.client.unref()
  })

  await t.test('destroy while connecting', async (t) => {
    const { server } = await startServer(t, engines.server)
    const { connection, heard } = startClient(t, engines.client, addressOf(server))
    const stream = new StreamRecorder()
    connection.open(stream).sendHeaders(request(), true)
    connection.destroy()
    await heard.closing()
    t.equal(heard.error, undefined)
    t.strictSame(heard.calls, ['close'])
    t.match(stream.error, { name: 'ConnectionError', unprocessed: true })
  })

  await t.test('a refused connection names phase, address and cause', async (t) => {
    const { server } = await startServer(t, engines.server)
    const address = addressOf(server)
    await server.close()
    const { heard } = startClient(t, engines.client, address)
    await heard.closing()
    t.match(heard.error, { name: 'ConnectionError', phase: 'connect', address: server.address })
    t.match(heard.error?.message, new RegExp(`${server.address}.*refused`))
  })

  await t.test('an address in use is a rejection of listen', async (t) => {
    const { server } = await startServer(t, engines.server)
    await t.rejects(engines.server.listen(addressOf(server), {}, new ServerRecorder()), {
      code: 'EADDRINUSE',
    })
  })

  await t.test('a closed server accepts nobody, and its connections go on', async (t) => {
    const pair = await Pair.start(t, engines)
    await pair.server.close()
    const late = startClient(t, engines.client, addressOf(pair.server))
    await late.heard.closing()
    t.match(late.heard.error, { phase: 'connect' })
    const { stream, heard, incoming } = await pair.exchange()
    stream.sendData(Buffer.from('x'), true)
    incoming.stream.sendHeaders([':status', '200'], true)
    await heard.closing()
    t.equal(heard.error, undefined)
    await pair.server.close()
  })

  await t.test('Unix domain sockets, in the file system and abstract', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'glass-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const paths = [join(folder, 'x.sock')]
    if (process.platform === 'linux')
      paths.push(`\0glass-${process.pid}-${engines.client.name}-${engines.server.name}`)
    for (const path of paths) {
      const pair = await Pair.start(t, engines, { address: { path } })
      const name = path.startsWith('\0') ? `unix-abstract:${path.slice(1)}` : `unix:${path}`
      t.equal(pair.server.address, name)
      t.equal(pair.client.peer.address, name)
      t.equal((await pair.connection()).connection?.peer.address, name)
      const { stream, heard, incoming } = await pair.exchange()
      stream.sendData(Buffer.from('local'), true)
      await incoming.heard.called('end')
      t.equal(incoming.heard.text, 'local')
      incoming.stream.sendHeaders([':status', '200'], true)
      await heard.closing()
    }
  })

  await t.test('IPv6', async (t) => {
    const pair = await Pair.start(t, engines, { address: { host: '::1', port: 0 } })
    t.match(pair.server.address, /^\[::1\]:\d+$/)
    t.match((await pair.connection()).connection?.peer.address, /^\[::1\]:\d+$/)
  })

  await t.test('both ends on a duplex stream handed in', async (t) => {
    const [clientEnd, serverEnd] = duplexPair()
    const serverHeard = new ServerRecorder()
    const accepted = engines.server.acceptOn(serverEnd, {}, serverHeard)
    t.equal(serverHeard.connections.length, 0, 'no listener is called before acceptOn has returned')
    const clientHeard = new ConnectionRecorder()
    const connection = engines.client.connectOn(clientEnd, {}, clientHeard)
    clientHeard.connection = connection
    t.equal(connection.peer.address, 'in-process')
    const heard = new StreamRecorder()
    const stream = connection.open(heard)
    heard.stream = stream
    stream.sendHeaders(request(), false)
    stream.sendData(Buffer.alloc(300_000), true)
    const incoming = await (await serverHeard.connection()).request()
    t.equal(serverHeard.connections[0]?.connection, accepted)
    await incoming.heard.called('end')
    incoming.stream.sendHeaders(response(), false)
    incoming.stream.sendData(incoming.heard.body, false)
    incoming.stream.sendTrailers(['grpc-status', '0'])
    await heard.closing()
    t.equal(heard.sizeOctets, 300_000)
    t.strictSame(heard.trailers, ['grpc-status', '0'])
    connection.close()
    await clientHeard.closing()
    t.equal(clientHeard.error, undefined)
    t.equal((await serverHeard.connections[0]?.closing())?.error, undefined)
  })

  await t.test('a duplex stream that breaks ends the connection with an error', async (t) => {
    const [clientEnd, serverEnd] = duplexPair()
    const serverHeard = new ServerRecorder()
    engines.server.acceptOn(serverEnd, {}, serverHeard)
    const clientHeard = new ConnectionRecorder()
    const connection = engines.client.connectOn(clientEnd, {}, clientHeard)
    await clientHeard.until(() => clientHeard.opened)
    const heard = new StreamRecorder()
    connection.open(heard).sendHeaders(request(), false)
    await (await serverHeard.connection()).request()
    clientEnd.destroy(new Error('cable cut'))
    serverEnd.destroy()
    await clientHeard.closing()
    await serverHeard.connections[0]?.closing()
    t.match(clientHeard.error, { name: 'ConnectionError', phase: 'open' })
    t.match(heard.error, { name: 'ConnectionError' })
  })

  await t.test(
    'an unreferenced connection does not keep the process alive, a referenced one does',
    async (t) => {
      const { server } = await startServer(t, engines.server)
      const { port } = addressOf(server) as { port: number }
      const run = (unref: boolean) =>
        promisify(execFile)(process.execPath, ['--import=tsx', join(import.meta.dirname, 'ref-child.ts')], {
          env: { ...process.env, ENGINE: engines.client.name, PORT: String(port), UNREF: String(unref) },
        })
      t.match((await run(true)).stdout, 'open\n')
      t.equal((await run(false)).stdout, 'open\nstill alive\n')
    },
  )
}
