/** GOAWAY, graceful shutdown, errors and time limits under a virtual clock (RFC 9113 §5.4, §6.8; gRFC A8, A9). */
import t from 'tap'
import { CONNECTION_PREFACE } from '../../../src/wire/frame/connection-preface.ts'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import {
  CoreDialogue,
  data,
  GET,
  goaway,
  OK,
  POST,
  ping,
  settings,
  settingsAck,
  windowUpdate,
} from './support/core-dialogue.ts'

t.test(
  "RFC 9113 §6.8: the peer's GOAWAY: what it has not seen ends as unprocessed, the rest goes on",
  async (t) => {
    const client = CoreDialogue.client({}, [[3, 2]])
    const calls = [client.open(), client.open(), client.open()]
    for (const { stream } of calls) stream.sendHeaders(GET, true)
    client.said()
    client.hear(goaway(1, ErrorCode.NO_ERROR, 'bye'))
    t.strictSame(client.events, ['open', 'goaway NO_ERROR 1 bye'])
    t.equal(client.core.life.state, 'draining')
    t.match(calls[1]!.log.error, { unprocessed: true, message: /GOAWAY NO_ERROR.*did not process.*bye/ })
    t.match(calls[2]!.log.error, { unprocessed: true }, 'one that waited')
    const late = client.open()
    late.stream.sendHeaders(GET, true)
    client.core.turn()
    t.match(late.log.error, { unprocessed: true })
    t.equal(calls[0]!.log.closed, false)
    client.hear(client.headers(1, OK, true))
    t.equal(calls[0]!.log.error, undefined)
    t.equal(client.core.finished, true)
    t.match(client.said(), [/GOAWAY connection NO_ERROR/])
    client.gone()
    t.equal(client.closeError, undefined)
  },
)

t.test('RFC 9113 §6.8: two GOAWAY frames, the second with the real last stream', async (t) => {
  const client = CoreDialogue.client()
  const calls = [client.open(), client.open()]
  for (const { stream } of calls) stream.sendHeaders(GET, true)
  client.hear(goaway(0x7fffffff))
  t.equal(calls[1]!.log.closed, false)
  client.hear(goaway(1))
  t.match(calls[1]!.log.error, { unprocessed: true })
  t.equal(calls[0]!.log.closed, false)
  client.hear(goaway(5))
  t.equal(client.events.length, 3, 'an identifier that grows tells nothing new')
})

t.test('RFC 9113 §6.8: GOAWAY with an error is why the connection ends', async (t) => {
  const client = CoreDialogue.client()
  const call = client.open()
  call.stream.sendHeaders(GET, true)
  client.hear(goaway(1, ErrorCode.ENHANCE_YOUR_CALM, 'too_many_pings'))
  client.gone()
  t.match(client.closeError, {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    initiator: 'peer',
    debugData: 'too_many_pings',
  })
  t.match(call.log.error, { code: ErrorCode.ENHANCE_YOUR_CALM, unprocessed: false })
})

t.test('RFC 9113 §6.8: debug data is text, cut to 1024 characters', async (t) => {
  const client = CoreDialogue.client()
  client.hear(goaway(0, ErrorCode.INTERNAL_ERROR, 'x'.repeat(5000)))
  t.equal(client.events.at(-1)!.length, 'goaway INTERNAL_ERROR 0 '.length + 1024)
})

t.test('RFC 9113 §6.8: a server ends in two steps: what the client sent in between is served', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST))
  server.core.life.close()
  server.core.life.close()
  const said = server.saidFrames()
  t.match(said, [
    { kind: 'GOAWAY', lastStreamId: 0x7fffffff, code: 0 },
    { kind: 'PING', ack: false },
  ])
  server.hear(server.headers(3, GET, true))
  t.equal(server.requests.length, 2)
  const { data: octets } = said[1] as { data: Uint8Array }
  server.hear(ping(true, octets))
  t.strictSame(server.said(), ['GOAWAY connection NO_ERROR, last stream 3'])
  server.hear(server.headers(5, GET, true))
  t.equal(server.requests.length, 2, 'after the second it is dropped')
  for (const { stream } of server.requests) stream.sendHeaders(OK, true)
  server.hear(data(1, 0, true))
  t.equal(server.core.finished, true)
  server.said()
  server.gone()
  t.strictSame(server.events, ['open', 'close'])
})

