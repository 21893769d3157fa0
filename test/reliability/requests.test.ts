/**
 * What a gRPC server must police in requests and messages (RELIABILITY 2.2 and 2.3), on both engines, by a raw
 * peer: each row is one request, and what must come back.
 */
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { HpackDecoder } from '../../src/wire/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { dataFrame, headersFrame, type RawPeer, Type } from '../support/raw-http2.ts'
import { attack } from './attack.ts'

/** A request's fields, some replaced (a value), left out (undefined) or added. */
function fields(changes: Record<string, string | undefined> = {}): string[] {
  const all: Record<string, string | undefined> = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/test.Text/One',
    ':authority': 'a',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...changes,
  }
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

function message(body: Uint8Array | string = '{"text":"x"}', flag = 0, lengthOctets?: number): Buffer {
  const octets = Buffer.concat([Buffer.alloc(5), Buffer.from(body)])
  octets[0] = flag
  octets.writeUInt32BE(lengthOctets ?? octets.length - 5, 1)
  return octets
}

/** What came back on a stream: header fields, trailer fields, and the code of RST_STREAM. */
interface Answer {
  headers: Record<string, string>
  rst: number | undefined
  goaway: number | undefined
}

const decoders = new WeakMap<RawPeer, HpackDecoder>()

async function answer(peer: RawPeer, streamId: number): Promise<Answer> {
  await Promise.race([
    peer.until(() =>
      peer.frames.some(
        ({ type, flags, streamId: id }) => id === streamId && (type === Type.RST_STREAM || (flags & 1) === 1),
      )
        ? true
        : undefined,
    ),
    peer.gone(),
  ])
  // A reset may follow the answer.
  await new Promise((resolve) => setTimeout(resolve, 5))
  const decoder = decoders.get(peer) ?? new HpackDecoder()
  decoders.set(peer, decoder)
  const headers: Record<string, string> = {}
  for (const each of peer.frames.splice(0)) {
    if (each.type === Type.HEADERS) {
      const list = decoder.decode(each.payload, 0, each.payload.length)
      for (let i = 0; i < list.length; i += 2) headers[list[i]!] = list[i + 1]!
    } else if (each.type === Type.RST_STREAM) headers.rst = String(each.payload.readUInt32BE())
    else if (each.type === Type.GOAWAY) headers.goaway = String(each.payload.readUInt32BE(4))
  }
  const { rst, goaway, ...rest } = headers
  return {
    headers: rest,
    rst: rst === undefined ? undefined : Number(rst),
    goaway: goaway === undefined ? undefined : Number(goaway),
  }
}

interface Row {
  name: string
  fields: string[]
  body?: Buffer
  /** Fields that must be in the answer; `rst` if the stream must be reset as malformed (RFC 9113 §8.1.1). */
  expect: Record<string, string | RegExp> | 'malformed'
  /** The engine whose HTTP/2 is more lenient here, and what it may answer. */
  node?: Record<string, string | RegExp> | 'malformed'
}

const OK = { 'grpc-status': '0' }
const grpc = (code: number, details?: RegExp): Record<string, string | RegExp> => ({
  'grpc-status': String(code),
  ...(details && { 'grpc-message': details }),
})
const http = (status: string): Record<string, string> => ({ ':status': status })

