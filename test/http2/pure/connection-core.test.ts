/** The connection core as dialogues of frames: streams and messages (RFC 9113 §3.4, §5.1, §8.1). */
import t from 'tap'
import { CONNECTION_PREFACE } from '../../../src/wire/frame/connection-preface.ts'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import { SettingId } from '../../../src/wire/frame/settings.ts'
import {
  CoreDialogue,
  data,
  frameOctets,
  GET,
  OK,
  POST,
  reset,
  settings,
  settingsAck,
} from './support/core-dialogue.ts'

t.test(
  'RFC 9113 §3.4: a client starts with preface and SETTINGS, before it has heard anything',
  async (t) => {
    const client = new CoreDialogue('client')
    const octets = client.takeOctets()
    t.ok(octets.subarray(0, 24).equals(CONNECTION_PREFACE))
    t.equal(octets[27], 4, 'a SETTINGS frame follows')
    t.equal(client.core.life.state, 'connecting')
  },
)

t.test('RFC 9113 §3.4: a server answers the preface with SETTINGS, and the connection is open', async (t) => {
  const server = new CoreDialogue('server')
  t.strictSame(server.said(), [], 'silent until the client has spoken')
  server.hear(CONNECTION_PREFACE, settings())
  t.strictSame(server.said(), [
    'SETTINGS connection MAX_CONCURRENT_STREAMS=256 INITIAL_WINDOW_SIZE=1048576 MAX_HEADER_LIST_SIZE=16384 NO_RFC7540_PRIORITIES=1',
    'WINDOW_UPDATE connection +4128769',
    'SETTINGS connection ACK',
  ])
  t.strictSame(server.events, ['open'])
  t.equal(server.core.life.state, 'open')
})

t.test('RFC 9113 §3.4: cut at every octet, the start is the same', async (t) => {
  const octets = frameOctets(CONNECTION_PREFACE, settings(), settingsAck())
  for (let cut = 0; cut <= octets.length; cut++) {
    const server = new CoreDialogue('server')
    server.hearOctets(octets.subarray(0, cut))
    server.hearOctets(octets.subarray(cut))
    if (server.events.join() !== 'open') t.fail(`cut at ${cut}: ${server.events}`)
  }
  const answer = frameOctets(settings([[SettingId.MAX_CONCURRENT_STREAMS, 7]]), settingsAck())
  for (let cut = 0; cut <= answer.length; cut++) {
    const client = new CoreDialogue('client')
    client.hearOctets(answer.subarray(0, cut))
    client.hearOctets(answer.subarray(cut))
    if (client.core.settings.remote.maxConcurrentStreams !== 7) t.fail(`cut at ${cut}`)
  }
})

t.test('RFC 9113 §3.4: SETTINGS come first of all', async (t) => {
  const server = new CoreDialogue('server')
  server.hear(CONNECTION_PREFACE, { kind: 'PING', ack: false, data: new Uint8Array(8) })
  t.match(server.goaway(), /PROTOCOL_ERROR.*first frame is PING, allowed is SETTINGS/)
  t.equal(server.core.finished, true)
})

t.test('a unary exchange, server side', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST), data(1, 5), data(1, 0, true))
  const [{ stream, fields, log }] = server.requests as [(typeof server.requests)[0]]
  t.strictSame(fields, POST)
  t.strictSame(log.lines, ['data 5', 'end'])
  stream.sendHeaders(OK, false)
  stream.sendData(Buffer.from('hello'), false)
  stream.sendTrailers(['grpc-status', '0'])
  t.strictSame(server.said(), [
    'HEADERS 1: :status 200',
    'DATA stream 1 5 octets',
    'HEADERS 1 END_STREAM: grpc-status 0',
  ])
  t.strictSame(log.lines, ['data 5', 'end', 'close'])
  t.equal(server.core.context.streams.size, 0)
})

t.test('a unary exchange, client side', async (t) => {
  const client = CoreDialogue.client()
  const { stream, log } = client.open()
  t.equal(stream.id, 0)
  stream.sendHeaders(POST, false)
  stream.sendData(Buffer.from('hello'), true)
  t.equal(stream.id, 1)
  t.strictSame(client.said(), [`HEADERS 1: ${POST.join(' ')}`, 'DATA stream 1 END_STREAM 5 octets'])
  client.hear(client.headers(1, OK), data(1, 7), client.headers(1, ['grpc-status', '0'], true))
  t.strictSame(log.lines, ['headers :status 200', 'data 7', 'trailers grpc-status 0', 'end', 'close'])
})

