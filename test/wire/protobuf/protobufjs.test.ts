/** protobufjs writes random messages of a rich schema; our scan finds in them what was put in. */
import protobuf from 'protobufjs'
import t from 'tap'
import { messageDescriptor } from '../../../src/inspect/protobufjs-descriptor.ts'
import type { ProtobufRecord } from '../../../src/wire/protobuf/record.ts'
import type { ScalarType } from '../../../src/wire/protobuf/scalar-type.ts'
import { scan } from '../../../src/wire/protobuf/scan.ts'
import { recordValue } from '../../../src/wire/protobuf/value.ts'
import { WireType } from '../../../src/wire/protobuf/wire-type.ts'
import { ProtobufWriter, type ScalarValue } from '../../../src/wire/protobuf/writer.ts'
import { Random } from './random.ts'
import { toHex } from './vectors.ts'

const SCALARS: ScalarType[] = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
]
const packable = SCALARS.filter((type) => type !== 'string' && type !== 'bytes')
const number = (base: number, index: number) => base + index * 7

const { root } = protobuf.parse(
  `syntax = "proto2";
  package rich;
  enum Colour { RED = 0; GREEN = 1; NEGATIVE = -3; }
  message Rich {
    ${SCALARS.map((type, i) => `optional ${type} one_${type} = ${number(1, i)};`).join('\n')}
    ${SCALARS.map((type, i) => `repeated ${type} many_${type} = ${number(1000, i)};`).join('\n')}
    ${packable.map((type, i) => `repeated ${type} packed_${type} = ${number(100_000, i)} [packed=true];`).join('\n')}
    optional Colour colour = 536870911;
    repeated Colour colours = 18000 [packed=true];
    optional Rich nested = 200;
    repeated Rich children = 201;
    map<string, int32> counts = 202;
    map<int64, Rich> by_id = 203;
    map<bool, bytes> flags = 204;
    oneof choice { string text = 205; Rich tree = 206; sint64 amount = 207; }
    optional group Old = 208 { optional int32 a = 1; optional group Older = 2 { optional string b = 1; } }
    repeated group Many = 209 { required fixed64 c = 16; }
    extensions 300 to 310;
  }
  extend Rich { optional string extra = 305; }`,
  { keepCase: true },
)
const Rich = root.lookupType('rich.Rich')

/** What should be found: a value, or the records inside. */
interface Expected {
  number: number
  value?: unknown
  inside?: Expected[]
}

const COLOURS: [string, number][] = [
  ['RED', 0],
  ['GREEN', 1],
  ['NEGATIVE', -3],
]

/** A random value as ours, and as protobufjs takes it. */
function randomScalar(random: Random, type: ScalarType): [unknown, unknown] {
  const wide = (value: bigint): [unknown, unknown] => [value, String(value)]
  switch (type) {
    case 'double': {
      const value = random.pick([0, -0, 0.1, -1e300, 5e-324, Infinity, random.below(1e9) / 3])
      return [value, value]
    }
    case 'float': {
      const value = Math.fround(random.pick([0, 0.1, -3e38, Infinity, random.below(1e9) / 3]))
      return [value, value]
    }
    case 'bool': {
      const value = random.below(2) === 1
      return [value, value]
    }
    case 'string': {
      const value = random.text()
      return [value, value]
    }
    case 'bytes': {
      const value = random.octets(random.below(20))
      return [value, value]
    }
    case 'uint32':
    case 'fixed32': {
      const value = Number(random.bits(32))
      return [value, value]
    }
    case 'int32':
    case 'sint32':
    case 'sfixed32': {
      const value = Number(BigInt.asIntN(32, random.bits(32)))
      return [value, value]
    }
    case 'uint64':
    case 'fixed64': {
      const value = random.bits(64)
      return [value, String(value)]
    }
    default:
      return wide(BigInt.asIntN(64, random.bits(64)))
  }
}