t.test('a graceful shutdown does not wait for a peer that answers no PING', async (t) => {
  const server = CoreDialogue.server()
  server.core.life.close()
  server.said()
  server.pass(999)
  t.equal(server.core.finished, false)
  server.pass(1)
  t.strictSame(server.said(), ['GOAWAY connection NO_ERROR, last stream 0'])
  t.equal(server.core.finished, true)
})

t.test('close by a client: open streams finish, none starts', async (t) => {
  const client = CoreDialogue.client({}, [[3, 1]])
  const [first, waiting] = [client.open(), client.open()]
  first.stream.sendHeaders(GET, true)
  waiting.stream.sendHeaders(GET, true)
  client.said()
  client.core.life.close()
  t.strictSame(client.said(), ['GOAWAY connection NO_ERROR, last stream 0'])
  t.match(waiting.log.error, { unprocessed: true, initiator: 'local' })
  client.hear(client.headers(1, OK, true))
  t.equal(first.log.error, undefined)
  t.equal(client.core.finished, true)
})

t.test('close before the connection is open ends it at once', async (t) => {
  const client = new CoreDialogue('client')
  client.core.life.close()
  t.equal(client.core.finished, true)
  client.gone()
  t.strictSame(client.events, ['close'])
})

t.test('destroy: code and reason go out, streams end, pings fail', async (t) => {
  const client = CoreDialogue.client()
  const call = client.open()
  call.stream.sendHeaders(GET, true)
  const results: unknown[] = []
  client.core.ping((error) => results.push(error))
  client.said()
  client.core.life.destroy(ErrorCode.INTERNAL_ERROR, 'because')
  client.core.life.destroy(ErrorCode.CANCEL, 'twice')
  t.strictSame(client.said(), ['GOAWAY connection INTERNAL_ERROR, last stream 0, "because"'])
  t.match(call.log.error, { initiator: 'local', code: ErrorCode.INTERNAL_ERROR, message: /because/ })
  t.strictSame(results, [])
  client.gone()
  t.match(results, [{ name: 'ConnectionError' }])
  t.match(client.closeError, { code: ErrorCode.INTERNAL_ERROR })
  client.core.ping((error) => results.push(error))
  client.core.tellEnd()
  t.equal(results.length, 2, 'a ping after the end fails too')
})

t.test('pings: the round trip, an answer to nothing, pings before the connection is open', async (t) => {
  const client = new CoreDialogue('client')
  const results: [unknown, number][] = []
  client.core.ping((error, ms) => results.push([error, ms]))
  t.notOk(client.said().some((line) => line.startsWith('PING')))
  client.hear(settings(), settingsAck())
  const [sent] = client.saidFrames().filter((frame) => frame.kind === 'PING') as { data: Uint8Array }[]
  client.nowMs += 25
  client.hear(ping(true, Buffer.from('whatever')), ping(true, sent!.data), ping(true, sent!.data))
  t.strictSame(results, [[undefined, 25]])
  client.core.ping(() => {
    throw new Error('of the caller')
  })
  const [second] = client.saidFrames() as { data: Uint8Array }[]
  t.doesNotThrow(() => client.hear(ping(true, second!.data)))
  t.equal(client.core.finished, false)
})

t.test('a lost socket: every stream hears why', async (t) => {
  const cases: [string, (c: CoreDialogue) => void, RegExp][] = [
    ['closed', (c) => c.gone(), /the peer closed the connection/],
    ['half-closed', (c) => c.core.receiveEnd(c.nowMs), /the peer closed the connection/],
    [
      'reset',
      (c) => c.gone(Object.assign(new Error('x'), { code: 'ECONNRESET' })),
      /the peer reset the connection/,
    ],
    ['other', (c) => c.gone(new Error('cable cut')), /cable cut/],
  ]
  for (const [name, act, says] of cases) {
    const client = CoreDialogue.client({}, [[3, 1]])
    const calls = [client.open(), client.open()]
    for (const { stream } of calls) stream.sendHeaders(GET, true)
    act(client)
    client.gone()
    t.match(calls[0]!.log.error, { initiator: 'peer', unprocessed: false, message: says }, name)
    t.match(calls[1]!.log.error, { unprocessed: true, message: says }, name)
    t.match(client.closeError, { phase: 'open', message: says }, name)
    t.equal(client.events.at(-1), 'close NO_ERROR')
  }
})