t.test('everything the listener may do while it is being told', async (t) => {
  const server = CoreDialogue.server()
  server.onRequest = ({ stream }) => {
    stream.sendHeaders(OK, false)
    stream.sendTrailers(['a', 'b'])
  }
  server.hear(server.headers(1, GET, true))
  t.strictSame(
    server.requests[0]!.log.lines,
    ['end', 'close'],
    'the end is told even if the answer is complete',
  )
  server.onRequest = ({ stream }) => stream.reset(ErrorCode.CANCEL)
  server.hear(server.headers(3, GET, true))
  t.strictSame(server.requests[1]!.log.lines, ['close CANCEL'], 'nothing after a reset but the close')
})

t.test('RFC 9113 §5.1: frames after the end of the request', async (t) => {
  const halfClosed: [string, (s: CoreDialogue) => void][] = [
    ['DATA', (s) => s.hear(data(1, 1))],
    ['HEADERS', (s) => s.hear(s.headers(1, GET))],
  ]
  for (const [name, act] of halfClosed) {
    const server = CoreDialogue.server()
    server.hear(server.headers(1, GET, true))
    act(server)
    t.strictSame(server.said(), ['RST_STREAM stream 1 STREAM_CLOSED'], name)
    t.equal(server.core.finished, false, 'the connection lives')
    t.match(server.requests[0]!.log.error?.message, /on stream 1, which is halfClosedRemote/)
  }
})

t.test('RFC 9113 §5.1: frames on streams that are idle or closed', async (t) => {
  const cases: [string, (s: CoreDialogue) => void, RegExp][] = [
    ['DATA, idle', (s) => s.hear(data(3, 1)), /PROTOCOL_ERROR.*DATA on stream 3, which is idle/],
    [
      'WINDOW_UPDATE, idle',
      (s) => s.hear({ kind: 'WINDOW_UPDATE', streamId: 3, increment: 1 }),
      /PROTOCOL_ERROR.*idle/,
    ],
    ['RST_STREAM, idle', (s) => s.hear(reset(3)), /PROTOCOL_ERROR.*RST_STREAM on stream 3, which is idle/],
    ['HEADERS, closed in order', (s) => s.hear(s.headers(1, GET)), /STREAM_CLOSED.*closedInOrder/],
    ['DATA, closed in order', (s) => s.hear(data(1, 1)), /STREAM_CLOSED.*closedInOrder/],
  ]
  for (const [name, act, says] of cases) {
    const server = CoreDialogue.server()
    server.onRequest = ({ stream }) => stream.sendHeaders(OK, true)
    server.hear(server.headers(1, GET, true))
    server.said()
    act(server)
    t.match(server.goaway(), says, name)
  }
})

t.test('RFC 9113 §5.1: after our reset what was under way is ignored, and still counted', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST))
  server.requests[0]!.stream.reset(ErrorCode.CANCEL)
  t.strictSame(server.said(), ['RST_STREAM stream 1 CANCEL'])
  t.match(server.requests[0]!.log, {
    lines: ['close CANCEL'],
    error: { initiator: 'local', code: ErrorCode.CANCEL },
  })
  const before = server.core.context.receiveWindow.availableOctets
  server.hear(
    data(1, 1000),
    server.headers(1, ['a', 'b'], true),
    { kind: 'WINDOW_UPDATE', streamId: 1, increment: 5 },
    reset(1),
  )
  t.strictSame(server.said(), [])
  t.equal(server.core.context.receiveWindow.availableOctets, before - 1000)
  t.equal(server.core.context.receiveWindow.unconsumedOctets, 0)
  server.hear(server.headers(3, GET, true))
  t.equal(server.requests.length, 2, 'and HPACK is in step')
})

