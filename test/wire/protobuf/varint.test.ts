import t from 'tap'
import { OctetWriter } from '../../../src/wire/octets.ts'
import {
  decodeVarint,
  encodeVarint,
  readShortVarint,
  readVarint,
  varintSizeOctets,
  writeVarint32,
} from '../../../src/wire/protobuf/varint.ts'
import { WireError } from '../../../src/wire/wire-error.ts'
import { Random } from './random.ts'
import { hex, toHex, vectors, violates } from './vectors.ts'

interface Case {
  section: string
  value: string
  octets: string
}
const { canonical, accepted } = vectors<{ canonical: Case[]; accepted: Case[] }>('varint')

for (const { section, value, octets } of canonical) {
  t.test(`${section}: ${value}`, async (t) => {
    const wanted = hex(octets)
    const number = BigInt(value)
    t.equal(toHex(encodeVarint(number)), toHex(wanted))
    t.same(decodeVarint(wanted), { value: number, end: wanted.length })
    t.equal(varintSizeOctets(Number(number & 0xffffffffn), Number(number >> 32n)), wanted.length)
    const cursor = {
      octets: Uint8Array.of(0xff, ...wanted, 0x55),
      offset: 1,
      end: wanted.length + 1,
      high: 9,
    }
    t.equal(readVarint(cursor), Number(number & 0xffffffffn), 'low half')
    t.equal(cursor.high, Number(number >> 32n), 'high half')
    t.equal(cursor.offset, wanted.length + 1)
    if (number <= 0xffffffffn) {
      const out = new OctetWriter(1)
      writeVarint32(out, Number(number))
      t.equal(toHex(out.take()), toHex(wanted))
    }
  })
}

for (const { section, value, octets } of accepted) {
  t.test(`${section}: ${octets} is accepted as ${value}`, async (t) => {
    t.same(decodeVarint(hex(octets)), { value: BigInt(value), end: hex(octets).length })
  })
}

t.test('Base 128 Varints: cut at every octet there is no last one', async (t) => {
  for (const { octets } of canonical) {
    const whole = hex(octets)
    for (let end = 0; end < whole.length; end++) {
      violates(t, () => decodeVarint(whole, 0, end), {
        name: 'WireError',
        layer: 'protobuf',
        section: 'Protobuf Encoding, Base 128 Varints',
        offset: 0,
        reason: /no last octet/,
      })
    }
  }
})

t.test('Base 128 Varints: over-long and beyond 64 bits', async (t) => {
  for (const input of ['80 80 80 80 80 80 80 80 80 80 01', 'ff ff ff ff ff ff ff ff ff ff ff ff']) {
    violates(t, () => decodeVarint(hex(input)), {
      reason: 'varint goes on after 10 octets, allowed 10',
      offset: 0,
    })
  }
  violates(t, () => decodeVarint(hex('00 80 80 80 80 80 80 80 80 80 02'), 1), {
    reason: 'varint needs more than 64 bits: its tenth octet is 2, allowed 0 or 1',
    offset: 1,
  })
})

t.test('tags and lengths are short varints', async (t) => {
  const read = (input: string, max: number) =>
    readShortVarint({ octets: hex(input), offset: 0, end: hex(input).length, high: 0 }, 'length', 'here', max)
  t.equal(read('ff ff ff ff 0f', 0xffffffff), 0xffffffff)
  t.equal(read('81 80 80 80 00', 0xffffffff), 1)
  violates(t, () => read('ff ff ff ff 0f', 0x7fffffff), {
    reason: 'length is 4294967295, allowed up to 2147483647',
    section: 'here',
  })
  violates(t, () => read('80 80 80 80 80 00', 9), { reason: 'length goes on after 5 octets, allowed 5' })
  violates(t, () => read('80 80', 9), {
    reason: 'length has no last octet: 2 octets with the continuation bit before the end',
  })
})

t.test(
  'encodeVarint refuses what 64 bits do not hold and writes negatives as two’s complement',
  async (t) => {
    t.throws(() => encodeVarint(1n << 64n), RangeError)
    t.throws(() => encodeVarint(-(1n << 63n) - 1n), RangeError)
    t.equal(toHex(encodeVarint(-2)), 'feffffffffffffffff01')
  },
)

t.test('seed 1: decode(encode(x)) = x, alone and among other octets', async (t) => {
  const random = new Random(1)
  for (let i = 0; i < 5000; i++) {
    const value = random.bits(64)
    const octets = encodeVarint(value)
    const decoded = decodeVarint(Uint8Array.of(0x80, ...octets, 0x80), 1)
    if (decoded.value !== value || decoded.end !== octets.length + 1)
      t.fail(`${value} came back as ${decoded.value}`)
  }
})

t.test('seed 2: random octets are a varint or a WireError', async (t) => {
  const random = new Random(2)
  for (let i = 0; i < 5000; i++) {
    const octets = random.octets(random.below(14)).map((octet) => (random.below(4) ? octet | 0x80 : octet))
    try {
      const { value, end } = decodeVarint(octets)
      if (value < 0n || value >= 1n << 64n || end > 10 || end < 1) t.fail(`${toHex(octets)} gave ${value}`)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
})
