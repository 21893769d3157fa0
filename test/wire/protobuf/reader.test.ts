import t from 'tap'
import { ProtobufReader } from '../../../src/wire/protobuf/reader.ts'
import type { PackableType } from '../../../src/wire/protobuf/scalar-type.ts'
import { WireType } from '../../../src/wire/protobuf/wire-type.ts'
import { ProtobufWriter } from '../../../src/wire/protobuf/writer.ts'
import { WireError } from '../../../src/wire/wire-error.ts'
import { Random } from './random.ts'
import { hex, toHex, vectors, violates } from './vectors.ts'

interface Malformed {
  rule: string
  section: string
  input: string
  offset: number
  reason: string
}

/** Walks over everything as an unknowing parser does. */
function walk(octets: Uint8Array): number {
  const reader = new ProtobufReader(octets)
  let records = 0
  while (reader.next()) {
    records++
    reader.skip()
  }
  return records
}

for (const { rule, section, input, offset, reason } of vectors<Malformed[]>('malformed')) {
  t.test(`${section}: ${rule} (${input})`, async (t) => {
    violates(t, () => walk(hex(input)), {
      name: 'WireError',
      layer: 'protobuf',
      section: `Protobuf Encoding, ${section}`,
      offset,
      reason,
    })
  })
}

t.test('More Integer Types, Non-varint Numbers: limits of each scalar type', async (t) => {
  const limits = vectors<{ type: PackableType; value: string; octets: string }[]>('scalar-limits')
  for (const { type, value, octets } of limits) {
    const reader = new ProtobufReader(hex(octets))
    t.equal(reader.next(), true)
    const came = reader.scalar(type)
    t.equal(Object.is(came, -0) ? '-0' : String(came), value, `${type} ${value}`)
    t.equal(reader.next(), false)
    if (value === 'NaN') continue
    const wanted =
      typeof came === 'boolean' ? value === 'true' : typeof came === 'bigint' ? BigInt(value) : Number(value)
    t.equal(toHex(new ProtobufWriter().field(1, type, wanted as never).finish()), octets.replaceAll(' ', ''))
  }
})

t.test('More Integer Types: a longer varint is cut to the type that reads it', async (t) => {
  const octets = hex('ff ff ff ff ff ff ff ff 7f')
  t.equal(new ProtobufReader(octets).uint32(), 0xffffffff)
  t.equal(new ProtobufReader(octets).int32(), -1)
  t.equal(new ProtobufReader(hex('80 80 80 80 10')).bool(), true)
  t.equal(new ProtobufReader(hex('80 80 80 80 00')).bool(), false)
})

t.test('Submessages, Groups: readers over the inside, the outer one goes on behind', async (t) => {
  const octets = new ProtobufWriter()
    .message(3, (inner) => inner.field(1, 'int32', 150))
    .group(8, (inner) => inner.field(1, 'uint32', 2).group(8, (deeper) => deeper.field(3, 'string', 'foo')))
    .field(9, 'string', 'größe')
    .finish()
  const reader = new ProtobufReader(octets)
  t.ok(reader.next())
  const message = reader.message()
  t.ok(message.next())
  t.equal(message.int32(), 150)
  t.notOk(message.next())
  t.ok(reader.next())
  t.equal(reader.wireType, WireType.SGROUP)
  const group = reader.group()
  t.ok(group.next())
  t.equal(group.uint32(), 2)
  t.ok(group.next())
  const deeper = group.group()
  t.ok(deeper.next())
  t.equal(deeper.string(), 'foo')
  t.notOk(deeper.next())
  t.notOk(group.next())
  t.ok(reader.next())
  t.equal(reader.fieldNumber, 9)
  t.equal(reader.string(), 'größe')
  t.notOk(reader.next())
})

t.test('Packed Repeated Fields: whole numbers of values', async (t) => {
  t.same(new ProtobufReader(hex('06 03 8e 02 9e a7 05')).packed('int32'), [3, 270, 86942])
  t.same(new ProtobufReader(hex('00')).packed('double'), [])
  const section = 'Protobuf Encoding, Packed Repeated Fields'
  violates(t, () => new ProtobufReader(hex('05 00 00 c0 3f 00')).packed('float'), {
    reason: 'packed float of 5 octets, allowed a multiple of 4',
    section,
  })
  violates(t, () => new ProtobufReader(hex('04 00 00 c0 3f')).packed('fixed64'), {
    reason: 'packed fixed64 of 4 octets, allowed a multiple of 8',
    section,
  })
  violates(t, () => new ProtobufReader(hex('02 01 96 01')).packed('uint64'), {
    reason: /no last octet/,
    offset: 2,
  })
})

t.test('Condensed Reference Card: a string is UTF-8', async (t) => {
  for (const input of ['01 ff', '02 c0 80', '03 ed a0 80', '01 e2']) {
    violates(t, () => new ProtobufReader(hex(input)).string(), { reason: 'string is not UTF-8', offset: 0 })
  }
})

t.test('Groups: nested as deep as allowed, and deeper', async (t) => {
  const nested = (depth: number) => hex('0b'.repeat(depth) + '0c'.repeat(depth))
  t.equal(walk(nested(100)), 1)
  violates(t, () => walk(nested(101)), { reason: 'groups nested deeper than 100', offset: 100 })
  t.throws(() => walk(hex('0b'.repeat(1_000_000))), WireError)
  const reader = new ProtobufReader(nested(3))
  reader.next()
  violates(t, () => reader.skip(2), { reason: 'groups nested deeper than 2' })
})

t.test('every guide message cut at every octet is shorter records or a WireError', async (t) => {
  for (const { input } of vectors<{ input: string }[]>('guide')) {
    const octets = hex(input)
    const whole = walk(octets)
    for (let end = 0; end < octets.length; end++) {
      try {
        t.ok(walk(octets.subarray(0, end)) < whole, `${input} cut to ${end}`)
      } catch (error) {
        t.ok(error instanceof WireError, String(error))
        t.ok((error as WireError).offset! <= end)
      }
    }
  }
})

t.test('seed 3: random octets are records or a WireError, and never read beyond the end', async (t) => {
  const random = new Random(3)
  let broken = 0
  for (let i = 0; i < 20_000; i++) {
    const around = random.octets(40)
    const start = random.below(10)
    const end = start + random.below(20)
    const reader = new ProtobufReader(around, start, end)
    try {
      while (reader.next()) {
        reader.skip()
        if (reader.offset > end) t.fail(`read to ${reader.offset}, allowed ${end}`)
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      broken++
    }
  }
  t.ok(broken > 10_000 && broken < 20_000, `${broken} of 20000 were broken`)
})
