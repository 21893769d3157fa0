/**
 * What a gRPC client must police in responses (RELIABILITY 2.3), on both engines, by a raw server: each row is one
 * answer, and how the call must end; the next call on the same connection is served.
 */
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { connect, StatusError } from '../../src/rpc/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'
import { openSockets } from '../support/descriptors.ts'
import { dataFrame, greetAsServer, headersFrame, RawServer, Type } from '../support/raw-http2.ts'
import { heapOctets, settled } from './attack.ts'

const MAX_GROWTH_OCTETS = 20 * 1024 * 1024
const HEADERS = [':status', '200', 'content-type', 'application/grpc']

function message(body: Uint8Array | string = '{"text":"x"}', flag = 0, lengthOctets?: number): Buffer {
  const octets = Buffer.concat([Buffer.alloc(5), Buffer.from(body)])
  octets[0] = flag
  octets.writeUInt32BE(lengthOctets ?? octets.length - 5, 1)
  return octets
}

interface Row {
  name: string
  /** The answer to the request on stream `id`. */
  answer: (id: number) => Buffer[]
  code: number
  details: RegExp | string
  /** Messages that a streaming call gets before its end; default none. */
  messages?: number
}

/** A message, and trailers with these fields. */
const ended = (...fields: string[]) => [
  (id: number) => headersFrame(id, false, ...HEADERS),
  (id: number) => dataFrame(id, false, message()),
  (id: number) => headersFrame(id, true, ...fields),
]
const answerOf = (parts: readonly ((id: number) => Buffer)[]) => (id: number) => parts.map((part) => part(id))
const page =
  (status: string, type = 'text/html') =>
  (id: number) => [
    headersFrame(id, false, ':status', status, 'content-type', type),
    dataFrame(id, true, '<html><body>no</body></html>'),
  ]
const body =
  (octets: Buffer, ...fields: string[]) =>
  (id: number) => [
    headersFrame(id, false, ...HEADERS, ...fields),
    ...Array.from({ length: Math.ceil(octets.length / 16_000) }, (_, i) =>
      dataFrame(id, false, octets.subarray(i * 16_000, (i + 1) * 16_000)),
    ),
    headersFrame(id, true, 'grpc-status', '0'),
  ]

const ROWS: readonly Row[] = [
  {
    name: '48 grpc-message with a broken percent sign is kept',
    answer: answerOf(ended('grpc-status', '3', 'grpc-message', '100% %E2%98%83 %zz')),
    code: 3,
    details: '100% ☃ %zz',
    messages: 1,
  },
  {
    name: '48 grpc-message that is no UTF-8 is kept',
    answer: answerOf(ended('grpc-status', '3', 'grpc-message', 'a%FF%FEb')),
    code: 3,
    details: /^a.+b$/,
    messages: 1,
  },
  ...(['99', '-1', 'abc', '', '17', '5x'] as const).map((status) => ({
    name: `49 grpc-status ${JSON.stringify(status)}`,
    answer: answerOf(ended('grpc-status', status, 'grpc-message', 'words')),
    code: 2,
    details: new RegExp(`^Received grpc-status ${JSON.stringify(status)}.*words$`),
    messages: 1,
  })),
  {
    name: '49 grpc-status twice',
    answer: answerOf(ended('grpc-status', '0', 'grpc-status', '5')),
    code: 2,
    details: /several/,
    messages: 1,
  },
  {
    name: '49 no grpc-status',
    answer: answerOf(ended('x', 'y')),
    code: 2,
    details: /no grpc-status/,
    messages: 1,
  },
  {
    name: '50 no trailers',
    answer: (id) => [headersFrame(id, false, ...HEADERS), dataFrame(id, true, message())],
    code: 13,
    details: /without trailers and grpc-status/,
    messages: 1,
  },
  {
    name: '50 headers alone',
    answer: (id) => [headersFrame(id, true, ...HEADERS)],
    code: 13,
    details: /without trailers and grpc-status/,
  },
  ...Object.entries({
    200: 2,
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    429: 14,
    500: 2,
    502: 14,
    503: 14,
    504: 14,
  }).map(([status, code]) => ({
    name: `51 an HTML page with HTTP ${status}`,
    answer: page(status),
    code,
    details: new RegExp(`^Received HTTP status code ${status} with content-type "text/html" .*HTML`),
  })),
  {
    name: '51 HTML that claims to be gRPC',
    answer: page('200', 'application/grpc'),
    code: 13,
    details: /the peer sent HTML/,
  },
  {
    name: '54 a compressed reply without grpc-encoding',
    answer: body(message(gzipSync('{"text":"x"}'), 1)),
    code: 13,
    details: /declared no grpc-encoding/,
  },
  {
    name: '54 a compressed reply with an unknown grpc-encoding',
    answer: body(message('x', 1), 'grpc-encoding', 'rot13'),
    code: 13,
    details: /"rot13"/,
  },
  {
    name: '43 damaged gzip',
    answer: body(message('no gzip', 1), 'grpc-encoding', 'gzip'),
    code: 13,
    details: /decompress/,
  },
  {
    name: '41 reserved flag bits',
    answer: body(message('{}', 0x80)),
    code: 13,
    details: /Compressed-Flag is 128/,
  },
  {
    name: '37 a gzip bomb',
    answer: body(message(gzipSync(Buffer.alloc(64 * 1024 * 1024)), 1), 'grpc-encoding', 'gzip'),
    code: 8,
    details: 'Received message that decompresses to a size larger than 4194304',
  },
  {
    name: '38 a length of 4 GiB',
    answer: body(message('x', 0, 0xffffffff)),
    code: 8,
    details: 'Received message larger than max (4294967295 vs 4194304)',
  },
  {
    name: '39 longer than the stream',
    answer: body(message('x', 0, 10)),
    code: 13,
    details: /ended inside a message/,
  },
  {
    name: '39 a cut prefix',
    answer: body(Buffer.from([0, 0])),
    code: 13,
    details: /prefix|inside a message/,
  },
]

