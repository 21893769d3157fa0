/** Flow control on both levels and SETTINGS, as dialogues (RFC 9113 §5.2, §6.5, §6.9). */
import t from 'tap'
import type { FrameContent } from '../../../src/wire/frame/frame.ts'
import { SettingId } from '../../../src/wire/frame/settings.ts'
import {
  CoreDialogue,
  data,
  GET,
  OK,
  POST,
  ping,
  settings,
  settingsAck,
  windowUpdate,
} from './support/core-dialogue.ts'

function answering(initialWindow: number): { server: CoreDialogue; request: CoreDialogue['requests'][0] } {
  const server = CoreDialogue.server({}, [[SettingId.INITIAL_WINDOW_SIZE, initialWindow]])
  server.hear(server.headers(1, GET, true))
  const request = server.requests[0]!
  request.stream.sendHeaders(OK, false)
  server.said()
  return { server, request }
}

t.test("RFC 9113 §6.9.1: no more than the stream's window", async (t) => {
  const { server, request } = answering(10)
  request.stream.sendData(Buffer.alloc(25), true)
  t.strictSame(server.said(), ['DATA stream 1 10 octets'])
  server.hear(windowUpdate(1, 1))
  t.strictSame(server.said(), ['DATA stream 1 1 octet'])
  server.hear(windowUpdate(1, 100))
  t.strictSame(server.said(), ['DATA stream 1 END_STREAM 14 octets'])
  t.strictSame(request.log.lines, ['end', 'close'])
})

t.test("RFC 9113 §6.9.1: no more than the connection's window, shared in turns", async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, GET, true), server.headers(3, GET, true))
  for (const { stream } of server.requests) {
    stream.sendHeaders(OK, false)
    stream.sendData(Buffer.alloc(60_000), true)
  }
  const sizes = server.said().filter((line) => line.startsWith('DATA'))
  t.strictSame(sizes, [
    'DATA stream 1 16384 octets',
    'DATA stream 3 16384 octets',
    'DATA stream 1 16384 octets',
    'DATA stream 3 16383 octets',
  ])
  server.hear(windowUpdate(0, 16_385))
  t.strictSame(server.said(), ['DATA stream 1 16384 octets', 'DATA stream 3 1 octet'])
})

t.test('RFC 9113 §6.9.2: SETTINGS change the windows of open streams, below zero too', async (t) => {
  const { server, request } = answering(10)
  request.stream.sendData(Buffer.alloc(30), true)
  t.strictSame(server.said(), ['DATA stream 1 10 octets'])
  server.hear(settings([[SettingId.INITIAL_WINDOW_SIZE, 3]]))
  t.equal(request.stream.sendWindow.sizeOctets, -7)
  server.hear(windowUpdate(1, 7))
  t.strictSame(server.said(), ['SETTINGS connection ACK'], 'still nothing to send with')
  server.hear(windowUpdate(1, 1))
  t.strictSame(server.said(), ['DATA stream 1 1 octet'])
  server.hear(settings([[SettingId.INITIAL_WINDOW_SIZE, 100]]))
  t.strictSame(server.said(), ['SETTINGS connection ACK', 'DATA stream 1 END_STREAM 19 octets'])
})

t.test('RFC 9113 §6.9.2: SETTINGS that shrink a window of a stream that is about to send', async (t) => {
  const { server, request } = answering(20)
  request.stream.sendData(Buffer.alloc(30), false)
  server.said()
  server.core.receive(Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 5]), server.nowMs)
  server.hear(settings([[SettingId.INITIAL_WINDOW_SIZE, 0]]))
  t.strictSame(server.said(), ['SETTINGS connection ACK'])
})

