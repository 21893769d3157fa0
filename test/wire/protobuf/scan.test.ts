import t from 'tap'
import { describeScan } from '../../../src/wire/protobuf/describe.ts'
import type { FieldDescriptor, MessageDescriptor } from '../../../src/wire/protobuf/descriptor.ts'
import type { ProtobufRecord } from '../../../src/wire/protobuf/record.ts'
import { type Scan, scan } from '../../../src/wire/protobuf/scan.ts'
import { ProtobufWriter } from '../../../src/wire/protobuf/writer.ts'
import { WireError } from '../../../src/wire/wire-error.ts'
import { Random } from './random.ts'
import { hex, toHex, vectors, violates } from './vectors.ts'

/** A descriptor of a list of fields. */
export function message(name: string, ...fields: FieldDescriptor[]): MessageDescriptor {
  return { name, field: (number) => fields.find((field) => field.number === number) }
}

for (const { section, name, input, expect } of vectors<
  { section: string; name: string; input: string; expect: string[] }[]
>('guide')) {
  t.test(`${section}: ${name}`, async (t) => {
    t.same(describeScan(scan(hex(input))), expect)
  })
}

for (const { rule, section, input, offset, reason } of vectors<
  { rule: string; section: string; input: string; offset: number; reason: string }[]
>('malformed')) {
  t.test(`${section}: ${rule} (${input})`, async (t) => {
    const expected = { layer: 'protobuf', section: `Protobuf Encoding, ${section}`, offset, reason }
    violates(t, () => scan(hex(input)), expected)
    const partial = scan(hex(input), { partial: true })
    t.match(partial.error, expected)
    t.equal(partial.end, offset)
    for (const record of partial.records) t.ok(record.end <= offset)
  })
}

t.test('records carry their offsets, in the scanned octets', async (t) => {
  const octets = hex('ff ff 1a 05 0a 03 61 62 63 43 08 02 44 2d 33 33 cb 41 ff')
  const { records, end } = scan(octets, { offset: 2, end: octets.length - 1 })
  const [len, group, i32] = records as [ProtobufRecord, ProtobufRecord, ProtobufRecord]
  t.match(len, { offset: 2, valueOffset: 4, valueEnd: 9, end: 9, fieldNumber: 3 })
  t.match(len.records![0], { offset: 4, valueOffset: 6, valueEnd: 9, end: 9, text: 'abc' })
  t.match(group, { offset: 9, valueOffset: 10, valueEnd: 12, end: 13, fieldNumber: 8, kinds: [] })
  t.match(group.records![0], { offset: 10, valueOffset: 11, valueEnd: 12, value: 2n })
  t.match(i32, { offset: 13, valueOffset: 14, valueEnd: 18, end: 18, value: 0x41cb3333n })
  t.equal(toHex(i32.octets), '3333cb41')
  t.equal(end, octets.length - 1)
})

t.test('depth is bounded', async (t) => {
  let octets: Uint8Array = new Uint8Array()
  for (let i = 0; i < 300; i++) octets = new ProtobufWriter().field(1, 'bytes', octets).finish()
  const depthOf = (records: readonly ProtobufRecord[] | undefined): number =>
    records === undefined || records.length === 0 ? 0 : 1 + depthOf(records[0]!.records)
  t.equal(depthOf(scan(octets).records), 100)
  t.equal(depthOf(scan(octets, { maxDepth: 3 }).records), 3)
  t.equal(depthOf(scan(octets, { maxDepth: 1000 }).records), 300)
  t.match(describeScan(scan(octets, { maxDepth: 2 }))[1], /not opened: deeper than 2/)
  t.throws(() => scan(octets, { maxDepth: 1001 }), RangeError)
  const groups = hex('0b'.repeat(50) + '0c'.repeat(50))
  t.equal(depthOf(scan(groups, { maxDepth: 7 }).records), 7)
  violates(t, () => scan(hex('0b'.repeat(101) + '0c'.repeat(101))), {
    reason: 'groups nested deeper than 100',
  })
})