/** A channel to a raw server that answers one request after the other with `answers`. */
async function start(t: Test, engine: (typeof ENGINES)[number], answers: ((id: number) => Buffer[])[]) {
  const server = await RawServer.start((peer) => {
    void greetAsServer(peer)
    let seen = 0
    peer.socket.on('data', () => {
      for (const { type, streamId } of peer.frames.slice(seen)) {
        if (type === Type.HEADERS) peer.write(...(answers.shift() ?? OK)(streamId))
      }
      seen = peer.frames.length
    })
  })
  const channel = connect(`127.0.0.1:${server.address.port}`, { engine })
  t.teardown(async () => {
    await channel.close({ graceMs: 0 })
    await server.close()
  })
  return { server, channel, client: channel.client(Text) }
}
const OK = answerOf(ended('grpc-status', '0'))

for (const engine of ENGINES) {
  const sockets = openSockets()
  const heap = heapOctets()

  for (const { name, answer, code, details, messages = 0 } of ROWS) {
    t.test(`${engine}: ${name}`, async (t) => {
      const { server, client } = await start(t, engine, [answer, answer])
      const options = { deadline: 5000 }
      t.match(await client.one({}, options).status, { code, details }, 'unary')
      const many = client.many({}, options)
      const got: unknown[] = []
      const error = await (async () => {
        for await (const each of many) got.push(each)
      })().catch((error: unknown) => error)
      t.ok(error instanceof StatusError)
      t.match(error, { code, details }, 'server streaming')
      t.equal(got.length, messages, 'messages before the end')
      t.same(await client.one({}, options), { text: 'x' }, 'the next call')
      t.equal(server.peers.length, 1, 'on the same connection')
    })
  }

  t.test(`${engine}: 52 two replies to a unary call end it at once`, async (t) => {
    const { client } = await start(t, engine, [
      (id) => [
        headersFrame(id, false, ...HEADERS),
        dataFrame(id, false, Buffer.concat([message(), message()])),
      ],
    ])
    // the server leaves the stream open: without a deadline, waiting for its end would be for ever
    t.match(await client.one({}).status, { code: 12, details: /Too many responses/ })
    t.same(await client.one({}), { text: 'x' })
  })

  t.test(`${engine}: 53 messages before an error status all arrive`, async (t) => {
    const count = 500
    const answer = (id: number) => [
      headersFrame(id, false, ...HEADERS),
      ...Array.from({ length: count }, () => dataFrame(id, false, message())),
      headersFrame(id, true, 'grpc-status', '9', 'grpc-message', 'enough'),
    ]
    const { client } = await start(t, engine, [answer, answer])
    for (const slow of [false, true]) {
      const call = client.many({})
      let got = 0
      const reading = (async () => {
        for await (const _ of call) {
          got++
          if (slow && got % 50 === 0) await new Promise(setImmediate)
        }
      })()
      await t.rejects(reading, { code: 9, details: 'enough' })
      t.equal(got, count)
    }
  })

  t.test(`${engine}: after all of these descriptors and memory are back`, async (t) => {
    if (sockets !== undefined)
      t.ok(await settled(() => openSockets()! <= sockets), `${openSockets()} after ${sockets}`)
    let growth = 0
    await settled(() => {
      growth = heapOctets() - heap
      return growth < MAX_GROWTH_OCTETS
    })
    t.ok(growth < MAX_GROWTH_OCTETS, `${(growth / 1048576).toFixed(1)} MiB more`)
  })
}
