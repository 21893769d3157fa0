/** Priorities (RFC 9218) and fairness in what the core sends. */
import t from 'tap'
import { SettingId } from '../../../src/wire/frame/settings.ts'
import { CoreDialogue, GET, OK, POST, windowUpdate } from './support/core-dialogue.ts'

/** A server with one request for each priority value, all with `octets` to send and no credit yet. */
function waitingServer(values: (string | undefined)[], octets = 40_000): CoreDialogue {
  const server = CoreDialogue.server({}, [[SettingId.INITIAL_WINDOW_SIZE, 1_000_000]])
  // use the connection's window up
  server.hear(server.headers(1, GET, true))
  server.requests[0]!.stream.sendHeaders(OK, false)
  server.requests[0]!.stream.sendData(Buffer.alloc(65_535), true)
  server.said()
  for (const [index, value] of values.entries()) {
    server.hear(server.headers(3 + 2 * index, value === undefined ? GET : [...GET, 'priority', value], true))
    const { stream } = server.requests.at(-1)!
    stream.sendHeaders(OK, false)
    stream.sendData(Buffer.alloc(octets), true)
  }
  server.said()
  return server
}

/** The order in which streams send when the connection's window opens. */
function order(server: CoreDialogue): number[] {
  server.hear(windowUpdate(0, 10_000_000))
  return server
    .saidFrames()
    .filter((frame) => frame.kind === 'DATA')
    .map((frame) => frame.streamId)
}

t.test('RFC 9218 §4.1: the more urgent first', async (t) => {
  t.strictSame(order(waitingServer(['u=5', 'u=0', undefined])), [5, 5, 5, 7, 7, 7, 3, 3, 3])
})

t.test('who says nothing takes turns, frame by frame', async (t) => {
  t.strictSame(order(waitingServer([undefined, undefined, undefined])), [3, 5, 7, 3, 5, 7, 3, 5, 7])
})

t.test('RFC 9218 §10: incremental takes turns, not incremental one after the other', async (t) => {
  t.strictSame(order(waitingServer(['u=3, i', 'u=3, i'])), [3, 5, 3, 5, 3, 5])
  t.strictSame(order(waitingServer(['u=3', 'u=3'])), [3, 3, 3, 5, 5, 5])
})

t.test('RFC 9218 §7.1: PRIORITY_UPDATE, for a stream and before its request', async (t) => {
  const server = waitingServer([undefined, undefined])
  server.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 5, value: 'u=1' })
  t.strictSame(order(server), [5, 5, 5, 3, 3, 3])
  const early = CoreDialogue.server()
  early.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 1, value: 'u=6, i' })
  early.hear(early.headers(1, [...GET, 'priority', 'u=0'], true))
  t.match(early.requests[0]!.stream, { urgency: 6, sequential: false }, 'it counts more than the field')
  early.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 1, value: 'nonsense' })
  t.match(early.requests[0]!.stream, { urgency: 3, sequential: true })
})

t.test(
  'RFC 9218 §7.1: PRIORITY_UPDATE for closed streams is ignored, for pushes never promised an error',
  async (t) => {
    const server = CoreDialogue.server()
    server.hear(server.headers(1, GET, true))
    server.requests[0]!.stream.sendHeaders(OK, true)
    server.said()
    server.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 1, value: 'u=1' })
    t.strictSame(server.said(), [])
    server.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 2, value: 'u=1' })
    t.match(server.goaway(), /PROTOCOL_ERROR.*push that was never promised/)
    const client = CoreDialogue.client()
    client.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 1, value: 'u=1' })
    t.match(client.goaway(), /PROTOCOL_ERROR.*from clients only/)
  },
)

t.test('RFC 9218 §7.1: values that come early are bounded', async (t) => {
  const server = CoreDialogue.server({ maxConcurrentStreams: 4 })
  for (let n = 0; n < 10; n++)
    server.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: 2 * n + 1, value: 'u=0' })
  server.hear(server.headers(1, GET), server.headers(19, GET))
  t.equal(server.requests[0]!.stream.urgency, 3, 'the oldest was forgotten')
  t.equal(server.requests[1]!.stream.urgency, 0)
})

t.test('a client sends its priority as a field, and a change of it as PRIORITY_UPDATE', async (t) => {
  const client = CoreDialogue.client({}, [[SettingId.MAX_CONCURRENT_STREAMS, 2]])
  const log = client.open().log
  const stream = client.core.open(log, { priority: { urgency: 1, incremental: true } })
  stream.sendHeaders(GET, true)
  t.strictSame(client.said(), [`HEADERS 1 END_STREAM: ${GET.join(' ')} priority u=1, i`])
  stream.prioritize({ urgency: 6 })
  t.strictSame(client.said(), ['PRIORITY_UPDATE connection for stream 1 "u=6"'])
  const waiting = client.core.open(client.open().log, {})
  waiting.prioritize({ urgency: 2 })
  waiting.sendHeaders(GET, true)
  t.strictSame(client.said(), [`HEADERS 3 END_STREAM: ${GET.join(' ')} priority u=2`])
  t.throws(() => client.core.open(log, { priority: { urgency: 9 } }), RangeError)
  client.hear(client.headers(1, OK, true))
  t.doesNotThrow(() => stream.prioritize({ urgency: 0 }))
  t.strictSame(client.said(), [], 'nothing for a closed stream')
})

t.test('a server changes the order by itself, also while a stream is queued', async (t) => {
  const server = waitingServer([undefined, undefined])
  server.requests[2]!.stream.prioritize({ urgency: 0 })
  t.strictSame(order(server), [5, 5, 5, 3, 3, 3])
})

t.test('a gigabyte does not delay a small answer by more than a few frames', async (t) => {
  const server = CoreDialogue.server({}, [[SettingId.INITIAL_WINDOW_SIZE, 0x7fffffff]])
  server.hear(windowUpdate(0, 0x7fffffff - 65_535), server.headers(1, GET, true))
  const big = server.requests[0]!.stream
  big.sendHeaders(OK, false)
  const piece = Buffer.alloc(1024 * 1024)
  for (let n = 0; n < 1024; n++) big.sendData(piece, n === 1023)
  server.takeOctets()
  server.hear(server.headers(3, POST, true))
  const { stream } = server.requests[1]!
  // the output is as full as it gets
  server.core.turn()
  stream.sendHeaders(OK, false)
  stream.sendData(Buffer.alloc(30), false)
  stream.sendTrailers(['grpc-status', '0'])
  const frames = []
  for (let n = 0; n < 3; n++) {
    server.core.turn()
    frames.push(...readFrames(Buffer.concat(server.core.takeOutput())))
    server.core.outputTaken(true)
  }
  const trailers = frames.findLastIndex((frame) => frame.streamId === 3)
  const before = frames.slice(0, trailers).filter((frame) => frame.streamId === 1)
  t.ok(trailers > 0)
  t.ok(before.length <= 12, `${before.length} frames before the small answer was complete`)
  t.equal(stream.queuedOctets, 0)
})

function readFrames(octets: Buffer): { type: number; streamId: number }[] {
  const frames = []
  for (let at = 0; at < octets.length; at += 9 + octets.readUIntBE(at, 3)) {
    frames.push({ type: octets[at + 3]!, streamId: octets.readUInt32BE(at + 5) })
  }
  return frames
}