const ROWS: readonly Row[] = [
  {
    name: '28 duplicate pseudo-header',
    fields: [...fields().slice(0, 2), ':method', 'POST', ...fields().slice(2)],
    expect: 'malformed',
  },
  { name: '28 unknown pseudo-header', fields: [':foo', 'x', ...fields()], expect: 'malformed' },
  {
    name: '28 pseudo-header after a regular field',
    fields: [...fields().slice(0, 4), 'x', 'y', ...fields().slice(4)],
    expect: 'malformed',
  },
  { name: '28 :path missing', fields: fields({ ':path': undefined }), expect: 'malformed' },
  { name: '28 :method missing', fields: fields({ ':method': undefined }), expect: 'malformed' },
  { name: '28 :scheme missing', fields: fields({ ':scheme': undefined }), expect: 'malformed' },
  { name: '28 :path empty', fields: fields({ ':path': '' }), expect: 'malformed' },
  { name: '28 connection-specific field', fields: fields({ connection: 'close' }), expect: 'malformed' },
  { name: '28 transfer-encoding', fields: fields({ 'transfer-encoding': 'chunked' }), expect: 'malformed' },
  { name: '28 upper-case name', fields: fields({ 'X-Up': 'x' }), expect: 'malformed' },
  { name: '28 te: gzip', fields: fields({ te: 'gzip' }), expect: 'malformed' },
  { name: '29 NUL in a value', fields: fields({ x: 'a\0b' }), expect: 'malformed', node: OK },
  { name: '29 CR LF in a value', fields: fields({ x: 'a\r\nb: c' }), expect: 'malformed', node: OK },
  { name: '29 space in a name', fields: fields({ 'a b': 'x' }), expect: 'malformed', node: OK },
  { name: '29 space before a value', fields: fields({ x: ' a' }), expect: 'malformed', node: OK },
  {
    name: '30 :path without slash, CVE-2026-33186',
    fields: fields({ ':path': 'test.Text/One' }),
    expect: 'malformed',
    node: 'malformed',
  },
  { name: '31 double slash', fields: fields({ ':path': '//test.Text/One' }), expect: grpc(12) },
  {
    name: '31 __proto__',
    fields: fields({ ':path': '/__proto__/constructor' }),
    expect: grpc(12, /__proto__/),
  },
  { name: '32 GET', fields: fields({ ':method': 'GET' }), expect: http('405') },
  { name: '32 PUT', fields: fields({ ':method': 'PUT' }), expect: http('405') },
  { name: '33 text/html', fields: fields({ 'content-type': 'text/html' }), expect: http('415') },
  { name: '33 no content-type', fields: fields({ 'content-type': undefined }), expect: http('415') },
  {
    name: '33 application/grpcfoo',
    fields: fields({ 'content-type': 'application/grpcfoo' }),
    expect: http('415'),
  },
  { name: '34 no te: served', fields: fields({ te: undefined }), body: message(), expect: OK },
  {
    name: '35 content-length that does not match',
    fields: fields({ 'content-length': '3' }),
    body: message(),
    expect: 'malformed',
  },
  {
    name: '38 length of 4 GiB',
    fields: fields(),
    body: message('x', 0, 0xffffffff),
    expect: grpc(8, /larger than max \(4294967295 vs 4194304\)/),
  },
  {
    name: '38 length of the limit and one',
    fields: fields(),
    body: message('x', 0, 4_194_305),
    expect: grpc(8),
  },
  {
    name: '39 longer than the stream',
    fields: fields(),
    body: message('{"text":', 0, 50),
    expect: grpc(13, /ended inside a message/),
  },
  { name: '39 a cut prefix', fields: fields(), body: Buffer.from([0, 0, 0]), expect: grpc(13, /prefix/) },
  {
    name: '40 Compressed-Flag without grpc-encoding',
    fields: fields(),
    body: message('{}', 1),
    expect: grpc(13),
  },
  { name: '41 reserved flag bits', fields: fields(), body: message('{}', 2), expect: grpc(13) },
  { name: '41 all flag bits', fields: fields(), body: message('{}', 255), expect: grpc(13) },
  {
    name: '42 unknown grpc-encoding',
    fields: fields({ 'grpc-encoding': 'rot13' }),
    expect: { ...grpc(12, /rot13/), 'grpc-accept-encoding': /identity,gzip/ },
  },
  {
    name: '43 damaged gzip',
    fields: fields({ 'grpc-encoding': 'gzip' }),
    body: message('no gzip', 1),
    expect: grpc(13, /decompress/),
  },
  {
    name: 'gzip that is right',
    fields: fields({ 'grpc-encoding': 'gzip' }),
    body: message(gzipSync('{"text":"z"}'), 1),
    expect: OK,
  },
  { name: '44 no message', fields: fields(), body: Buffer.alloc(0), expect: grpc(12) },
  {
    name: '44 two messages',
    fields: fields(),
    body: Buffer.concat([message(), message()]),
    expect: grpc(12),
  },
  { name: '45 grpc-timeout abc', fields: fields({ 'grpc-timeout': 'abc' }), expect: grpc(13, /"abc"/) },
  { name: '45 grpc-timeout of 9 digits', fields: fields({ 'grpc-timeout': '123456789m' }), expect: grpc(13) },
  { name: '45 negative grpc-timeout', fields: fields({ 'grpc-timeout': '-1S' }), expect: grpc(13) },
  { name: '45 grpc-timeout without unit', fields: fields({ 'grpc-timeout': '1' }), expect: grpc(13) },
  { name: '45 grpc-timeout 0n', fields: fields({ 'grpc-timeout': '0n' }), body: message(), expect: grpc(4) },
  {
    name: '45 grpc-timeout 99999999H',
    fields: fields({ 'grpc-timeout': '99999999H' }),
    body: message(),
    expect: OK,
  },
  {
    name: '17 129 metadata entries',
    fields: [...fields(), ...Array.from({ length: 129 }, (_, i) => [`x-${i}`, '']).flat()],
    body: message(),
    expect: grpc(8, /^Received 129 metadata entries in the request headers, more than the 128 /),
  },
  {
    name: '17 10,000 binary values under one name',
    fields: fields({ 'x-bin': ','.repeat(9_999) }),
    body: message(),
    expect: grpc(8, /^Received 10000 metadata entries/),
  },
  {
    name: '17 128 metadata entries',
    fields: [...fields(), ...Array.from({ length: 128 }, () => ['x', '']).flat()],
    body: message(),
    expect: OK,
  },
  { name: '46 invalid base64 in -bin', fields: fields({ 'x-bin': '***' }), body: message(), expect: OK },
  { name: '46 padded -bin', fields: fields({ 'x-bin': 'AQ==' }), body: message(), expect: OK },
  {
    name: '47 __proto__ as metadata',
    fields: fields({ ['__proto__' as string]: 'x' }).concat('__proto__', 'polluted'),
    body: message(),
    expect: OK,
  },
]

