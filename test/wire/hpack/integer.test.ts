import t from 'tap'
import { MAX_INTEGER, readInteger, writeInteger } from '../../../src/wire/hpack/integer.ts'
import { OctetWriter } from '../../../src/wire/index.ts'
import { Random } from '../protobuf/random.ts'
import { fromHex, readVectors, toHex } from './vectors.ts'

interface IntegerVector {
  section: string
  name: string
  prefixBits: number
  value: number
  octets: string
}

const cursorOf = (octets: Uint8Array) => ({ octets, start: 0, end: octets.length, position: 0 })

for (const { section, name, prefixBits, value, octets } of readVectors<IntegerVector[]>('c1')) {
  t.test(`${section}: ${name}`, async (t) => {
    const input = fromHex(octets)
    const cursor = cursorOf(input)
    t.equal(readInteger(cursor, prefixBits), value)
    t.equal(cursor.position, input.length)
    const out = new OctetWriter(1)
    writeInteger(out, 0, prefixBits, value)
    t.equal(toHex(out.take()), toHex(input))
  })
}

t.test('RFC 7541 §5.1: bits above the prefix are the representation, not the integer', async (t) => {
  const out = new OctetWriter()
  writeInteger(out, 0x80, 7, 5)
  writeInteger(out, 0x40, 6, 1337)
  const octets = out.take()
  t.equal(toHex(octets), '857ffa09')
  const cursor = cursorOf(octets)
  t.equal(readInteger(cursor, 7), 5)
  t.equal(readInteger(cursor, 6), 1337)
})

t.test('RFC 7541 §5.1: every integer is read back, with every prefix', async (t) => {
  const random = new Random(7541)
  const values = [0, 1, MAX_INTEGER]
  for (let bits = 1; bits < 32; bits++) values.push(2 ** bits - 1, 2 ** bits, random.below(2 ** bits))
  const out = new OctetWriter()
  const wrong: string[] = []
  for (let prefixBits = 1; prefixBits <= 8; prefixBits++) {
    for (const value of values) {
      out.clear()
      writeInteger(out, 0, prefixBits, value)
      const cursor = cursorOf(out.take())
      const read = readInteger(cursor, prefixBits)
      if (read !== value || cursor.position !== cursor.end)
        wrong.push(`${value}, prefix ${prefixBits}: ${read}`)
    }
  }
  t.same(wrong, [])
})

t.test('RFC 7541 §5.1: offsets in errors count from the start of the block', async (t) => {
  const octets = fromHex('00 00 ff 80')
  try {
    t.fail(`read ${readInteger({ octets, start: 1, end: 4, position: 2 }, 7)}`)
  } catch (error) {
    t.match(error, { name: 'WireError', offset: 3 })
  }
})
