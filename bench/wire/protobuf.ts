/**
 * Protobuf wire format: time and octets allocated per message, ours against npm packages, in one run.
 *
 * - Walking over all records without looking inside: `ProtobufReader` against protobufjs `Reader.skipType`.
 * - Reading known fields by hand, without generated code: `ProtobufReader` against the same `Reader`.
 * - The schema-less tree with guesses: `scan`; no package of npm that is maintained makes one on a current
 *   protobufjs, so it is shown beside protobufjs's `Type.decode`, which knows the schema.
 *
 * Run: `node --expose-gc --max-semi-space-size=128 --min-semi-space-size=128 --import=tsx bench/wire/protobuf.ts`
 */
import protobuf from 'protobufjs'
import { ProtobufReader } from '../../src/wire/protobuf/reader.ts'
import { scan } from '../../src/wire/protobuf/scan.ts'
import { ProtobufWriter } from '../../src/wire/protobuf/writer.ts'

const root = protobuf.loadSync(new URL('../../proto/countries.proto', import.meta.url).pathname)
const CountryResponse = root.lookupType('countries.CountryResponse')
const korea = CountryResponse.encode({
  name: 'Korea (Republic of)',
  alpha2Code: 'KR',
  capital: 'Seoul',
  subregion: 'Eastern Asia',
  population: 51_780_579,
  nativeName: '대한민국',
  currencies: [{ code: 'KRW', name: 'South Korean won', symbol: '₩' }],
}).finish()
const numbers = new ProtobufWriter()
for (let i = 1; i <= 40; i++) numbers.field(i, 'uint64', BigInt(i) ** 6n).field(i, 'fixed32', i)
const numeric = numbers.finish()

const ROUNDS = 9
/** Results go here so that no work can be left out. */
let sink = 0

interface Measured {
  ns: number
  octets: number
}

/** The best time of several rounds that take turns with the others, and the least allocated. */
function measure(contenders: Record<string, () => void>, count: number): Record<string, Measured> {
  const results: Record<string, Measured> = {}
  for (const [name, run] of Object.entries(contenders)) {
    for (let i = 0; i < 20_000; i++) run()
    results[name] = { ns: Infinity, octets: Infinity }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const result = results[name]!
      const start = process.hrtime.bigint()
      for (let i = 0; i < count; i++) run()
      result.ns = Math.min(result.ns, Number(process.hrtime.bigint() - start) / count)
      globalThis.gc?.()
      const before = process.memoryUsage().heapUsed
      for (let i = 0; i < 2000; i++) run()
      const octets = (process.memoryUsage().heapUsed - before) / 2000
      if (octets >= 0) result.octets = Math.min(result.octets, octets)
    }
  }
  return results
}

function report(title: string, contenders: Record<string, () => void>, count: number): void {
  const results = measure(contenders, count)
  console.log(title)
  const first = Object.values(results)[0]!
  for (const [name, { ns, octets }] of Object.entries(results)) {
    const allocated =
      globalThis.gc === undefined ? 'octets unknown without --expose-gc' : `${octets.toFixed(0)} octets`
    console.log(
      `  ${name.padEnd(34)} ${ns.toFixed(1).padStart(8)} ns  ${allocated.padStart(12)}  x ${(ns / first.ns).toFixed(2)}`,
    )
  }
}

function walkOurs(octets: Uint8Array): void {
  const reader = new ProtobufReader(octets)
  while (reader.next()) {
    sink += reader.fieldNumber
    reader.skip()
  }
}

function walkProtobufjs(octets: Uint8Array): void {
  const reader = protobuf.Reader.create(octets)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    sink += tag >>> 3
    reader.skipType(tag & 7)
  }
}

for (const [title, octets] of [
  [`walk over a country, ${korea.length} octets, 7 records`, korea],
  [`walk over numbers, ${numeric.length} octets, 80 records`, numeric],
] as const) {
  report(
    title,
    { 'ours: ProtobufReader': () => walkOurs(octets), 'protobufjs: Reader': () => walkProtobufjs(octets) },
    200_000,
  )
}

report(
  'read 40 uint64 and 40 fixed32',
  {
    'ours: ProtobufReader, bigint': () => {
      const reader = new ProtobufReader(numeric)
      while (reader.next())
        sink += reader.wireType === 0 ? Number(reader.uint64() & 1n) : reader.fixed32() & 1
    },
    'ours: ProtobufReader, halves': () => {
      const reader = new ProtobufReader(numeric)
      while (reader.next()) sink += (reader.wireType === 0 ? reader.varint() : reader.fixed32()) & 1
    },
    'protobufjs: Reader, Long': () => {
      const reader = protobuf.Reader.create(numeric)
      while (reader.pos < reader.len) {
        sink += (reader.uint32() & 7) === 0 ? Number(reader.uint64()) & 1 : reader.fixed32() & 1
      }
    },
  },
  50_000,
)

report(
  `whole tree of a country, ${korea.length} octets`,
  {
    'ours: scan, no schema, guesses': () => {
      sink += scan(korea).records.length
    },
    'protobufjs: decode, with schema': () => {
      sink += CountryResponse.decode(korea) instanceof CountryResponse.ctor ? 1 : 0
    },
  },
  50_000,
)

report(
  'write a country by hand',
  {
    'ours: ProtobufWriter': () => {
      sink += new ProtobufWriter()
        .field(1, 'string', 'Korea (Republic of)')
        .field(2, 'string', 'KR')
        .field(5, 'int32', 51_780_579)
        .message(7, (currency) => currency.field(1, 'string', 'KRW').field(3, 'string', '₩'))
        .finish().length
    },
    'protobufjs: Writer': () => {
      const writer = protobuf.Writer.create()
      writer.uint32(10).string('Korea (Republic of)').uint32(18).string('KR').uint32(40).int32(51_780_579)
      writer.uint32(58).fork().uint32(10).string('KRW').uint32(26).string('₩').ldelim()
      sink += writer.finish().length
    },
  },
  100_000,
)
if (sink < 0) console.log(sink)