for (const engine of ENGINES) {
  for (const row of ROWS) {
    t.test(`${engine}: ${row.name}`, (t) =>
      attack(t, engine, async ({ raw }) => {
        const peer = await raw()
        peer.frames.length = 0
        const body = row.body ?? message()
        peer.write(headersFrame(1, false, ...row.fields), dataFrame(1, true, body))
        const got = await answer(peer, 1)
        const expected = engine === 'node' ? (row.node ?? row.expect) : row.expect
        if (expected === 'malformed') {
          t.ok(got.rst === 1 || got.goaway === 1, `reset with PROTOCOL_ERROR: ${JSON.stringify(got)}`)
        } else t.match(got.headers, expected, JSON.stringify(got))
        t.equal(({} as { polluted?: unknown }).polluted, undefined)
      }),
    )
  }

  t.test(`${engine}: 37 a gzip bomb is stopped at the limit`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      peer.frames.length = 0
      const bomb = message(gzipSync(Buffer.alloc(64 * 1024 * 1024)), 1)
      peer.write(headersFrame(1, false, ...fields({ 'grpc-encoding': 'gzip' })))
      for (let at = 0; at < bomb.length; at += 16_000) {
        peer.write(dataFrame(1, at + 16_000 >= bomb.length, bomb.subarray(at, at + 16_000)))
      }
      t.match((await answer(peer, 1)).headers, grpc(8, /decompresses to a size larger than 4194304/))
    }),
  )
}
