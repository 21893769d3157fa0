/** Server push (RFC 9113 §8.4): refused by default, possible when both ask. */
import t from 'tap'
import { SettingId } from '../../../src/wire/frame/settings.ts'
import { CoreDialogue, data, GET, OK, POST, reset, StreamLog, settings } from './support/core-dialogue.ts'

const PROMISED = [':method', 'GET', ':scheme', 'http', ':path', '/style.css', ':authority', 'x']

function promise(client: CoreDialogue, streamId: number, promisedStreamId: number, fields = PROMISED) {
  const { fragment } = client.headers(1, fields)
  return { kind: 'PUSH_PROMISE' as const, streamId, promisedStreamId, endHeaders: true, fragment }
}

function requesting(enablePush: boolean, options = {}): CoreDialogue {
  const client = CoreDialogue.client({ enablePush, ...options })
  client.open().stream.sendHeaders(GET, true)
  client.said()
  return client
}

t.test('RFC 9113 §8.4: by default a push ends the connection', async (t) => {
  const client = requesting(false)
  client.hear(promise(client, 1, 2))
  t.match(client.goaway(), /PROTOCOL_ERROR.*SETTINGS_ENABLE_PUSH is 0 and acknowledged/)
})

t.test('RFC 9113 §8.4: one sent before our SETTINGS were acknowledged is refused', async (t) => {
  const client = new CoreDialogue('client')
  client.hear(settings())
  client.open().stream.sendHeaders(GET, true)
  client.said()
  client.hear(promise(client, 1, 2))
  t.strictSame(client.said(), ['RST_STREAM stream 2 REFUSED_STREAM'])
})

t.test('RFC 9113 §8.4: with enablePush and a listener', async (t) => {
  const client = requesting(true)
  const log = new StreamLog()
  client.onPush = (stream, request) => {
    log.stream = stream
    t.strictSame(request, PROMISED)
    return log
  }
  client.hear(promise(client, 1, 2))
  t.equal(log.stream?.id, 2)
  t.equal(client.core.context.openStreams, 2)
  t.throws(() => log.stream!.sendData(Buffer.alloc(1), true), /local end/)
  client.hear(client.headers(2, OK), data(2, 9, true))
  t.strictSame(log.lines, ['headers :status 200', 'data 9', 'end', 'close'])
  client.hear(promise(client, 1, 4))
  log.stream!.reset(8)
  t.ok(client.said().includes('RST_STREAM stream 4 CANCEL'))
})

t.test('RFC 9113 §8.4: a push nobody wants is refused', async (t) => {
  const client = requesting(true)
  client.hear(promise(client, 1, 2))
  t.strictSame(client.said(), ['RST_STREAM stream 2 REFUSED_STREAM'])
  client.onPush = () => {
    throw new Error('of the application')
  }
  client.hear(promise(client, 1, 4))
  t.strictSame(client.said(), ['RST_STREAM stream 4 REFUSED_STREAM'])
  client.hear(client.headers(4, OK), data(4, 5, true))
  t.strictSame(client.said(), [], 'what was under way is ignored')
})

t.test('RFC 9113 §8.4: what may be promised, and where', async (t) => {
  const streamErrors: [string, string[]][] = [
    ['POST', [':method', 'POST', ':scheme', 'http', ':path', '/']],
    ['content', [...PROMISED, 'content-length', '5']],
    ['malformed', [':method', 'GET']],
  ]
  for (const [name, fields] of streamErrors) {
    const client = requesting(true)
    client.onPush = () => new StreamLog()
    client.hear(promise(client, 1, 2, fields))
    t.strictSame(client.said(), ['RST_STREAM stream 2 PROTOCOL_ERROR'], name)
  }
  const connectionErrors: [string, (c: CoreDialogue) => void, RegExp][] = [
    ['on an idle stream', (c) => c.hear(promise(c, 9, 2)), /PUSH_PROMISE on stream 9, which is idle/],
    ['not ascending', (c) => c.hear(promise(c, 1, 4), promise(c, 1, 2)), /stream 2, which is not above 4/],
    [
      'on a stream that the server has ended',
      (c) => c.hear(c.headers(1, OK, true), promise(c, 1, 2)),
      /closedInOrder/,
    ],
    [
      'DATA before the response',
      (c) => c.hear(promise(c, 1, 2), data(2, 1)),
      /stream 2, which is reservedRemote/,
    ],
  ]
  for (const [name, act, says] of connectionErrors) {
    const client = requesting(true)
    client.onPush = () => new StreamLog()
    act(client)
    t.match(client.goaway(), says, name)
  }
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST), promise(server, 1, 2))
  t.match(server.goaway(), /PROTOCOL_ERROR.*from a client/)
})