t.test("RFC 9113 §5.1: after the peer's reset its frames are a stream error", async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, POST), reset(1, ErrorCode.CANCEL))
  t.match(server.requests[0]!.log, { lines: ['close CANCEL'], error: { initiator: 'peer' } })
  server.hear(data(1, 1))
  t.strictSame(server.said(), ['RST_STREAM stream 1 STREAM_CLOSED'])
})

t.test('RFC 9113 §5.1.1: identifiers', async (t) => {
  const cases: [string, (s: CoreDialogue) => void, RegExp][] = [
    [
      "even ones are not the client's",
      (s) => s.hear(s.headers(2, GET)),
      /PROTOCOL_ERROR.*HEADERS open stream 2/,
    ],
    [
      'not below one that was used',
      (s) => s.hear(s.headers(5, GET, true), s.headers(3, GET, true)),
      /PROTOCOL_ERROR.*stream 3.*not above 5/,
    ],
  ]
  for (const [name, act, says] of cases) {
    const server = CoreDialogue.server()
    act(server)
    t.match(server.goaway(), says, name)
  }
  const client = CoreDialogue.client()
  client.hear(client.headers(2, OK))
  t.match(client.goaway(), /PROTOCOL_ERROR.*stream 2, which is idle/)
})

t.test('RFC 9113 §5.1.1: when identifiers are used up, a new connection is needed', async (t) => {
  const client = CoreDialogue.client()
  client.core.context.nextLocalStreamId = 0x7fffffff
  const last = client.open()
  last.stream.sendHeaders(GET, true)
  t.equal(last.stream.id, 0x7fffffff)
  const { log } = client.open()
  client.core.turn()
  t.match(log.error, { unprocessed: true, message: /identifiers are used/ })
  t.equal(client.core.life.state, 'draining')
  client.hear(client.headers(0x7fffffff, OK, true))
  t.equal(last.log.error, undefined)
  t.equal(client.core.finished, true)
})

t.test('RFC 9113 §5.1.2: above our limit streams are refused', async (t) => {
  const server = CoreDialogue.server({ maxConcurrentStreams: 2 })
  server.hear(server.headers(1, GET), server.headers(3, GET), server.headers(5, GET))
  t.strictSame(server.said(), ['RST_STREAM stream 5 REFUSED_STREAM'])
  t.equal(server.requests.length, 2)
  server.requests[0]!.stream.reset(ErrorCode.CANCEL)
  server.said()
  server.hear(server.headers(7, GET, true))
  t.equal(server.requests.length, 3)
})

t.test("RFC 9113 §5.1.2: above the peer's limit ours wait, with all they have sent", async (t) => {
  const client = CoreDialogue.client({}, [[SettingId.MAX_CONCURRENT_STREAMS, 1]])
  const calls = [client.open(), client.open(), client.open(), client.open()]
  for (const { stream } of calls) stream.sendHeaders(POST, false)
  calls[1]!.stream.sendData(Buffer.from('abc'), false)
  calls[1]!.stream.sendTrailers(['t', '1'])
  calls[2]!.stream.sendData(new Uint8Array(0), true)
  calls[3]!.stream.reset(ErrorCode.CANCEL)
  t.equal(client.core.context.openStreams, 3)
  t.strictSame(client.said(), [`HEADERS 1: ${POST.join(' ')}`])
  t.match(calls[3]!.log, { lines: ['close CANCEL'], error: { unprocessed: true } })
  calls[0]!.stream.reset(ErrorCode.CANCEL)
  t.strictSame(client.said(), [
    'RST_STREAM stream 1 CANCEL',
    `HEADERS 3: ${POST.join(' ')}`,
    'DATA stream 3 3 octets',
    'HEADERS 3 END_STREAM: t 1',
  ])
  client.hear(client.headers(3, OK, true))
  t.strictSame(client.said(), [`HEADERS 5: ${POST.join(' ')}`, 'DATA stream 5 END_STREAM 0 octets'])
  client.hear(settings([[SettingId.MAX_CONCURRENT_STREAMS, 0]]))
  const blocked = client.open()
  blocked.stream.sendHeaders(GET, true)
  t.strictSame(client.said(), ['SETTINGS connection ACK'])
  client.hear(settings([[SettingId.MAX_CONCURRENT_STREAMS, 9]]))
  t.strictSame(client.said(), ['SETTINGS connection ACK', `HEADERS 7 END_STREAM: ${GET.join(' ')}`])
})

