import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { OctetWriter } from '../../../src/wire/octets.ts'
import { ProtobufReader } from '../../../src/wire/protobuf/reader.ts'
import {
  type PackableType,
  SCALAR_WIRE_TYPES,
  type ScalarType,
} from '../../../src/wire/protobuf/scalar-type.ts'
import { ProtobufWriter } from '../../../src/wire/protobuf/writer.ts'
import { Random } from './random.ts'
import { toHex } from './vectors.ts'

t.test('the examples of the guide are written as it shows them', async (t) => {
  const write = (fill: (writer: ProtobufWriter) => unknown) => {
    const writer = new ProtobufWriter()
    fill(writer)
    return toHex(writer.finish())
  }
  t.equal(
    write((w) => w.field(1, 'int32', 150)),
    '089601',
    'A Simple Message',
  )
  t.equal(
    write((w) => w.field(1, 'int32', -2)),
    '08feffffffffffffffff01',
    'Signed Integers',
  )
  t.equal(
    write((w) => w.field(1, 'int64', -2n)),
    '08feffffffffffffffff01',
    'Signed Integers',
  )
  t.equal(
    write((w) => w.field(1, 'sint32', -500)),
    '08e707',
    'Signed Integers',
  )
  t.equal(
    write((w) => w.field(5, 'double', 25.4)),
    '296666666666663940',
    'Non-varint Numbers',
  )
  t.equal(
    write((w) => w.field(6, 'fixed64', 200n)),
    '31c800000000000000',
    'Non-varint Numbers',
  )
  t.equal(
    write((w) => w.field(5, 'float', 25.4)),
    '2d3333cb41',
    'Non-varint Numbers',
  )
  t.equal(
    write((w) => w.field(2, 'string', 'testing')),
    '120774657374696e67',
    'Length-Delimited Records',
  )
  t.equal(
    write((w) => w.message(3, (m) => m.field(1, 'int32', 150))),
    '1a03089601',
    'Submessages',
  )
  t.equal(
    write((w) => w.packed(6, 'int32', [3, 270, 86942])),
    '3206038e029ea705',
    'Packed Repeated Fields',
  )
  const group = write((w) => w.group(8, (g) => g.field(1, 'int32', 2).field(3, 'string', 'foo')))
  t.equal(group, '4308021a03666f6f44', 'Groups')
})

t.test('the length of a payload takes the octets it needs, in a buffer of any size', async (t) => {
  for (const size of [0, 1, 126, 127, 128, 129, 16_383, 16_384, 2_097_152]) {
    for (const capacity of [1, size + 1, 4096]) {
      const payload = new Uint8Array(size).fill(0x61)
      const writer = new ProtobufWriter(new OctetWriter(capacity))
      writer.message(1, (inner) => inner.message(2, (deeper) => deeper.out.octets(payload)))
      writer.field(3, 'string', 'a'.repeat(size)).field(4, 'bytes', payload)
      const reader = new ProtobufReader(writer.finish())
      reader.next()
      const inner = reader.message()
      inner.next()
      t.ok(Buffer.from(inner.bytes()).equals(payload), `${size} octets nested, capacity ${capacity}`)
      reader.next()
      t.equal(reader.string().length, size)
      reader.next()
      t.equal(reader.bytes().length, size)
      t.equal(reader.next(), false)
    }
  }
})

t.test('values that the type does not hold are refused', async (t) => {
  const writer = new ProtobufWriter()
  const refused: [ScalarType, unknown][] = [
    ['int32', 2 ** 31],
    ['int32', 1.5],
    ['int32', Number.NaN],
    ['uint32', -1],
    ['uint32', 2 ** 32],
    ['sint32', -(2 ** 31) - 1],
    ['fixed32', 2 ** 32],
    ['sfixed32', 2 ** 31],
    ['int64', 2n ** 63n],
    ['uint64', -1n],
    ['sint64', -(2n ** 63n) - 1n],
    ['fixed64', 2n ** 64n],
    ['sfixed64', 2n ** 63n],
  ]
  for (const [type, value] of refused) {
    t.throws(() => writer.scalar(type, value as never), RangeError, `${type} ${value}`)
  }
  t.throws(() => writer.uint64(1 as never), TypeError)
  t.throws(() => writer.string('\ud800'), TypeError)
  t.throws(() => writer.tag(0, 0), /allowed 1 to 536870911/)
  t.throws(() => writer.tag(2 ** 29, 0), RangeError)
  t.equal(writer.finish().length, 0, 'nothing was written')
})

/** A random value of a scalar type. */
function randomValue(random: Random, type: ScalarType): unknown {
  switch (type) {
    case 'string':
      return random.text()
    case 'bytes':
      return random.octets(random.below(200))
    case 'bool':
      return random.below(2) === 1
    case 'float':
      return Math.fround((random.below(2000) - 1000) / 7)
    case 'double':
      return (random.below(2 ** 31) - 2 ** 30) / 7
    case 'uint32':
    case 'fixed32':
      return Number(random.bits(32))
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return Number(BigInt.asIntN(32, random.bits(32)))
    case 'uint64':
    case 'fixed64':
      return random.bits(64)
    default:
      return BigInt.asIntN(64, random.bits(64))
  }
}

t.test('seed 4: what is written is read back, each type, single and packed', async (t) => {
  const random = new Random(4)
  const types = Object.keys(SCALAR_WIRE_TYPES) as ScalarType[]
  for (let i = 0; i < 3000; i++) {
    const type = random.pick(types)
    const fieldNumber = 1 + Number(random.bits(29) % 536870911n)
    const value = randomValue(random, type)
    const reader = new ProtobufReader(new ProtobufWriter().field(fieldNumber, type, value as never).finish())
    reader.next()
    const back = reader[type]()
    if (
      reader.fieldNumber !== fieldNumber ||
      reader.offset !== reader.end ||
      !isDeepStrictEqual(back, value)
    ) {
      t.fail(`${type} ${value} in field ${fieldNumber} came back as ${back} in ${reader.fieldNumber}`)
    }
    if (type === 'string' || type === 'bytes') continue
    const values = Array.from({ length: random.below(60) }, () => randomValue(random, type))
    const packed = new ProtobufWriter().packed(fieldNumber, type, values as never).finish()
    const packedReader = new ProtobufReader(packed)
    packedReader.next()
    const backAll = packedReader.packed(type as PackableType)
    if (!isDeepStrictEqual(backAll, values)) t.fail(`packed ${type} ${values} came back as ${backAll}`)
  }
})