t.test('the number of records is bounded', async (t) => {
  const octets = hex('0801'.repeat(20_000))
  const first = scan(octets)
  t.equal(first.records.length, 10_000)
  t.equal(first.truncated, true)
  t.equal(first.end, 20_000)
  t.match(describeScan(scan(octets, { maxRecords: 2 })), [
    '1 VARINT: 1',
    '1 VARINT: 1',
    '… more records, not read',
  ])
  const whole = scan(octets, { maxRecords: 20_000 })
  t.match(whole, { truncated: false, end: 40_000 })
  const nested = new ProtobufWriter()
    .message(1, (w) => w.out.octets(octets))
    .field(2, 'int32', 1)
    .finish()
  const cut = scan(nested, { maxRecords: 10 })
  t.equal(cut.records.length, 1)
  t.equal(cut.records[0]!.records!.length, 9)
  t.equal(cut.truncated, true)
})

const INNER = message('Inner', { number: 1, name: 'a', type: 'int32', repeated: false })
const REGION = { name: 'Region', valueName: (number: number) => (number === 1 ? 'ASIA' : undefined) }
const OUTER = message(
  'Outer',
  { number: 1, name: 'name', type: 'string', repeated: false },
  { number: 2, name: 'data', type: 'bytes', repeated: false },
  { number: 3, name: 'inner', type: 'message', repeated: false, message: INNER },
  { number: 4, name: 'numbers', type: 'sint32', repeated: true },
  { number: 5, name: 'floats', type: 'float', repeated: true },
  { number: 6, name: 'wide', type: 'fixed64', repeated: true },
  { number: 7, name: 'region', type: 'enum', repeated: true, enum: REGION },
  { number: 8, name: 'old', type: 'group', repeated: false, message: INNER },
  { number: 9, name: 'yes', type: 'bool', repeated: false },
)

t.test('a descriptor names fields and types and shows unknown ones', async (t) => {
  const octets = new ProtobufWriter()
    .field(1, 'string', 'hi')
    .field(2, 'bytes', Uint8Array.of(0x68, 0x69))
    .message(3, (w) => w.field(1, 'int32', -5).field(2, 'int32', 6))
    .packed(4, 'sint32', [-1, 1])
    .field(4, 'sint32', -2)
    .packed(5, 'float', [1.5])
    .packed(6, 'fixed64', [1n, 2n ** 64n - 1n])
    .packed(7, 'int32', [1, 2])
    .field(7, 'int32', 1)
    .group(8, (w) => w.field(1, 'int32', 7))
    .field(9, 'bool', true)
    .field(10, 'string', 'extra')
    .finish()
  t.same(describeScan(scan(octets, { message: OUTER })), [
    '1 LEN name: "hi" (string)',
    '2 LEN data: 6869 (bytes)',
    '3 LEN inner: 13 octets (Inner)',
    '  1 VARINT a: -5 (int32)',
    '  2 VARINT: 6',
    '4 LEN numbers: [-1, 1] (packed sint32)',
    '4 VARINT numbers: -2 (sint32)',
    '5 LEN floats: [1.5] (packed float)',
    '6 LEN wide: [1, 18446744073709551615] (packed fixed64)',
    '7 LEN region: [ASIA, 2] (packed Region)',
    '7 VARINT region: ASIA = 1 (Region)',
    '8 SGROUP old: group of 2 octets (Inner)',
    '  1 VARINT a: 7 (int32)',
    '9 VARINT yes: true (bool)',
    '10 LEN: "extra" (text?)',
  ])
})