/** A random message for protobufjs, and what should be found in its octets, in any order. */
function randomRich(random: Random, depth: number): { plain: Record<string, unknown>; expected: Expected[] } {
  const plain: Record<string, unknown> = {}
  const expected: Expected[] = []
  const often = depth === 0 ? 2 : 6
  const nested = () => randomRich(random, depth + 1)
  SCALARS.forEach((type, i) => {
    if (random.below(often) === 0) {
      const [ours, theirs] = randomScalar(random, type)
      plain[`one_${type}`] = theirs
      expected.push({ number: number(1, i), value: ours })
    }
    if (random.below(often * 2) === 0) {
      const values = Array.from({ length: 1 + random.below(4) }, () => randomScalar(random, type))
      plain[`many_${type}`] = values.map(([, theirs]) => theirs)
      for (const [ours] of values) expected.push({ number: number(1000, i), value: ours })
    }
  })
  packable.forEach((type, i) => {
    if (random.below(often * 2) !== 0) return
    const values = Array.from({ length: 1 + random.below(9) }, () => randomScalar(random, type))
    plain[`packed_${type}`] = values.map(([, theirs]) => theirs)
    expected.push({ number: number(100_000, i), value: values.map(([ours]) => ours) })
  })
  if (random.below(often) === 0) {
    const [name, value] = random.pick(COLOURS)
    plain.colour = value
    expected.push({ number: 536870911, value: name })
    const names = [random.pick(COLOURS), random.pick(COLOURS)]
    plain.colours = names.map(([, value]) => value)
    expected.push({ number: 18000, value: names.map(([name]) => name) })
  }
  if (depth < 4 && random.below(2) === 0) {
    const inner = nested()
    plain.nested = inner.plain
    expected.push({ number: 200, inside: inner.expected })
    const children = [nested(), nested()]
    plain.children = children.map((child) => child.plain)
    for (const child of children) expected.push({ number: 201, inside: child.expected })
    const byId = nested()
    plain.by_id = { [protobuf.util.longToHash(-7)]: byId.plain }
    expected.push({
      number: 203,
      inside: [
        { number: 1, value: -7n },
        { number: 2, inside: byId.expected },
      ],
    })
  }
  if (random.below(often) === 0) {
    plain.counts = { 'a b': -1, '': 5 }
    for (const [key, value] of Object.entries(plain.counts as Record<string, number>)) {
      expected.push({
        number: 202,
        inside: [
          { number: 1, value: key },
          { number: 2, value },
        ],
      })
    }
    plain.flags = { true: Uint8Array.of(255) }
    expected.push({
      number: 204,
      inside: [
        { number: 1, value: true },
        { number: 2, value: Uint8Array.of(255) },
      ],
    })
  }
  if (random.below(often) === 0) {
    const [value, theirs] = randomScalar(random, 'sint64')
    plain.amount = theirs
    expected.push({ number: 207, value })
  } else if (depth < 4 && random.pick([true, false])) {
    const tree = nested()
    plain.tree = tree.plain
    expected.push({ number: 206, inside: tree.expected })
  }
  if (random.below(often) === 0) {
    const text = random.text()
    plain.old = { a: -1, older: { b: text } }
    expected.push({
      number: 208,
      inside: [
        { number: 1, value: -1 },
        { number: 2, inside: [{ number: 1, value: text }] },
      ],
    })
    plain.many = [{ c: 9 }, { c: 0 }]
    expected.push({ number: 209, inside: [{ number: 16, value: 9n }] })
    expected.push({ number: 209, inside: [{ number: 16, value: 0n }] })
  }
  if (random.below(often) === 0) {
    plain['.rich.extra'] = 'extension'
    expected.push({ number: 305, value: 'extension' })
  }
  return { plain, expected }
}

/** Records as what should be found. */
function found(records: readonly ProtobufRecord[]): Expected[] {
  return records.map((record) => {
    const value = recordValue(record)
    if (record.records !== undefined && value === undefined) {
      return { number: record.fieldNumber, inside: found(record.records) }
    }
    return { number: record.fieldNumber, value: value instanceof Uint8Array ? Uint8Array.from(value) : value }
  })
}