t.test(
  'RFC 9113 §5.1.2: pushes above our limit are refused; those on a stream we reset are too',
  async (t) => {
    const client = requesting(true, { maxConcurrentStreams: 1 })
    client.onPush = () => new StreamLog()
    client.hear(promise(client, 1, 2), promise(client, 1, 4))
    t.strictSame(client.said(), ['RST_STREAM stream 4 REFUSED_STREAM'])
    const second = client.open()
    second.stream.sendHeaders(GET, true)
    second.stream.reset(8)
    client.said()
    client.hear(promise(client, 3, 6))
    t.strictSame(client.said(), ['RST_STREAM stream 6 REFUSED_STREAM'])
  },
)

t.test('a promise in several frames, and one whose header list is too large', async (t) => {
  const client = requesting(true, { maxHeaderListSizeOctets: 500 })
  const log = new StreamLog()
  client.onPush = () => log
  const whole = promise(client, 1, 2)
  client.hear(
    { ...whole, endHeaders: false, fragment: whole.fragment.subarray(0, 3) },
    { kind: 'CONTINUATION', streamId: 1, endHeaders: true, fragment: whole.fragment.subarray(3) },
  )
  client.hear(client.headers(2, OK, true))
  t.equal(log.error, undefined)
  client.hear(promise(client, 1, 4, [...PROMISED, 'x', 'y'.repeat(500)]))
  t.strictSame(client.said(), ['RST_STREAM stream 4 ENHANCE_YOUR_CALM'])
})

t.test('a server pushes: promise, response, end', async (t) => {
  const server = CoreDialogue.server({}, [[SettingId.ENABLE_PUSH, 1]])
  server.hear(server.headers(1, GET, true))
  const { stream } = server.requests[0]!
  const log = new StreamLog()
  const pushed = stream.push(PROMISED, log)
  t.equal(pushed.id, 2)
  pushed.sendHeaders(OK, false)
  pushed.sendData(Buffer.alloc(3), true)
  stream.sendHeaders(OK, true)
  t.strictSame(server.said(), [
    `PUSH_PROMISE 1 2: ${PROMISED.join(' ')}`,
    'HEADERS 2: :status 200',
    'DATA stream 2 END_STREAM 3 octets',
    'HEADERS 1 END_STREAM: :status 200',
  ])
  t.strictSame(log.lines, ['close'])
  t.throws(() => stream.push(PROMISED, log), /has ended/)
})

t.test('RFC 9113 §5.1: frames of the client on a reserved stream', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, GET, true))
  const log = new StreamLog()
  server.requests[0]!.stream.push(PROMISED, log)
  server.hear({ kind: 'WINDOW_UPDATE', streamId: 2, increment: 5 }, reset(2, 7))
  t.match(log, { lines: ['close REFUSED_STREAM'], error: { initiator: 'peer', unprocessed: true } })
  server.requests[0]!.stream.push(PROMISED, new StreamLog())
  server.hear(data(4, 1))
  t.match(server.goaway(), /PROTOCOL_ERROR.*reservedLocal/)
})

t.test('push where it is not possible says so', async (t) => {
  const refusing = CoreDialogue.server({}, [[SettingId.ENABLE_PUSH, 0]])
  refusing.hear(refusing.headers(1, GET, true))
  t.throws(() => refusing.requests[0]!.stream.push(PROMISED, new StreamLog()), /takes no pushes/)
  const full = CoreDialogue.server({}, [[SettingId.MAX_CONCURRENT_STREAMS, 0]])
  full.hear(full.headers(1, GET, true))
  t.throws(() => full.requests[0]!.stream.push(PROMISED, new StreamLog()), /takes no pushes/)
  const client = CoreDialogue.client()
  const { stream } = client.open()
  stream.sendHeaders(GET, true)
  t.throws(() => stream.push(PROMISED, new StreamLog()), /for servers/)
})