t.test('octets that the declared type does not fit are shown as what they are', async (t) => {
  const octets = new ProtobufWriter()
    .field(1, 'int32', 5)
    .field(1, 'bytes', Uint8Array.of(0xff, 0xfe))
    .field(3, 'string', 'Not a message')
    .field(4, 'bytes', Uint8Array.of(0x80))
    .field(5, 'bytes', Uint8Array.of(1, 2, 3))
    .field(6, 'bytes', Uint8Array.of(1, 2, 3, 4))
    .field(9, 'bytes', Uint8Array.of(1))
    .finish()
  t.same(describeScan(scan(octets, { message: OUTER })), [
    '1 VARINT: 5 (declared string name, came as VARINT)',
    '1 LEN: fffe (octets?, declared string name, but the octets are none)',
    '3 LEN: "Not a message" (text?, declared message inner, but the octets are none)',
    '4 LEN: 80 (octets?, declared sint32 numbers, but the octets are none)',
    '5 LEN: [1, 2, 3] (packed varint?, declared float floats, but the octets are none)',
    '6 LEN: [1, 2, 3, 4] (packed varint?, declared fixed64 wide, but the octets are none)',
    '9 LEN: [1] (packed varint?, declared bool yes, came as LEN)',
  ])
})

t.test('Base 128 Varints: a needlessly long varint is noted', async (t) => {
  t.same(describeScan(scan(hex('08 81 80 00'))), ['1 VARINT: 1 (written in 3 octets, 1 would do)'])
})

/** Everything a scan promises of any octets. */
function check(octets: Uint8Array, result: Scan): void {
  const visit = (records: readonly ProtobufRecord[], start: number, end: number): void => {
    let at = start
    for (const record of records) {
      const ordered =
        record.offset === at &&
        record.offset < record.valueOffset &&
        record.valueOffset <= record.valueEnd &&
        record.valueEnd <= record.end &&
        record.end <= end
      if (!ordered) throw new Error(`record at ${record.offset} is out of order in ${toHex(octets)}`)
      if (record.records !== undefined) visit(record.records, record.valueOffset, record.valueEnd)
      at = record.end
    }
  }
  visit(result.records, 0, octets.length)
  describeScan(result)
}

t.test('every guide message cut at every octet', async (t) => {
  for (const { input } of vectors<{ input: string }[]>('guide')) {
    const whole = hex(input)
    for (let end = 0; end <= whole.length; end++) {
      const octets = whole.subarray(0, end)
      const result = scan(octets, { partial: true })
      check(octets, result)
      if (result.error === undefined) scan(octets)
      else t.throws(() => scan(octets), WireError)
    }
  }
})

t.test('seed 9: random octets, and valid ones with a few octets changed', async () => {
  const random = new Random(9)
  const seeds = vectors<{ input: string }[]>('guide').map(({ input }) => hex(input))
  for (let i = 0; i < 4000; i++) {
    const parts = Array.from({ length: 1 + random.below(4) }, () => random.pick(seeds))
    const octets = random.below(2) ? random.octets(random.below(60)) : Uint8Array.from(Buffer.concat(parts))
    for (let change = random.below(4); change > 0 && octets.length > 0; change--) {
      octets[random.below(octets.length)] = random.below(256)
    }
    check(octets, scan(octets, { partial: true }))
    check(octets, scan(octets, { partial: true, message: OUTER, maxRecords: 5 }))
  }
})

t.test('no input makes more records than half its octets', async (t) => {
  const random = new Random(10)
  const count = (records: readonly ProtobufRecord[]): number =>
    records.reduce((sum, record) => sum + 1 + count(record.records ?? []), 0)
  for (let i = 0; i < 200; i++) {
    const octets = random.octets(2000).map((octet) => octet & 0x1f)
    const { records } = scan(octets, { partial: true, maxRecords: 1e9 })
    t.ok(count(records) <= octets.length / 2)
  }
})

t.test('names of an untrusted schema do not reach a terminal as commands', async (t) => {
  const field: FieldDescriptor = { number: 1, name: 'a\u001b[2J', type: 'string', repeated: false }
  for (const input of ['08 01', '0a 01 ff']) {
    const [line] = describeScan(scan(hex(input), { message: message('M', field) }))
    t.match(line, /declared string a\\u\{1b\}\[2J/)
    t.notMatch(line, /\p{Cc}/u)
  }
})