t.test('a connection error: GOAWAY says what came and what was allowed (RFC 9113 §5.4.1)', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST))
  server.hear(Buffer.from([0, 0, 3, 8, 0, 0, 0, 0, 1, 0, 0, 1]))
  t.match(server.goaway(), /FRAME_SIZE_ERROR, last stream 1, .*WINDOW_UPDATE is 3 octets, allowed are 4/)
  t.match(server.requests[0]!.log.error, { code: ErrorCode.FRAME_SIZE_ERROR, section: 'RFC 9113 §6.9' })
  server.hear(ping())
  t.strictSame(server.said(), [], 'nothing is read any more')
  server.gone()
  t.match(server.closeError, { code: ErrorCode.FRAME_SIZE_ERROR, phase: 'open' })
})

t.test('a HPACK error ends the connection with COMPRESSION_ERROR (RFC 9113 §4.3)', async (t) => {
  const server = CoreDialogue.server()
  server.hear({
    kind: 'HEADERS',
    streamId: 1,
    endStream: true,
    endHeaders: true,
    fragment: Buffer.from([0xff, 0x80, 0x01]),
  })
  t.match(server.goaway(), /COMPRESSION_ERROR/)
})

t.test('first octets that are no HTTP/2 are named, and HTTP/1.1 is answered in its words', async (t) => {
  const server = new CoreDialogue('server')
  server.hearOctets(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'))
  t.match(server.takeOctets().toString(), /^HTTP\/1\.1 505 .*\r\n\r\nThis port speaks HTTP\/2/s)
  server.gone()
  t.match(server.closeError, { phase: 'settings', message: /HTTP\/1.1 request \(`GET \/ HTTP\/1.1`\)/ })
  const tls = new CoreDialogue('server')
  tls.hearOctets(Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 1]))
  tls.gone()
  t.match(tls.closeError?.message, /speaks TLS/)
  const garbage = new CoreDialogue('server')
  garbage.hearOctets(Buffer.concat([CONNECTION_PREFACE.subarray(0, 20), Buffer.from('????')]))
  t.match(garbage.goaway(), /PROTOCOL_ERROR/)
  const client = new CoreDialogue('client')
  client.hearOctets(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
  client.gone()
  t.match(client.closeError?.message, /answered in HTTP\/1.1: `HTTP\/1.1 400 Bad Request`/)
})

t.test('RFC 9113 §10.5: a slow preface', async (t) => {
  const server = new CoreDialogue('server', { handshakeTimeoutMs: 500 })
  server.hearOctets(CONNECTION_PREFACE.subarray(0, 10))
  server.pass(499)
  t.equal(server.core.finished, false)
  server.pass(1)
  t.match(server.goaway(), /SETTINGS_TIMEOUT.*no connection preface within 500 ms/)
  const client = new CoreDialogue('client')
  client.pass(20_000)
  client.gone()
  t.match(client.closeError?.message, /no SETTINGS within 20000 ms/)
})

t.test('RFC 9113 §6.5.3: SETTINGS that are never acknowledged', async (t) => {
  const server = new CoreDialogue('server')
  server.hear(CONNECTION_PREFACE, settings())
  server.pass(9_999)
  t.equal(server.core.finished, false)
  server.pass(1)
  t.match(server.goaway(), /SETTINGS_TIMEOUT.*not acknowledged within 10000 ms/)
})

t.test('RFC 9113 §10.5: slow headers', async (t) => {
  const server = CoreDialogue.server()
  server.hear({
    kind: 'HEADERS',
    streamId: 1,
    endStream: true,
    endHeaders: false,
    fragment: Buffer.from([0x82]),
  })
  for (let n = 0; n < 9; n++) {
    server.pass(1000)
    server.hear({ kind: 'CONTINUATION', streamId: 1, endHeaders: false, fragment: Buffer.from([0x84]) })
  }
  t.equal(server.core.finished, false)
  server.pass(1000)
  t.match(server.goaway(), /ENHANCE_YOUR_CALM.*field block was not complete within 10000 ms/)
})

