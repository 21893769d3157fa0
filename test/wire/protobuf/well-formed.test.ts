import t from 'tap'
import { ProtobufReader } from '../../../src/wire/protobuf/reader.ts'
import { isVarints, isWellFormed } from '../../../src/wire/protobuf/well-formed.ts'
import { Random } from './random.ts'
import { hex, vectors } from './vectors.ts'

function readable(octets: Uint8Array, start: number, end: number): boolean {
  try {
    const reader = new ProtobufReader(octets, start, end)
    while (reader.next()) reader.skip()
    return true
  } catch {
    return false
  }
}

t.test('the same rules as the reader: vectors', async (t) => {
  for (const { input, rule } of vectors<{ input: string; rule: string }[]>('malformed')) {
    t.equal(isWellFormed(hex(input), 0, hex(input).length), false, rule)
  }
  for (const { input, name } of vectors<{ input: string; name: string }[]>('guide')) {
    t.equal(isWellFormed(hex(input), 0, hex(input).length), true, name)
  }
  for (const depth of [1, 100, 101, 5000]) {
    const octets = hex('0b'.repeat(depth) + '0c'.repeat(depth))
    t.equal(isWellFormed(octets, 0, octets.length), depth <= 100)
  }
})

t.test('seed 5: the same rules as the reader: random octets, mostly small ones', async (t) => {
  const random = new Random(5)
  let wellFormed = 0
  for (let i = 0; i < 50_000; i++) {
    const octets = random.octets(24).map((octet) => (random.below(3) ? octet & 0x1f : octet))
    const start = random.below(6)
    const end = start + random.below(18)
    const expected = readable(octets, start, end)
    if (expected) wellFormed++
    if (isWellFormed(octets, start, end) !== expected)
      t.fail(`${Buffer.from(octets).toString('hex')} ${start}-${end}`)
  }
  t.ok(wellFormed > 1000, `${wellFormed} of 50000 are well-formed`)
})

t.test('seed 6: whole varints, as a packed field is read', async (t) => {
  const random = new Random(6)
  for (let i = 0; i < 20_000; i++) {
    const octets = random
      .octets(random.below(24))
      .map((octet) => (random.below(3) ? octet | 0x80 : octet & 1))
    let expected = true
    try {
      const reader = new ProtobufReader(octets)
      while (reader.offset < reader.end) reader.varint()
    } catch {
      expected = false
    }
    if (isVarints(octets, 0, octets.length) !== expected) t.fail(Buffer.from(octets).toString('hex'))
  }
})
