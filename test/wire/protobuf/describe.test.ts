import t from 'tap'
import { describeRecord, describeScan } from '../../../src/wire/protobuf/describe.ts'
import { scan } from '../../../src/wire/protobuf/scan.ts'
import { ProtobufWriter } from '../../../src/wire/protobuf/writer.ts'
import { hex } from './vectors.ts'

const first = (octets: Uint8Array) => scan(octets).records[0]!

t.test('long values are cut to the columns there are', async (t) => {
  const octets = new ProtobufWriter()
    .field(1, 'string', '한국어 '.repeat(1000))
    .field(2, 'bytes', new Uint8Array(5000).fill(0xff))
    .packed(
      3,
      'uint64',
      Array.from({ length: 999 }, () => 1n << 30n),
    )
    .field(4, 'string', '\u001b"'.repeat(300))
    .finish()
  for (const maxColumns of [40, 80, 120]) {
    for (const line of describeScan(scan(octets), { maxColumns, indent: 2, offsets: true })) {
      t.ok(line.length <= maxColumns, line)
      t.match(line, /octets/)
    }
  }
  const [text, bytes, packed] = describeScan(scan(octets), { maxColumns: 60 })
  t.match(text, /^1 LEN: "한국어 .*"… of 10000 octets \(text\?\)$/)
  t.match(bytes, /^2 LEN: (ff)+… of 5000 octets \(octets\?\)$/)
  t.match(packed, /^3 LEN: \[1073741824, … of 4995 octets\] \(packed varint\?\)$/)
})

t.test('offsets stand in front, what stopped a scan at the end', async (t) => {
  t.same(describeScan(scan(hex('08 01 0a 01 61 0f'), { partial: true }), { offsets: true }), [
    '   0 1 VARINT: 1',
    '   2 1 LEN: "a" (text?)',
    '! protobuf: wire type 7 in tag 0xf, allowed 0 to 5 at octet 5 (Protobuf Encoding, Message Structure)',
  ])
})

t.test('one line for one record', async (t) => {
  t.equal(describeRecord(first(hex('0a 00'))), '1 LEN: 0 octets (message?)')
  t.equal(describeRecord(first(hex('0b 0c'))), '1 SGROUP: group of 0 octets')
  t.equal(describeRecord(first(hex('0a 03 ff fe fd'))), '1 LEN: fffefd (octets?)')
})

t.test('names of an untrusted schema are quoted', async (t) => {
  const field = { number: 1, name: 'a\u001b[31m', type: 'int32', repeated: false } as const
  const record = scan(hex('08 01'), { message: { name: 'M', field: () => field } }).records[0]!
  t.equal(describeRecord(record), '1 VARINT "a\\u{1b}[31m": 1 (int32)')
})
