import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  decodeBinaryValue,
  decodeBinaryValues,
  encodeBinaryValue,
} from '../../../src/wire/grpc/binary-metadata.ts'
import { WireError } from '../../../src/wire/wire-error.ts'

const vectors: {
  both: { section: string; octets: string; text: string }[]
  decode: { section: string; input: string; expect: string }[]
  lists: { section: string; input: string; expect: string[] }[]
  malformed: { section: string; input: string }[]
} = JSON.parse(readFileSync(new URL('../../vectors/grpc/binary-metadata.json', import.meta.url), 'utf8'))

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex')

t.test('gRPC PROTOCOL-HTTP2 Binary-Header: base64, sent unpadded', async (t) => {
  for (const { section, octets, text } of vectors.both) {
    t.equal(encodeBinaryValue(Buffer.from(octets, 'hex')), text, section)
    t.equal(hex(decodeBinaryValue(text)), octets, `${section}, and back`)
  }
  const part = Uint8Array.of(1, 2, 3, 4).subarray(1, 3)
  t.equal(encodeBinaryValue(part), 'AgM', 'only the octets of the view')
})

t.test('gRPC PROTOCOL-HTTP2 Binary-Header: accepted padded and unpadded', async (t) => {
  for (const { section, input, expect } of vectors.decode)
    t.equal(hex(decodeBinaryValue(input)), expect, section)
})

t.test('gRPC PROTOCOL-HTTP2 Custom-Metadata: values joined by commas', async (t) => {
  for (const { section, input, expect } of vectors.lists)
    t.strictSame(decodeBinaryValues(input).map(hex), expect, section)
})

t.test('what is no base64 is refused', async (t) => {
  for (const { section, input } of vectors.malformed) {
    t.throws(() => decodeBinaryValues(input), WireError, `${section}: ${JSON.stringify(input)}`)
  }
  t.throws(() => decodeBinaryValue(`${'A'.repeat(60)}*`), { message: /AAA\.\.\..*1 digits|can't be whole/ })
  t.throws(() => decodeBinaryValue('AA*A'), { message: /"\*" is no digit of base64 at octet 2/ })
})

t.test('every length up to 256, every octet, padded or not', async (t) => {
  for (let size = 0; size <= 256; size++) {
    const octets = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff)
    const text = encodeBinaryValue(octets)
    if (text.includes('=') || hex(decodeBinaryValue(text)) !== hex(octets))
      t.fail(`${size} octets became ${text}`)
    const padded = Buffer.from(octets).toString('base64')
    if (hex(decodeBinaryValue(padded)) !== hex(octets)) t.fail(`${size} octets, padded: ${padded}`)
  }
})