t.test('RFC 9113 §10.5: a zero-window stall ends the stream, and only if nothing moves', async (t) => {
  const server = CoreDialogue.server({ stallTimeoutMs: 1000 }, [[4, 0]])
  server.hear(server.headers(1, GET, true), server.headers(3, GET, true))
  for (const { stream } of server.requests) {
    stream.sendHeaders(OK, false)
    stream.sendData(Buffer.alloc(100), true)
  }
  for (let n = 0; n < 5; n++) {
    server.pass(400)
    server.hear(windowUpdate(3, 1))
  }
  const said = server.said()
  t.ok(said.includes('RST_STREAM stream 1 CANCEL'))
  t.notOk(said.includes('RST_STREAM stream 3 CANCEL'))
  t.match(
    server.requests[0]!.log.error?.message,
    /100 octets of DATA could not be sent for 1000 ms.*stallTimeoutMs/,
  )
  server.pass(1000)
  t.strictSame(server.said(), ['RST_STREAM stream 3 CANCEL'])
  t.equal(server.core.nextTimeoutMs(), Number.POSITIVE_INFINITY, 'nothing left to watch')
})

t.test('gRFC A8: keepalive of a client: silence, PING, no answer, end', async (t) => {
  const client = CoreDialogue.client({ keepaliveTimeMs: 1000, keepaliveTimeoutMs: 300 })
  client.pass(100_000)
  t.strictSame(client.said(), [], 'no pings without streams')
  const call = client.open()
  call.stream.sendHeaders(GET, true)
  client.said()
  client.pass(999)
  t.strictSame(client.said(), [])
  client.pass(1)
  const [sent] = client.saidFrames() as { kind: string; data: Uint8Array }[]
  t.equal(sent!.kind, 'PING')
  client.pass(200)
  client.hear(ping(true, sent!.data))
  client.pass(1000)
  t.match(client.said(), [/^PING/])
  client.pass(300)
  t.match(client.goaway(), /GOAWAY connection NO_ERROR/)
  client.gone()
  t.match(call.log.error?.message, /keepalive: no answer to PING within 300 ms/)
})

t.test('gRFC A9: too many pings end with ENHANCE_YOUR_CALM and too_many_pings', async (t) => {
  const server = CoreDialogue.server({ minPingIntervalMs: 1000 })
  server.hear(server.headers(1, POST))
  for (let n = 0; n < 3; n++) server.hear(ping())
  t.equal(server.core.finished, false)
  server.hear(ping())
  t.match(server.goaway(), /ENHANCE_YOUR_CALM, last stream 1, "too_many_pings"/)
  server.gone()
  t.match(server.closeError?.message, /too many pings, allowed is one in 1000 ms/)
  const busy = CoreDialogue.server({ minPingIntervalMs: 1000 })
  busy.hear(busy.headers(1, POST))
  const { stream } = busy.requests[0]!
  stream.sendHeaders(OK, false)
  for (let n = 0; n < 50; n++) {
    busy.hear(ping())
    stream.sendData(Buffer.from('x'), false)
  }
  t.equal(busy.core.finished, false, 'pings that follow our data measure, they do not nag')
})

t.test('gRFC A9: maximum age, grace and idle time', async (t) => {
  const aged = CoreDialogue.server({ maxConnectionAgeMs: 10_000, maxConnectionAgeGraceMs: 2000 })
  aged.hear(aged.headers(1, POST))
  aged.pass(10_000)
  t.match(aged.said()[0], /GOAWAY connection NO_ERROR, last stream 2147483647/)
  t.equal(aged.core.life.state, 'draining')
  aged.pass(2000)
  t.equal(aged.core.finished, true)
  t.match(aged.requests[0]!.log.error?.message, /grace of the maximum connection age/)
  const idle = CoreDialogue.server({ maxConnectionIdleMs: 5000 })
  idle.pass(4000)
  idle.hear(idle.headers(1, GET, true))
  idle.pass(60_000)
  t.equal(idle.core.life.state, 'open', 'a stream is open')
  idle.requests[0]!.stream.sendHeaders(OK, true)
  idle.said()
  idle.pass(4999)
  t.equal(idle.core.life.state, 'open')
  idle.pass(1)
  t.match(idle.said()[0], /GOAWAY connection NO_ERROR/)
})