t.test('RFC 9113 §6.9.1: windows above 2^31 - 1', async (t) => {
  const { server, request } = answering(10)
  server.hear(windowUpdate(1, 0x7fffffff))
  t.strictSame(server.said(), ['RST_STREAM stream 1 FLOW_CONTROL_ERROR'])
  t.match(request.log.error?.message, /above 2147483647/)
  server.hear(windowUpdate(0, 0x7fffffff))
  t.match(server.goaway(), /FLOW_CONTROL_ERROR.*connection's window above/)
  const other = answering(10)
  other.server.hear(windowUpdate(1, 0x7fffffff - 10), settings([[SettingId.INITIAL_WINDOW_SIZE, 11]]))
  t.match(other.server.goaway(), /FLOW_CONTROL_ERROR.*INITIAL_WINDOW_SIZE 11/)
})

t.test('RFC 9113 §6.9: an increment of 0 is an error of that window', async (t) => {
  const { server, request } = answering(10)
  server.hear(windowUpdate(1, 0))
  t.strictSame(server.said(), ['RST_STREAM stream 1 PROTOCOL_ERROR'])
  t.match(request.log.error?.message, /increment 0/)
  server.hear(windowUpdate(0, 0))
  t.match(server.goaway(), /PROTOCOL_ERROR/)
})

t.test('RFC 9113 §6.9.1: an empty DATA frame needs no window', async (t) => {
  const { server, request } = answering(0)
  request.stream.sendData(new Uint8Array(0), true)
  t.strictSame(server.said(), ['DATA stream 1 END_STREAM 0 octets'])
})

t.test('trailers need no window, but wait for the data before them', async (t) => {
  const { server, request } = answering(3)
  request.stream.sendData(Buffer.alloc(4), false)
  request.stream.sendTrailers(['a', 'b'])
  t.strictSame(server.said(), ['DATA stream 1 3 octets'])
  server.hear(windowUpdate(1, 1))
  t.strictSame(server.said(), ['DATA stream 1 1 octet', 'HEADERS 1 END_STREAM: a b'])
})

t.test('RFC 9113 §6.9: the peer keeps our windows', async (t) => {
  const server = CoreDialogue.server({ streamWindowOctets: 100_000, connectionWindowOctets: 150_000 })
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(server.headers(1, POST), server.headers(3, POST))
  for (let n = 0; n < 10; n++) server.hear(data(1, 10_000))
  t.strictSame(server.said(), [], 'nothing consumed, no credit')
  server.hear(data(1, 1))
  t.strictSame(server.said()[0], 'RST_STREAM stream 1 FLOW_CONTROL_ERROR')
  t.match(server.requests[0]!.log.error?.message, /DATA of 1 octets, its window is 0/)
  for (let n = 0; n < 10; n++) server.hear(data(3, 10_000))
  const overrun = CoreDialogue.server({ streamWindowOctets: 200_000, connectionWindowOctets: 70_000 })
  overrun.onRequest = server.onRequest
  overrun.hear(overrun.headers(1, POST))
  for (let n = 0; n < 7; n++) overrun.hear(data(1, 10_000))
  t.strictSame(overrun.said(), [])
  overrun.hear(data(1, 1))
  t.match(overrun.goaway(), /FLOW_CONTROL_ERROR.*the connection's window is 0/)
})

t.test('credit returns when consumed, in large steps, on both levels', async (t) => {
  const server = CoreDialogue.server({
    streamWindowOctets: 100_000,
    connectionWindowOctets: 100_000,
    maxWindowOctets: 0,
  })
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(server.headers(1, POST))
  for (let n = 0; n < 10; n++) server.hear(data(1, 10_000))
  const { stream } = server.requests[0]!
  for (let n = 0; n < 49; n++) stream.consume(1000)
  t.strictSame(server.said(), [])
  stream.consume(1000)
  t.strictSame(server.said(), ['WINDOW_UPDATE stream 1 +50000', 'WINDOW_UPDATE connection +50000'])
})

t.test('a stream that closes gives its credit back to the connection', async (t) => {
  const server = CoreDialogue.server({ connectionWindowOctets: 65_535, maxWindowOctets: 0 })
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(server.headers(1, POST), data(1, 16_000), data(1, 16_000), data(1, 16_000))
  t.strictSame(server.said(), [])
  server.requests[0]!.stream.reset(8)
  t.strictSame(server.said(), ['RST_STREAM stream 1 CANCEL', 'WINDOW_UPDATE connection +48000'])
})

t.test('RFC 9113 §6.1: padding counts, and is given back at once', async (t) => {
  const server = CoreDialogue.server({
    streamWindowOctets: 66_000,
    connectionWindowOctets: 66_000,
    maxWindowOctets: 0,
  })
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(server.headers(1, POST))
  for (let n = 0; n < 129; n++) server.hear(data(1, 1, false, 255))
  const updates = server.said()
  t.ok(updates.length >= 1 && updates.length <= 2, updates.join())
  t.equal(server.requests[0]!.stream.receiveWindow.unconsumedOctets, 129)
})

t.test('no credit for a stream whose request has ended', async (t) => {
  const server = CoreDialogue.server({ streamWindowOctets: 70_000, maxWindowOctets: 0 })
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(server.headers(1, POST))
  for (let n = 0; n < 5; n++) server.hear(data(1, 14_000, n === 4))
  server.requests[0]!.stream.consume(70_000)
  t.notOk(server.said().some((line) => line.includes('stream 1')))
})

/** A sender behind a path with `oneWayMs` of latency each way, which sends whatever the windows allow. */
function upload(server: CoreDialogue, oneWayMs: number, rounds: number): number {
  server.hear(server.headers(1, POST))
  const windows = [0, 1].map((n) =>
    n === 0 ? server.core.context.receiveWindow : server.requests[0]!.stream.receiveWindow,
  )
  const credit = windows.map((window) => window.availableOctets)
  const arriving: { atMs: number; frame: FrameContent }[] = []
  let pings = 0
  for (let round = 0; round < rounds; round++) {
    for (let size = Math.min(...credit, 16_000); size > 0; size = Math.min(...credit, 16_000)) {
      credit[0]! -= size
      credit[1]! -= size
      arriving.push({ atMs: server.nowMs + oneWayMs, frame: data(1, size) })
    }
    server.nowMs += 1
    while (arriving.length > 0 && arriving[0]!.atMs <= server.nowMs) server.hear(arriving.shift()!.frame)
    for (const frame of server.saidFrames()) {
      // what the server says takes its time to arrive, and so does the answer
      const atMs = server.nowMs + 2 * oneWayMs
      if (frame.kind === 'PING') {
        pings++
        arriving.push({ atMs, frame: ping(true, frame.data) })
      }
      if (frame.kind === 'WINDOW_UPDATE') {
        const of = frame.streamId === 0 ? 0 : 1
        const { increment } = frame
        later.push({ atMs: server.nowMs + oneWayMs, give: () => (credit[of]! += increment) })
      }
    }
    while (later.length > 0 && later[0]!.atMs <= server.nowMs) later.shift()!.give()
    arriving.sort((a, b) => a.atMs - b.atMs)
  }
  return pings
}

const later: { atMs: number; give: () => void }[] = []

t.test('windows grow to what a round trip brings (BDP), and no further than the limit', async (t) => {
  const limits = { streamWindowOctets: 100_000, connectionWindowOctets: 100_000 }
  const server = CoreDialogue.server({ ...limits, maxWindowOctets: 300_000 })
  const pings = upload(server, 25, 1000)
  t.ok(pings >= 2 && pings <= 20, `${pings} samples`)
  t.equal(server.requests[0]!.stream.receiveWindow.targetOctets, 300_000)
  t.equal(server.core.context.receiveWindow.targetOctets, 300_000)
  const fixed = CoreDialogue.server({ ...limits, maxWindowOctets: 0 })
  t.equal(upload(fixed, 25, 1000), 0, 'no samples when windows are not to grow')
  t.equal(fixed.requests[0]!.stream.receiveWindow.targetOctets, 100_000)
})

t.test('RFC 9113 §6.5.3: SETTINGS are acknowledged in order, and ours has a time limit', async (t) => {
  const server = CoreDialogue.server()
  server.hear(settings([[SettingId.MAX_FRAME_SIZE, 20_000]]), settings([[0xff, 1]]), ping())
  t.strictSame(server.said(), [
    'SETTINGS connection ACK',
    'SETTINGS connection ACK',
    'PING connection ACK 3132333435363738',
  ])
  t.equal(server.core.settings.remote.maxFrameSize, 20_000)
  server.hear(settingsAck())
  t.match(server.goaway(), /PROTOCOL_ERROR.*no SETTINGS of ours wait/)
})

t.test('RFC 9113 §6.5.2: a server may not enable push; MAX_FRAME_SIZE is kept', async (t) => {
  const client = CoreDialogue.client()
  client.hear(settings([[SettingId.ENABLE_PUSH, 1]]))
  t.match(client.goaway(), /PROTOCOL_ERROR.*ENABLE_PUSH is 1 from a server/)
  const large = CoreDialogue.server({ maxSentDataOctets: 100_000 }, [[SettingId.MAX_FRAME_SIZE, 50_000]])
  large.hear(large.headers(1, GET, true))
  large.requests[0]!.stream.sendHeaders(OK, false)
  large.requests[0]!.stream.sendData(Buffer.alloc(60_000), true)
  t.strictSame(large.said().slice(1), ['DATA stream 1 50000 octets', 'DATA stream 1 END_STREAM 10000 octets'])
})

t.test('RFC 9113 §6.5.3: a small window of ours counts from the acknowledgement on', async (t) => {
  const server = new CoreDialogue('server', { streamWindowOctets: 1000, maxWindowOctets: 0 })
  const { CONNECTION_PREFACE } = await import('../../../src/wire/frame/connection-preface.ts')
  server.onRequest = ({ log }) => {
    log.consumes = false
  }
  server.hear(CONNECTION_PREFACE, settings(), server.headers(1, POST), data(1, 16_000))
  t.notOk(
    server.said().some((line) => line.startsWith('RST_STREAM')),
    'the peer did not know yet',
  )
  server.hear(settingsAck(), server.headers(3, POST), data(3, 1001))
  t.ok(server.said().some((line) => line === 'RST_STREAM stream 3 FLOW_CONTROL_ERROR'))
})

t.test('RFC 9113 §4.3.1: SETTINGS_HEADER_TABLE_SIZE of both sides', async (t) => {
  const server = CoreDialogue.server({ headerTableSizeOctets: 0 })
  server.encoder.setMaxTableSize(0)
  server.hear(settings([[SettingId.HEADER_TABLE_SIZE, 0]]), server.headers(1, GET, true))
  server.requests[0]!.stream.sendHeaders([...OK, 'x-a', 'b'], true)
  server.decoder.setMaxTableSize(0)
  t.strictSame(server.said(), ['SETTINGS connection ACK', 'HEADERS 1 END_STREAM: :status 200 x-a b'])
  t.equal(server.decoder.tableState().sizeOctets, 0)
})

t.test('back-pressure: false above the limit, drain when there is room', async (t) => {
  const { server, request } = answering(0)
  const { stream, log } = request
  log.lines.length = 0
  t.equal(stream.sendData(Buffer.alloc(65_536), false), true)
  t.equal(stream.sendData(Buffer.alloc(1), false), false)
  server.hear(windowUpdate(1, 32_000))
  server.said()
  t.strictSame(log.lines, [])
  server.hear(windowUpdate(1, 1000))
  server.said()
  t.strictSame(log.lines, ['drain'])
  t.equal(stream.sendData(Buffer.alloc(32_000), false), true)
})
