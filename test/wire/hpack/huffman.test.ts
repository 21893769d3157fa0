import { createRequire } from 'node:module'
import t from 'tap'
import {
  decodeHuffman,
  encodeHuffman,
  huffmanLength,
  maxDecodedLength,
} from '../../../src/wire/hpack/huffman.ts'
import { codeLengths, codes, EOS } from '../../../src/wire/hpack/huffman-code.ts'
import { OctetWriter } from '../../../src/wire/index.ts'
import { Random } from '../protobuf/random.ts'
import { fromHex, toHex } from './vectors.ts'

/** Codes as another implementation has them: length and code of each symbol. */
const { encode: otherCodes } = createRequire(import.meta.url)('hpack.js/lib/hpack/huffman') as {
  encode: [length: number, code: number][]
}

function encode(text: string): Uint8Array {
  const out = new OctetWriter(1)
  if (!encodeHuffman(text, out, 65536)) throw new Error('not encoded')
  return out.take()
}

function decode(octets: Uint8Array): string {
  const target = Buffer.alloc(maxDecodedLength(octets.length))
  return target.toString('latin1', 0, decodeHuffman(octets, 0, octets.length, target, 0))
}

t.test('RFC 7541 Appendix B: the counted codes are those of another implementation', async (t) => {
  t.equal(codes.length, 257)
  for (let symbol = 0; symbol < 256; symbol++) {
    t.same([codeLengths[symbol], codes[symbol]], otherCodes[symbol], `symbol ${symbol}`)
  }
  t.same([codeLengths[EOS], codes[EOS]], [30, 0x3fffffff])
})

t.test('RFC 7541 Appendix B: the code is complete, no bits are without meaning', async (t) => {
  let part = 0
  for (const length of codeLengths) part += 2 ** -length
  t.equal(part, 1)
})

for (const [text, coded] of [
  // RFC 7541 §C.4 and §C.6
  ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
  ['no-cache', 'a8eb10649cbf'],
  ['custom-key', '25a849e95ba97d7f'],
  ['custom-value', '25a849e95bb8e8b4bf'],
  ['302', '6402'],
  ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
  // The first eight octets have the longest codes but one, 13 + 23 + 6 * 28 bits.
  ['\x00\x01\x02\x03\x04\x05\x06\x07', 'ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7f'],
  ['', ''],
] as const) {
  t.test(`RFC 7541 §5.2: ${JSON.stringify(text)} both ways`, async (t) => {
    t.equal(toHex(encode(text)), coded)
    t.equal(decode(fromHex(coded)), text)
    t.equal(huffmanLength(text), coded.length / 2)
  })
}

t.test('RFC 7541 §5.2: every octet alone, and between others at every bit offset', async (t) => {
  const wrong: string[] = []
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet)
    for (let before = 0; before < 8; before++) {
      // '0' has five bits and '!' ten: five steps of the bit offset
      const text = `${'0'.repeat(before)}${character}!${character}`
      const coded = encode(text)
      if (decode(coded) !== text) wrong.push(`octet ${octet} after ${before} digits`)
      if (huffmanLength(text) !== coded.length) wrong.push(`length of octet ${octet} after ${before} digits`)
    }
  }
  t.same(wrong, [])
})

t.test('RFC 7541 §5.2: random strings are read back', async (t) => {
  const wrong: number[] = []
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed)
    const text = Buffer.from(random.octets(random.below(300))).toString('latin1')
    if (decode(encode(text)) !== text) wrong.push(seed)
  }
  t.same(wrong, [], 'seeds')
})

t.test('nothing is appended that takes the limit or more', async (t) => {
  const out = new OctetWriter(1)
  out.uint8(7)
  t.equal(encodeHuffman('www.example.com', out, 12), false)
  t.equal(encodeHuffman('a', out, 1), false)
  t.equal(encodeHuffman('\x00'.repeat(100), out, 100), false)
  t.equal(out.length, 1)
  t.equal(encodeHuffman('www.example.com', out, 13), true)
  t.equal(toHex(out.take()), '07f1e3c2e5f23a6ba0ab90f4ff')
})

t.test('a character that is no octet is not coded, and counted as longer than any', async (t) => {
  const out = new OctetWriter()
  t.equal(encodeHuffman('aĀ', out, 100), false)
  t.equal(out.length, 0)
  t.ok(huffmanLength('Ā') > 4)
})

t.test('the target is never written past what was promised', async (t) => {
  for (const text of ['0', '000', '0'.repeat(50), 'a'.repeat(49)]) {
    const coded = encode(text)
    const target = new Uint8Array(maxDecodedLength(coded.length) + 8).fill(0xaa)
    decodeHuffman(coded, 0, coded.length, target, 0)
    t.same([...target.subarray(-8)], new Array(8).fill(0xaa))
  }
})
