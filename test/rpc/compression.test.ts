import { deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import {
  acceptedEncodings,
  decompressMessage,
  messageEncoding,
  registerMessageEncoding,
} from '../../src/rpc/compression.ts'
import { rejection } from './support/pair.ts'

t.test('gRPC compression.md: every encoding restores what it compressed', async (t) => {
  const octets = Buffer.from('the same text again and again '.repeat(100))
  const names = acceptedEncodings().split(',')
  t.same(names.slice(0, 4), ['identity', 'gzip', 'deflate', 'br'])
  for (const name of names.slice(1)) {
    const encoding = messageEncoding(name)!
    const compressed = encoding.compress(octets)
    t.ok(compressed.length < octets.length, name)
    t.same(
      Buffer.from(decompressMessage(encoding, compressed, octets.length)),
      octets,
      `${name} exactly at the limit`,
    )
    t.throws(
      () => decompressMessage(encoding, compressed, octets.length - 1),
      { code: 8 },
      `${name} over the limit`,
    )
  }
})

t.test('a small message does not keep a large buffer alive', async (t) => {
  for (const name of ['gzip', 'deflate', 'br']) {
    const encoding = messageEncoding(name)!
    const restored = decompressMessage(encoding, encoding.compress(Buffer.from('hello '.repeat(20))), 1 << 20)
    t.equal(restored.length, 120, name)
    // a piece of Node's shared pool, or little of its own
    t.ok(restored.buffer.byteLength <= 8192, `${name}: ${restored.buffer.byteLength} octets`)
  }
})

t.test('messages larger than one piece of output are whole', async (t) => {
  const octets = Buffer.alloc(300_000, 'the same text again and again ')
  const noise = Buffer.from(Array.from(octets, (_, i) => Math.imul(i, 2654435761) >>> 13))
  for (const name of ['gzip', 'deflate', 'br']) {
    const encoding = messageEncoding(name)!
    for (const message of [octets, noise]) {
      const restored = decompressMessage(encoding, encoding.compress(message), message.length)
      t.ok(message.equals(restored), name)
    }
  }
})

t.test('a bomb is stopped at the limit', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const before = process.memoryUsage.rss()
  t.throws(() => decompressMessage(messageEncoding('gzip')!, bomb, 1000), {
    code: 8,
    details: 'Received message that decompresses to a size larger than 1000',
  })
  t.ok(process.memoryUsage.rss() - before < 48 * 1024 * 1024, 'it was not inflated first')
})

t.test('damaged octets are INTERNAL', async (t) => {
  const gzip = messageEncoding('gzip')!
  const good = gzipSync('hello')
  for (const [name, octets] of [
    ['no gzip', Buffer.from('hello')],
    ['cut', good.subarray(0, good.length - 4)],
    ['empty', Buffer.alloc(0)],
    ['deflate', deflateSync('hello')],
  ] as const) {
    const error = await rejection(Promise.resolve().then(() => decompressMessage(gzip, octets, 100)))
    t.match(error, { code: 13, details: 'Failed to decompress gzip-encoded message' }, name)
  }
})

t.test('a registry for others', async (t) => {
  const reverse = (octets: Uint8Array) => Uint8Array.from(octets).reverse()
  registerMessageEncoding({ name: 'x-reverse', compress: reverse, decompress: reverse })
  t.ok(acceptedEncodings().endsWith(',x-reverse'))
  const encoding = messageEncoding('x-reverse')!
  t.same([...decompressMessage(encoding, encoding.compress(Uint8Array.of(1, 2)), 2)], [2 - 1, 2])
  t.throws(
    () => decompressMessage(encoding, Uint8Array.of(1, 2), 1),
    { code: 8 },
    'a codec without limit is checked',
  )
  for (const name of ['', 'identity', 'a b', 'a,b', 'GZIP']) {
    t.throws(() => registerMessageEncoding({ ...encoding, name }), TypeError, JSON.stringify(name))
  }
})
