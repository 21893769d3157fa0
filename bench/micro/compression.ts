/**
 * Message encodings: time and size of zlib's settings for several kinds of messages, and what of them this library
 * uses. Best of several rounds, in turns.
 *
 * Run: `node --import=tsx bench/micro/compression.ts`
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import zlib from 'node:zlib'
import { messageEncoding } from '../../src/rpc/compression.ts'
import { bodyOf } from '../worker/payload.ts'

const ROUNDS = 12
/** Octets that one time covers: small messages are repeated. */
const SAMPLE_OCTETS = 300_000
const MAX_OCTETS = 4 << 20

/** Messages with a number, a short text and random octets each. */
function records(count: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const name = Buffer.from(`user-${(i * 7919) % 5000}`)
    parts.push(Buffer.from([0x0a, name.length + 13, 0x08, (i & 127) | 128, i >> 7, 0x12, name.length]))
    parts.push(name, Buffer.from([0x1a, 6]), randomBytes(6))
  }
  return Buffer.concat(parts)
}

const messages: Record<string, Uint8Array> = {
  JSON: Buffer.from(
    JSON.stringify(
      Array.from({ length: 1000 }, (_, id) => ({ id, name: `user ${id % 97}`, ok: id % 3 === 0 })),
    ),
  ),
  source: readFileSync(new URL('../../src/http2/node/node-connection.ts', import.meta.url)),
  protobuf: records(1200),
  'bench body': bodyOf(65536),
  random: randomBytes(65536),
  small: records(40),
}

type Transform = (octets: Uint8Array) => Uint8Array
const deflate =
  (level: number, memLevel: number): Transform =>
  (octets) =>
    zlib.gzipSync(octets, { level, memLevel })
const brotli =
  (quality: number): Transform =>
  (octets) =>
    zlib.brotliCompressSync(octets, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: quality } })

const gzip = messageEncoding('gzip')!
const br = messageEncoding('br')!
const compressors: Record<string, Transform> = {
  'gzip, as used': (octets) => gzip.compress(octets),
  'gzip 6 (default)': deflate(6, 8),
  'gzip 1': deflate(1, 9),
  'gzip 2': deflate(2, 9),
  'gzip 3': deflate(3, 9),
  'br, as used': (octets) => br.compress(octets),
  'br 1': brotli(1),
  'br 4': brotli(4),
}
const restorers: Record<string, Transform> = {
  'gunzip, as used': (octets) => gzip.decompress(octets, MAX_OCTETS),
  'gunzip, defaults': (octets) => zlib.gunzipSync(octets, { maxOutputLength: MAX_OCTETS }),
}

function compare(transforms: Record<string, Transform>, octets: Uint8Array): void {
  const best = new Map<string, number>()
  const count = Math.max(3, Math.ceil(SAMPLE_OCTETS / octets.length))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, transform] of Object.entries(transforms)) {
      const startedAt = performance.now()
      for (let i = 0; i < count; i++) transform(octets)
      const us = ((performance.now() - startedAt) * 1000) / count
      best.set(name, Math.min(us, best.get(name) ?? Number.POSITIVE_INFINITY))
    }
  }
  for (const [name, us] of best) {
    const sizeOctets = transforms[name]!(octets).length
    console.log(
      `  ${name.padEnd(18)} ${us.toFixed(1).padStart(8)} µs ${String(sizeOctets).padStart(8)} octets`,
    )
  }
}

for (const [name, octets] of Object.entries(messages)) {
  console.log(`\n${name}, ${octets.length} octets`)
  compare(compressors, octets)
  compare(restorers, zlib.gzipSync(octets))
}