/** A stable order by number that keeps records of one field in their order. */
function sorted(expected: Expected[]): Expected[] {
  return [...expected]
    .sort((a, b) => a.number - b.number)
    .map((item) => (item.inside === undefined ? item : { ...item, inside: sorted(item.inside) }))
}

t.test('scanned with the schema: what protobufjs encoded, whole and in order', async (t) => {
  const message = messageDescriptor(Rich)
  let records = 0
  for (let seed = 1; seed <= 150; seed++) {
    const { plain, expected } = randomRich(new Random(seed), 0)
    const octets = Rich.encode(Rich.fromObject(plain)).finish()
    const result = scan(octets, { message, maxRecords: 1e6 })
    const came = sorted(found(result.records))
    t.strictSame(came, sorted(expected), `seed ${seed}: ${octets.length} octets`)
    records += result.records.length
    if (!t.passing()) return
  }
  t.ok(records > 1000, `${records} records`)
})

t.test('scanned without the schema: the same records at the same places', async (t) => {
  const message = messageDescriptor(Rich)
  const compare = (
    named: readonly ProtobufRecord[],
    guessed: readonly ProtobufRecord[],
    seed: number,
  ): void => {
    for (const [i, record] of named.entries()) {
      const other = guessed[i]!
      const same =
        other.offset === record.offset &&
        other.end === record.end &&
        other.fieldNumber === record.fieldNumber &&
        other.wireType === record.wireType &&
        other.value === record.value &&
        (record.wireType !== WireType.LEN || other.kinds.includes(record.kinds[0]!))
      if (!same) t.fail(`seed ${seed}: field ${record.fieldNumber} at ${record.offset}`, { record, other })
      if (record.records !== undefined) compare(record.records, other.records ?? [], seed)
    }
  }
  for (let seed = 1; seed <= 150; seed++) {
    const octets = Rich.encode(Rich.fromObject(randomRich(new Random(seed), 0).plain)).finish()
    const named = scan(octets, { message, maxRecords: 1e6 }).records
    const guessed = scan(octets, { maxRecords: 1e6 }).records
    t.equal(guessed.length, named.length)
    compare(named, guessed, seed)
  }
})

t.test('cut at every octet, a message of protobufjs is read up to the cut', async (t) => {
  const octets = Rich.encode(Rich.fromObject(randomRich(new Random(3), 2).plain)).finish()
  const whole = scan(octets).records
  for (let end = 0; end <= octets.length; end++) {
    const { records, error } = scan(octets.subarray(0, end), { partial: true })
    t.equal(records.length, whole.filter((record) => record.end <= end).length)
    if (error !== undefined) t.ok(error.offset! <= end)
  }
})

t.test('what our writer wrote is what protobufjs writes, and it reads ours', async (t) => {
  const random = new Random(11)
  for (let i = 0; i < 500; i++) {
    const type = random.pick(SCALARS)
    const [ours, theirs] = randomScalar(random, type)
    const field = Rich.fields[`one_${type}`]!
    const written = new ProtobufWriter().field(field.id, type, ours as ScalarValue<typeof type>).finish()
    const wanted = Rich.encode(Rich.fromObject({ [field.name]: theirs })).finish()
    if (toHex(written) !== toHex(wanted))
      t.fail(`${type} ${ours}: ${toHex(written)}, protobufjs ${toHex(wanted)}`)
  }
  const octets = new ProtobufWriter()
    .group(208, (group) => group.field(1, 'int32', -1).group(2, (older) => older.field(1, 'string', 'x')))
    .message(202, (entry) => entry.field(1, 'string', 'k').field(2, 'int32', 6))
    .packed(18000, 'int32', [-3, 1])
    .finish()
  t.match(Rich.toObject(Rich.decode(octets)), {
    old: { a: -1, older: { b: 'x' } },
    counts: { k: 6 },
    colours: [-3, 1],
  })
})
