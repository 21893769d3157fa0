import { gzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import t from 'tap'
import { messageDescriptor } from '../../src/inspect/protobufjs-descriptor.ts'
import type { Schema } from '../../src/inspect/schema.ts'
import { encodeBinaryValue, FrameType, ProtobufWriter, recordValue } from '../../src/wire/index.ts'
import { Random } from '../wire/protobuf/random.ts'
import { hello, prefixed, Recorder, Sent } from './traffic.ts'

const { root } = protobuf.parse(`syntax = "proto3"; package p;
  message Request { string name = 1; }
  message Reply { string message = 1; }`)
const schema: Schema = (path) =>
  path === '/p.S/M'
    ? {
        request: messageDescriptor(root.lookupType('p.Request')),
        response: messageDescriptor(root.lookupType('p.Reply')),
      }
    : undefined

/** A whole unary call. */
function call(): { client: Sent; server: Sent } {
  const client = new Sent()
    .preface()
    .settings([1, 4096])
    .request(1, '/p.S/M', 'authorization', 'Bearer secret')
    .data(1, prefixed(hello('world')), true)
  const server = new Sent()
    .settings()
    .frame(FrameType.SETTINGS, 1, 0)
    .response(1)
    .data(1, prefixed(hello('Hello world')))
    .headers(1, true, 'grpc-status', '0')
  return { client, server }
}

t.test('a unary call, layer by layer', async (t) => {
  const { client, server } = call()
  const recorder = new Recorder({ schema }).push('client', client).push('server', server)
  t.same(
    recorder.events.map((event) => (event.type === 'frame' ? event.frame.kind : event.type)),
    [
      ...['preface', 'SETTINGS', 'HEADERS', 'fields', 'DATA', 'message'],
      ...['SETTINGS', 'SETTINGS', 'HEADERS', 'fields', 'DATA', 'message', 'HEADERS', 'fields', 'status'],
    ],
  )
  const [request, response, trailers] = recorder.of('fields')
  t.match(request, { sender: 'client', section: 'request', streamId: 1, endStream: false, truncated: false })
  t.same(request?.fields.slice(4, 6), [':path', '/p.S/M'])
  const secret = request?.instructions.find((step) => step.kind === 'field' && step.name === 'authorization')
  t.match(secret, { representation: 'literal-never-indexed' })
  t.match(response, { sender: 'server', section: 'response' })
  t.match(trailers, { section: 'trailers', endStream: true, fields: ['grpc-status', '0'] })
  const [sent, received] = recorder.of('message')
  t.match(sent, {
    sender: 'client',
    index: 1,
    compressed: false,
    encoding: 'identity',
    lengthOctets: 7,
    note: '',
  })
  t.equal(sent?.typeName, 'p.Request')
  t.match(received, { sender: 'server', typeName: 'p.Reply', lengthOctets: 13 })
  t.equal(received?.scan?.records[0]?.field?.name, 'message')
  t.equal(recordValue(received!.scan!.records[0]!), 'Hello world')
  t.match(recorder.of('status'), [{ code: 0, name: 'OK', message: '', details: undefined }])
})

t.test('offsets are those of the connection, from octet 0', async (t) => {
  const { client, server } = call()
  const recorder = new Recorder({ schema }).push('client', client).push('server', server)
  const octets = { client: client.octets, server: server.octets }
  for (const event of recorder.of('frame')) {
    const { offset, length, type } = event.frame
    t.equal(event.offset, offset)
    t.equal(octets[event.sender][offset + 3], type)
    t.equal(octets[event.sender][offset + 2], length)
  }
  for (const event of recorder.of('message')) {
    const found = octets[event.sender].subarray(event.offset, event.offset + 5 + event.lengthOctets)
    t.same(Uint8Array.from(found), prefixed(event.octets))
  }
  for (const event of recorder.of('fields')) {
    t.equal(
      octets[event.sender][event.offset - 9 + 3],
      FrameType.HEADERS,
      'the block is behind its frame header',
    )
  }
})

t.test('cut at every octet the events are the same', async (t) => {
  const { client, server } = call()
  const strip = (recorder: Recorder) =>
    JSON.stringify(recorder.events.map((event) => ({ ...event, timeMs: 0, scan: undefined })))
  const whole = strip(new Recorder({ schema }).push('client', client).push('server', server))
  for (const piece of [1, 2, 3, 7, 10, 64]) {
    const cut = new Recorder({ schema }).push('client', client, piece).push('server', server, piece)
    t.equal(strip(cut), whole, `pieces of ${piece}`)
  }
})

t.test('messages do not end where DATA frames end', async (t) => {
  const stream = Buffer.concat([prefixed(hello('one')), prefixed(new Uint8Array()), prefixed(hello('two'))])
  for (const size of [1, 2, 4, 5, 6, 11, 100]) {
    const client = new Sent().preface().settings().request(1, '/p.S/M')
    for (let at = 0; at < stream.length; at += size) client.data(1, stream.subarray(at, at + size))
    const recorder = new Recorder({ schema }).push('client', client)
    const messages = recorder.of('message')
    t.same(
      messages.map(({ index, lengthOctets, scan }) => [index, lengthOctets, scan?.records.map(recordValue)]),
      [
        [1, 5, ['one']],
        [2, 0, []],
        [3, 5, ['two']],
      ],
      `frames of ${size}`,
    )
    const { octets } = client
    for (const message of messages)
      t.equal(octets[message.offset], 0, 'the offset is that of the Compressed-Flag')
  }
})

t.test('without a schema messages are guessed', async (t) => {
  const recorder = new Recorder().push('client', call().client)
  const [message] = recorder.of('message')
  t.equal(message?.typeName, undefined)
  t.equal(message?.scan?.records[0]?.kinds[0], 'text')
  const unknown = new Recorder({ schema }).push(
    'client',
    new Sent().preface().settings().request(1, '/__proto__/x'),
  )
  t.equal(unknown.of('fields').length, 1)
})

t.test('compressed messages are shown both ways', async (t) => {
  const octets = gzipSync(hello('a'.repeat(300)))
  const client = new Sent()
    .preface()
    .settings()
    .request(1, '/p.S/M', 'grpc-encoding', 'gzip')
    .data(1, prefixed(octets, true))
    .data(1, prefixed(Uint8Array.of(1, 2, 3), true))
    .request(3, '/p.S/M', 'grpc-encoding', 'nothing-known')
    .data(3, prefixed(octets, true))
  const [good, damaged, unknown] = new Recorder({ schema }).push('client', client).of('message')
  t.match(good, { compressed: true, encoding: 'gzip', lengthOctets: octets.length, note: '' })
  t.equal(good?.plain?.length, 303)
  t.equal(recordValue(good!.scan!.records[0]!), 'a'.repeat(300))
  t.match(damaged, { plain: undefined, scan: undefined, note: /^can't decompress: / })
  t.match(unknown, { plain: undefined, note: 'can\'t decompress "nothing-known"' })
})

t.test('a decompressed message is bounded', async (t) => {
  const bomb = gzipSync(new Uint8Array(10_000_000))
  const client = new Sent().preface().settings().request(1, '/p.S/M', 'grpc-encoding', 'gzip')
  client.data(1, prefixed(bomb, true))
  const [message] = new Recorder({ schema }).push('client', client).of('message')
  t.match(message, { plain: undefined, note: /^can't decompress: / })
})

t.test('status: trailers, Trailers-Only, details, and what is no status', async (t) => {
  const details = new ProtobufWriter()
    .field(1, 'int32', 5)
    .field(2, 'string', 'no such country')
    .message(3, (any) =>
      any
        .field(1, 'string', 'type.googleapis.com/google.rpc.ResourceInfo')
        .message(2, (info) => info.field(1, 'string', 'Country')),
    )
    .finish()
  const server = new Sent()
    .settings()
    .headers(
      1,
      true,
      ...[':status', '200', 'content-type', 'application/grpc', 'grpc-status', '5'],
      ...[
        'grpc-message',
        'no such country: K%C3%B6rea',
        'grpc-status-details-bin',
        encodeBinaryValue(details),
      ],
    )
    .headers(3, false, ':status', '103')
    .response(3)
    .headers(3, true, 'grpc-status', '99')
  const client = new Sent().preface().settings().request(1, '/p.S/M').request(3, '/p.S/M')
  const recorder = new Recorder().push('client', client).push('server', server)
  t.same(
    recorder.of('fields').map(({ section }) => section),
    ['request', 'request', 'trailers-only', 'informational', 'response', 'trailers'],
  )
  const [notFound, strange] = recorder.of('status')
  t.match(notFound, { streamId: 1, code: 5, name: 'NOT_FOUND', message: 'no such country: Körea' })
  const [code, message, any] = notFound!.details!.records
  t.same(
    [code, message].map((record) => recordValue(record!)),
    [5, 'no such country'],
  )
  t.equal(any?.field?.message?.name, 'google.protobuf.Any')
  t.equal(any?.records?.[1]?.records?.[0]?.text, 'Country')
  t.match(strange, { streamId: 3, code: 2, name: 'UNKNOWN', malformed: '99' })
})

t.test('RFC 9113 §4.3: field blocks in fragments, padded, with priority', async (t) => {
  const client = new Sent().preface().settings()
  const block = client.block(':method', 'POST', ':path', '/p.S/M', 'content-type', 'application/grpc')
  const priority = Uint8Array.of(0, 0, 0, 0, 15)
  const padded = Buffer.concat([Uint8Array.of(3), priority, block.subarray(0, 4), new Uint8Array(3)])
  client.frame(FrameType.HEADERS, 0x28, 1, padded)
  client.frame(FrameType.CONTINUATION, 0, 1, block.subarray(4, 5))
  client.frame(FrameType.CONTINUATION, 4, 1, block.subarray(5))
  const recorder = new Recorder().push('client', client)
  const [fields] = recorder.of('fields')
  t.match(fields, { section: 'request', blockOctets: block.length })
  const at = fields!.offset
  t.same(client.octets.slice(at, at + 4), block.slice(0, 4), 'the offset is that of the first fragment')
})

t.test('RFC 9113 §8.4: a promised request', async (t) => {
  const server = new Sent().settings()
  const block = server.block(':method', 'GET', ':path', '/pushed')
  server.frame(FrameType.PUSH_PROMISE, 4, 1, Buffer.concat([Uint8Array.of(0, 0, 0, 2), block]))
  server.headers(2, false, ':status', '200')
  const recorder = new Recorder()
    .push('client', new Sent().preface().settings().request(1, '/x'))
    .push('server', server)
  t.same(
    recorder.of('fields').map(({ section, streamId }) => [section, streamId]),
    [
      ['request', 1],
      ['promised-request', 2],
      ['response', 2],
    ],
  )
})

t.test('a body that is no gRPC is shown as octets', async (t) => {
  const html = Buffer.from('<html>Bad Gateway</html>')
  const server = new Sent().settings()
  server.headers(1, false, ':status', '502', 'content-type', 'text/html').data(1, html)
  server.response(3).data(3, html).data(3, html, true)
  const client = new Sent().preface().settings().request(1, '/p.S/M').request(3, '/p.S/M')
  const recorder = new Recorder().push('client', client).push('server', server)
  t.equal(recorder.of('body').length, 3)
  t.equal(Buffer.from(recorder.of('body')[0]!.octets).toString(), html.toString())
  const [error] = recorder.of('error')
  t.match(error, { streamId: 3, fatal: false })
  t.match(error?.error, { layer: 'length-prefixed-message', reason: /HTML/ })
  t.equal(server.octets[error!.offset], 0x3c, 'at the first octet that is no prefix')
})

t.test('a stream that ends inside a message is an error', async (t) => {
  const client = new Sent().preface().settings().request(1, '/p.S/M')
  client.data(1, prefixed(hello('world')).subarray(0, 8), true)
  const [error] = new Recorder().push('client', client).of('error')
  t.match(error, {
    streamId: 1,
    fatal: false,
    error: { reason: 'The stream ended inside a message, after 3 of 7 octets' },
  })
  const prefixOnly = new Sent().preface().settings().request(1, '/p.S/M').data(1, Uint8Array.of(0, 0), true)
  t.match(new Recorder().push('client', prefixOnly).of('error'), [
    { error: { reason: /2 of 5 octets of its prefix/ } },
  ])
})

t.test('what is no HTTP/2 is named', async (t) => {
  const cases: ['client' | 'server', string | Uint8Array, RegExp][] = [
    ['client', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /HTTP\/1\.1 request/],
    ['client', Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252), /TLS/],
    ['server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /answered in HTTP\/1\.1/],
    ['server', '<html><body>hello</body></html>', /HTML/],
  ]
  for (const [sender, text, reason] of cases) {
    const recorder = new Recorder().push(sender, Buffer.from(text))
    t.match(recorder.events, [{ type: 'error', sender, fatal: true, error: { reason } }])
    recorder.push(sender, Buffer.from(text))
    t.equal(recorder.events.length, 1, 'nothing more is told of this direction')
    t.ok(new Recorder().push(sender, Buffer.from(text), 1).of('error')[0]?.fatal, 'octet by octet')
  }
})

t.test('a frame that breaks a rule', async (t) => {
  const client = new Sent().preface().settings().frame(FrameType.PING, 0, 0, new Uint8Array(7)).settings()
  const recorder = new Recorder().push('client', client)
  t.match(recorder.of('error'), [{ fatal: true, error: { section: 'RFC 9113 §6.7' } }])
  t.equal(recorder.of('frame').at(-1)?.frame.kind, 'INVALID')
  const stream = new Sent()
    .preface()
    .settings()
    .frame(FrameType.WINDOW_UPDATE, 0, 1, new Uint8Array(4))
    .settings()
  const lenient = new Recorder().push('client', stream)
  t.match(lenient.of('error'), [{ fatal: false, streamId: 1 }])
  t.equal(lenient.of('frame').at(-1)?.frame.kind, 'SETTINGS', 'the rest is read')
})

t.test('a field block that breaks a rule loses the table, not the frames', async (t) => {
  const client = new Sent()
    .preface()
    .settings()
    .frame(FrameType.HEADERS, 4, 1, Uint8Array.of(0x82, 0xff, 0x80, 0x01))
  client.request(3, '/p.S/M').data(3, prefixed(hello('x')))
  const recorder = new Recorder().push('client', client)
  t.match(recorder.of('error'), [{ fatal: false, error: { layer: 'hpack', section: 'RFC 7541 §2.3.3' } }])
  t.equal(recorder.of('error')[0]!.offset, 24 + 9 + 9 + 1)
  t.equal(recorder.of('fields').length, 0)
  t.equal(recorder.of('frame').length, 4)
})

t.test('RFC 9113 §6.5.3: SETTINGS bind the other end', async (t) => {
  // A larger table than 4096 octets only after the acknowledgement.
  const early = new Sent().preface().settings()
  early.frame(FrameType.HEADERS, 4, 1, Buffer.from('3fe17f82', 'hex'))
  const server = new Sent().settings([1, 65_536])
  t.equal(new Recorder().push('client', early).push('server', server).of('error').length, 1)
  const late = new Sent()
    .frame(FrameType.SETTINGS, 1, 0)
    .frame(FrameType.HEADERS, 4, 1, Buffer.from('3fe17f82', 'hex'))
  const recorder = new Recorder().push('client', new Sent().preface().settings()).push('server', server)
  t.equal(recorder.push('client', late).of('error').length, 0)
  t.match(recorder.of('fields')[0]?.instructions, [
    { kind: 'size-update', maxSizeOctets: 16_384 },
    { name: ':method' },
  ])
  // A frame above 16384 octets only if the other end allows it.
  const large = new Sent().preface().settings().request(1, '/p.S/M').data(1, new Uint8Array(20_000))
  t.match(new Recorder().push('client', large).of('error'), [
    { fatal: true, error: { section: 'RFC 9113 §4.2' } },
  ])
  const allowed = new Recorder().push('server', new Sent().settings([5, 32_768])).push('client', large)
  t.equal(allowed.of('error').length, 0)
})

t.test('what is kept is bounded', async (t) => {
  const large = new Sent().preface().settings().request(1, '/p.S/M')
  const stream = prefixed(new Uint8Array(100_000))
  for (let at = 0; at < stream.length; at += 16_384) large.data(1, stream.subarray(at, at + 16_384))
  large.data(1, prefixed(hello('next')), true)
  const [cut, next] = new Recorder({ keptMessageOctets: 1000 }).push('client', large).of('message')
  t.match(cut, { lengthOctets: 100_000, scan: undefined, note: 'only the first 1000 octets are kept' })
  t.equal(cut?.octets.length, 1000)
  t.equal(recordValue(next!.scan!.records[0]!), 'next')

  const many = new Sent().preface().settings()
  for (let id = 1; id < 20; id += 2) many.request(id, '/p.S/M')
  many.data(1, prefixed(hello('forgotten'))).data(19, prefixed(hello('followed')))
  const recorder = new Recorder({ maxStreams: 3 }).push('client', many)
  t.same(
    recorder.of('message').map(({ streamId }) => streamId),
    [19],
  )

  const flood = new Sent().preface().settings().frame(FrameType.HEADERS, 0, 1, new Uint8Array(1000))
  for (let i = 0; i < 20; i++) flood.frame(FrameType.CONTINUATION, 0, 1, new Uint8Array(1000))
  const flooded = new Recorder({ maxFieldBlockOctets: 5000 }).push('client', flood)
  t.match(flooded.of('error'), [
    { error: { reason: 'field block is larger than the 5000 octets that are shown' } },
  ])

  const fields = new Sent()
    .preface()
    .settings()
    .request(
      1,
      '/x',
      ...Array(400)
        .fill(['name', 'v'.repeat(50)])
        .flat(),
    )
  t.equal(new Recorder({ maxFieldBlockOctets: 5000 }).push('client', fields).of('fields')[0]?.truncated, true)
})

t.test('a stream that both ends ended, or that was reset, is forgotten', async (t) => {
  const client = new Sent().preface().settings().request(1, '/p.S/M')
  client.frame(FrameType.RST_STREAM, 0, 1, Uint8Array.of(0, 0, 0, 8)).data(1, prefixed(hello('late')))
  t.equal(new Recorder().push('client', client).of('message').length, 0)
  const { client: whole, server } = call()
  const recorder = new Recorder().push('client', whole).push('server', server)
  t.equal(recorder.push('server', new Sent().data(1, prefixed(hello('late')))).of('message').length, 2)
})

t.test('the end of a direction', async (t) => {
  const recorder = new Recorder().push('client', new Sent().preface().settings())
  recorder.dissector.end('client', 9)
  recorder.dissector.end('server', 10, 'read ECONNRESET')
  t.match(recorder.of('end'), [
    { sender: 'client', offset: 33, timeMs: 9, error: undefined },
    { sender: 'server', offset: 0, timeMs: 10, error: 'read ECONNRESET' },
  ])
})

t.test('seeds 1 to 300: changed and random octets end in events, never in an exception', async (t) => {
  let errors = 0
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed)
    const { client, server } = call()
    const recorder = new Recorder({ schema })
    for (const sender of ['client', 'server'] as const) {
      const octets = random.below(8) === 0 ? random.octets(200) : { client, server }[sender].octets
      for (let change = 1 + random.below(4); change > 0; change--) {
        octets[random.below(octets.length)] = random.below(256)
      }
      try {
        recorder.push(sender, octets, 1 + random.below(60))
      } catch (error) {
        t.fail(`seed ${seed}: ${error}`)
      }
    }
    errors += recorder.of('error').length
  }
  t.ok(errors > 150, `${errors} errors told`)
})