t.test('fields that cannot be encoded are refused, and a stream that waited for them ends', async (t) => {
  const client = CoreDialogue.client()
  const { stream } = client.open()
  t.throws(() => stream.sendHeaders([...GET, 'x', '\u20ac'], true), TypeError)
  stream.sendHeaders(GET, true)
  t.equal(client.said().length, 1)
})

t.test('RFC 9113 §8.1: 1xx are passed over, and limited', async (t) => {
  const client = CoreDialogue.client({ maxInformationalResponses: 3 })
  const { stream, log } = client.open()
  stream.sendHeaders(GET, true)
  for (let n = 0; n < 3; n++) client.hear(client.headers(1, [':status', '103', 'link', 'x']))
  client.hear(client.headers(1, OK, true))
  t.strictSame(log.lines, ['headers :status 200 end', 'end', 'close'])
  const second = client.open()
  second.stream.sendHeaders(GET, true)
  client.said()
  for (let n = 0; n < 4; n++) client.hear(client.headers(3, [':status', '100']))
  t.strictSame(client.said(), ['RST_STREAM stream 3 ENHANCE_YOUR_CALM'])
  t.match(second.log.error?.message, /informational responses/)
  const third = client.open()
  third.stream.sendHeaders(GET, true)
  client.said()
  client.hear(client.headers(5, [':status', '100'], true))
  t.strictSame(client.said(), ['RST_STREAM stream 5 PROTOCOL_ERROR'], 'one that ends the stream is malformed')
})

t.test('a server can send 1xx before its answer', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, GET, true))
  const { stream } = server.requests[0]!
  stream.sendInformational([':status', '103', 'link', '</style.css>'])
  stream.sendHeaders(OK, true)
  t.strictSame(server.said(), [
    'HEADERS 1: :status 103 link </style.css>',
    'HEADERS 1 END_STREAM: :status 200',
  ])
  t.doesNotThrow(() => stream.sendInformational([':status', '100']), 'after the close nothing happens')
})

t.test('RFC 9113 §8.1.1: content-length against DATA', async (t) => {
  const request = [...POST, 'content-length', '5']
  const cases: [string, (s: CoreDialogue) => void, RegExp][] = [
    ['too much', (s) => s.hear(s.headers(1, request), data(1, 6)), /1 octets more/],
    ['too little', (s) => s.hear(s.headers(1, request), data(1, 4, true)), /1 octets before content-length/],
    [
      'too little, with trailers',
      (s) => s.hear(s.headers(1, request), data(1, 4), s.headers(1, ['a', 'b'], true)),
      /before content-length/,
    ],
    ['none at all', (s) => s.hear(s.headers(1, request, true)), /content-length is 5/],
  ]
  for (const [name, act, says] of cases) {
    const server = CoreDialogue.server()
    act(server)
    t.strictSame(server.said(), ['RST_STREAM stream 1 PROTOCOL_ERROR'], name)
    t.equal(server.core.finished, false)
    if (server.requests.length > 0) t.match(server.requests[0]!.log.error?.message, says, name)
  }
  const server = CoreDialogue.server()
  server.hear(server.headers(1, request), data(1, 5, true, 7))
  t.strictSame(server.requests[0]!.log.lines, ['data 5', 'end'], 'padding does not count')
})

t.test('RFC 9110 §6.4.1: no content after HEAD, 204 and 304, whatever content-length says', async (t) => {
  const client = CoreDialogue.client()
  const head = client.open()
  head.stream.sendHeaders([':method', 'HEAD', ':scheme', 'http', ':path', '/'], true)
  client.said()
  client.hear(client.headers(1, [...OK, 'content-length', '500'], true))
  t.equal(head.log.error, undefined)
  for (const [index, status] of ['204', '304'].entries()) {
    const call = client.open()
    call.stream.sendHeaders(GET, true)
    client.said()
    const id = 3 + 2 * index
    client.hear(client.headers(id, [':status', status, 'content-length', '500']), data(id, 1))
    t.strictSame(client.said(), [`RST_STREAM stream ${id} PROTOCOL_ERROR`])
  }
})

