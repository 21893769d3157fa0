/** Keepalive, too many pings, and the age of connections (gRFC A8, A9). Tells what happens, not how soon. */
import type { Test } from 'tap'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import {
  ACK,
  frame,
  greetAsServer,
  type RawPeer,
  RawServer,
  rawClient,
  Type,
} from '../../support/raw-http2.ts'
import {
  addressOf,
  type Engines,
  Pair,
  request,
  StreamRecorder,
  startClient,
  startServer,
} from './harness.ts'

const pings = (peer: RawPeer) =>
  peer.frames.filter(({ type, flags }) => type === Type.PING && (flags & ACK) === 0)
const PING = frame(Type.PING, 0, 0, Buffer.alloc(8))
const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Answers the PINGs of a peer from now on. */
async function answerPings(peer: RawPeer): Promise<void> {
  for (let answered = 0; ; answered++) {
    const ping = await Promise.race([peer.until(() => pings(peer)[answered]), peer.gone()])
    if (ping === undefined) return
    peer.write(frame(Type.PING, ACK, 0, ping.payload))
  }
}

export async function lifetime(t: Test, engines: Engines): Promise<void> {
  await t.test('gRFC A8: a silent server is pinged, and given up without an answer', async (t) => {
    const server = await RawServer.start((peer) => void greetAsServer(peer))
    t.teardown(() => server.close())
    const { connection, heard } = startClient(t, engines.client, server.address, {
      keepaliveTimeMs: 60,
      keepaliveTimeoutMs: 60,
    })
    await heard.until(() => heard.opened)
    await turn(200)
    t.equal(pings(server.peers[0]!).length, 0, 'no ping without streams')
    const stream = new StreamRecorder()
    connection.open(stream).sendHeaders(request(), true)
    await stream.closing()
    t.match(stream.error, { phase: 'open', initiator: 'local', section: 'gRFC A8' })
    t.match(stream.error?.message, /keepalive: no answer to PING within 60 ms/)
    t.match((await heard.closing()).error?.message, /keepalive/)
    t.ok(pings(server.peers[0]!).length >= 1)
    await server.peers[0]!.gone()
  })

  await t.test('gRFC A8: who answers lives; pings without streams only if asked for', async (t) => {
    const server = await RawServer.start((peer) => {
      void greetAsServer(peer).then(() => answerPings(peer))
    })
    t.teardown(() => server.close())
    const { heard } = startClient(t, engines.client, server.address, {
      keepaliveTimeMs: 20,
      keepaliveTimeoutMs: 2000,
      keepaliveWithoutCalls: true,
    })
    await heard.until(() => heard.opened)
    await server.peers[0]!.until(() => (pings(server.peers[0]!).length >= 3 ? true : undefined))
    t.notOk(heard.closed)
  })

  await t.test('gRFC A9: a server pings too, and gives up a client that does not answer', async (t) => {
    const { server, heard } = await startServer(t, engines.server, {
      keepaliveTimeMs: 60,
      keepaliveTimeoutMs: 60,
      keepaliveWithoutCalls: true,
    })
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    t.teardown(() => peer.socket.destroy())
    await peer.gone()
    t.ok(pings(peer).length >= 1)
    const connection = await heard.connection()
    t.match((await connection.closing()).error?.message, /keepalive/)
  })

  await t.test('gRFC A9: the third ping that comes too early ends the connection', async (t) => {
    const { server, heard } = await startServer(t, engines.server, { minPingIntervalMs: 10_000 })
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    t.teardown(() => peer.socket.destroy())
    peer.write(PING, PING, PING)
    await turn(50)
    t.notOk(
      peer.frames.some(({ type }) => type === Type.GOAWAY),
      'the first one and two strikes',
    )
    peer.write(PING)
    const goaway = await peer.frame(Type.GOAWAY)
    t.equal(goaway.payload.readUInt32BE(4), ErrorCode.ENHANCE_YOUR_CALM)
    t.equal(goaway.payload.subarray(8).toString(), 'too_many_pings')
    await (await heard.connection()).closing()
    await peer.gone()
  })

  await t.test('gRFC A9: pings after HEADERS or DATA of the server are forgiven', async (t) => {
    const pair = await Pair.start(t, engines, {
      server: { minPingIntervalMs: 10_000 },
      onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
    })
    for (let i = 0; i < 6; i++) {
      await new Promise<void>((resolve) => pair.client.ping(() => resolve()))
      const stream = new StreamRecorder()
      const opened = pair.client.open(stream)
      stream.stream = opened
      opened.sendHeaders(request(), true)
      await stream.closing()
      t.equal(stream.error, undefined)
    }
    t.equal(pair.client.state, 'open')
  })

  await t.test('gRFC A9: maximum age drains, grace cuts', async (t) => {
    const pair = await Pair.start(t, engines, {
      server: { maxConnectionAgeMs: 100, maxConnectionAgeGraceMs: 100 },
    })
    const stream = new StreamRecorder()
    pair.client.open(stream).sendHeaders(request(), false)
    await pair.request()
    await pair.clientHeard.until(() => pair.clientHeard.goaway !== undefined)
    t.match(pair.clientHeard.goaway, { code: ErrorCode.NO_ERROR })
    await stream.closing()
    t.ok(stream.error, 'cut after the grace')
    await pair.clientHeard.closing()
  })

  await t.test('gRFC A9: maximum age lets a call finish', async (t) => {
    const pair = await Pair.start(t, engines, { server: { maxConnectionAgeMs: 50 } })
    const stream = new StreamRecorder()
    pair.client.open(stream).sendHeaders(request(), true)
    const incoming = await pair.request()
    await pair.clientHeard.until(() => pair.clientHeard.goaway !== undefined)
    incoming.stream.sendHeaders([':status', '200'], true)
    await stream.closing()
    t.equal(stream.error, undefined)
    await pair.clientHeard.closing()
  })

  await t.test('gRFC A9: an idle connection is drained, one with streams is not', async (t) => {
    const pair = await Pair.start(t, engines, { server: { maxConnectionIdleMs: 80 } })
    const stream = new StreamRecorder()
    pair.client.open(stream).sendHeaders(request(), true)
    const incoming = await pair.request()
    await turn(250)
    t.equal(pair.clientHeard.goaway, undefined)
    incoming.stream.sendHeaders([':status', '200'], true)
    await stream.closing()
    t.equal(stream.error, undefined)
    await pair.clientHeard.closing()
    t.match(pair.clientHeard.goaway, { code: ErrorCode.NO_ERROR })
  })
}