t.test('RFC 9113 §8.1: DATA before the response, and a second header section', async (t) => {
  const client = CoreDialogue.client()
  const early = client.open()
  early.stream.sendHeaders(GET, true)
  client.said()
  client.hear(data(1, 3))
  t.strictSame(client.said(), ['RST_STREAM stream 1 PROTOCOL_ERROR'])
  t.match(early.log.error?.message, /DATA before the header section/)
  const second = client.open()
  second.stream.sendHeaders(GET, true)
  client.said()
  client.hear(client.headers(3, OK), client.headers(3, ['a', 'b']))
  t.strictSame(client.said(), ['RST_STREAM stream 3 PROTOCOL_ERROR'])
  t.match(second.log.error?.message, /second header section without END_STREAM/)
})

t.test('RFC 9113 §8.1.1: malformed messages end their stream only, and the text says why', async (t) => {
  const server = CoreDialogue.server()
  server.hear(server.headers(1, [...GET, 'connection', 'close'], true))
  t.strictSame(server.said(), ['RST_STREAM stream 1 PROTOCOL_ERROR'])
  server.hear(server.headers(3, POST), server.headers(3, [':status', '200'], true))
  t.strictSame(server.said(), ['RST_STREAM stream 3 PROTOCOL_ERROR'])
  t.match(server.requests[0]!.log.error?.message, /malformed trailer section.*":status"/)
  server.hear(server.headers(5, GET, true))
  t.equal(server.requests.length, 2)
  const client = CoreDialogue.client()
  const call = client.open()
  call.stream.sendHeaders(GET, true)
  client.said()
  client.hear(client.headers(1, ['server', 'x'], true))
  t.strictSame(client.said(), ['RST_STREAM stream 1 PROTOCOL_ERROR'])
  t.match(call.log, {
    lines: ['close PROTOCOL_ERROR'],
    error: { section: 'RFC 9113 §8.3.2', message: /no :status/ },
  })
})

t.test(
  'RFC 9113 §8.1: RST_STREAM NO_ERROR after a complete response ends the rest of the request',
  async (t) => {
    const client = CoreDialogue.client()
    const { stream, log } = client.open()
    stream.sendHeaders(POST, false)
    client.said()
    client.hear(client.headers(1, OK, true), reset(1, ErrorCode.NO_ERROR))
    t.strictSame(log.lines, ['headers :status 200 end', 'end', 'close'])
    const server = CoreDialogue.server({}, [[SettingId.INITIAL_WINDOW_SIZE, 3]])
    server.hear(server.headers(1, POST))
    const request = server.requests[0]!
    request.stream.sendHeaders(OK, false)
    request.stream.sendData(Buffer.from('hello'), true)
    request.stream.reset(ErrorCode.NO_ERROR)
    server.hear(data(1, 10))
    t.strictSame(server.said(), ['HEADERS 1: :status 200', 'DATA stream 1 3 octets'], 'not before all is out')
    t.strictSame(request.log.lines, [], 'and nothing more is told')
    server.hear({ kind: 'WINDOW_UPDATE', streamId: 1, increment: 10 })
    t.strictSame(server.said(), ['DATA stream 1 END_STREAM 2 octets', 'RST_STREAM stream 1 NO_ERROR'])
    t.strictSame(request.log.lines, ['close'])
  },
)

t.test('a listener that throws loses its stream with INTERNAL_ERROR, and nobody else notices', async (t) => {
  const server = CoreDialogue.server()
  server.onRequest = ({ log, stream }) => {
    if (stream.id === 1) throw new Error('onStream')
    log.on = {
      onData() {
        throw new Error('onData')
      },
      onClose() {
        throw new Error('onClose')
      },
    }
  }
  server.hear(server.headers(1, POST), server.headers(3, POST), data(3, 1), server.headers(5, GET, true))
  t.strictSame(server.said(), ['RST_STREAM stream 1 INTERNAL_ERROR', 'RST_STREAM stream 3 INTERNAL_ERROR'])
  t.match(server.requests[1]!.log.error, { code: ErrorCode.INTERNAL_ERROR, cause: { message: 'onData' } })
  t.equal(server.requests.length, 3)
})
