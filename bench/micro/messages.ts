/**
 * Encoding and decoding messages: this library, proto-loader's functions as grpc-js uses them, and bare protobufjs
 * (neither checks nor plain objects). Time a message; best of several rounds, in turns.
 *
 * Run: `node --import=tsx bench/micro/messages.ts`
 */
import { fileURLToPath } from 'node:url'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import protobuf from 'protobufjs'
import { findMessageType } from '../../src/rpc/messages/find-declaration.ts'
import { loadProtoSync } from '../../src/rpc/messages/load-proto.ts'
import type { MessageField } from '../../src/rpc/messages/message-type.ts'

const file = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const kindsFile = file('test/rpc/messages/proto/kinds.proto')
const ours = loadProtoSync([file('proto/helloworld.proto'), file('proto/countries.proto'), kindsFile])
const loaderOptions = { longs: String, enums: String, defaults: true, oneofs: true }

interface Contender {
  name: string
  encode(message: object): Uint8Array
  decode(octets: Uint8Array): unknown
}

function contenders(
  path: string,
  typeName: string,
  service: string,
  method: string,
  side: 'request' | 'response',
): Contender[] {
  const type = findMessageType(ours, typeName)!
  const definition = (
    loadSync(path, loaderOptions)[service] as Record<string, MethodDefinition<object, object>>
  )[method]!
  const bare = protobuf.loadSync(path).lookupType(typeName)
  const loader =
    side === 'request'
      ? { encode: definition.requestSerialize, decode: definition.requestDeserialize }
      : { encode: definition.responseSerialize, decode: definition.responseDeserialize }
  return [
    {
      name: 'grpc-glass',
      encode: (message) => type.encode(message),
      decode: (octets) => type.decode(octets, 0, octets.length),
    },
    { name: 'proto-loader', encode: loader.encode, decode: (octets) => loader.decode(octets as Buffer) },
    {
      name: 'bare protobufjs',
      encode: (message) => bare.encode(message).finish(),
      decode: (octets) => bare.decode(octets),
    },
  ]
}

let kept: unknown

function time(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) kept = run()
  return Number(process.hrtime.bigint() - start) / count
}

function compare(title: string, all: Contender[], message: object, bareMessage: object, count: number): void {
  const octets = all[1]!.encode(message)
  console.log(`\n${title} (${octets.length} octets)`)
  const best = all.map(() => ({ encode: Infinity, decode: Infinity }))
  for (let round = 0; round < 7; round++) {
    for (const [i, contender] of all.entries()) {
      const given = contender.name === 'bare protobufjs' ? bareMessage : message
      best[i]!.encode = Math.min(
        best[i]!.encode,
        time(() => contender.encode(given), count),
      )
      best[i]!.decode = Math.min(
        best[i]!.decode,
        time(() => contender.decode(octets), count),
      )
    }
  }
  for (const [i, { name }] of all.entries()) {
    const { encode, decode } = best[i]!
    console.log(
      `  ${name.padEnd(18)} encode ${encode.toFixed(0).padStart(7)} ns   decode ${decode.toFixed(0).padStart(7)} ns`,
    )
  }
}

const hello = { name: 'world, a name of thirty octets' }
compare(
  'helloworld.HelloRequest',
  contenders(
    file('proto/helloworld.proto'),
    'helloworld.HelloRequest',
    'helloworld.Greeter',
    'SayHello',
    'request',
  ),
  hello,
  hello,
  200_000,
)
const country = {
  name: 'Korea (Republic of)',
  alpha2Code: 'KR',
  capital: 'Seoul',
  subregion: 'Eastern Asia',
  population: 51780579,
  nativeName: '대한민국',
  currencies: [{ code: 'KRW', name: 'South Korean won', symbol: '₩' }],
}
compare(
  'countries.CountryResponse',
  contenders(
    file('proto/countries.proto'),
    'countries.CountryResponse',
    'countries.Country',
    'Search',
    'response',
  ),
  country,
  country,
  100_000,
)
const scalars = {
  aDouble: 1.5,
  anInt32: -1,
  anInt64: '-9007199254740993',
  aUint64: '18446744073709551615',
  aBool: true,
  aString: 'text',
  someBytes: Buffer.alloc(64, 1),
  color: 'RED',
}
// protobufjs does not declare the static methods of Long.
const { fromString: long } = protobuf.util.Long as unknown as {
  fromString(text: string, unsigned: boolean): unknown
}
const bareScalars = {
  ...scalars,
  anInt64: long(scalars.anInt64, false),
  aUint64: long(scalars.aUint64, true),
  color: 1,
}
compare(
  'kinds.Scalars, 64-bit integers as text',
  contenders(kindsFile, 'kinds.Scalars', 'kinds.Kinds', 'Get', 'response'),
  scalars,
  bareScalars,
  100_000,
)

/** The checks before encoding: generated once a type, and, for comparison, as a loop over the fields. */
const checks: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string' && !/[\ud800-\udfff]/.test(value),
  int32: (value) => typeof value === 'number' && value === (value | 0),
}

function checkInLoop(
  typeName: string,
  fieldsOf: Map<string, readonly MessageField[]>,
  message: object,
): void {
  let properties = 0
  for (const field of fieldsOf.get(typeName)!) {
    const value = (message as Record<string, unknown>)[field.name]
    if (value === undefined) continue
    properties++
    const values = field.rule === 'repeated' ? (value as unknown[]) : [value]
    for (const one of values) {
      if (field.kind === 'message') checkInLoop(field.type, fieldsOf, one as object)
      else if (!checks[field.type]!(one)) throw new TypeError(field.name)
    }
  }
  if (properties !== Object.keys(message).length) throw new TypeError('unknown field')
}

const countryType = findMessageType(ours, 'countries.CountryResponse')!
const fieldsOf = new Map(
  ['countries.CountryResponse', 'countries.Currencies'].map((name) => [
    name,
    findMessageType(ours, name)!.fields,
  ]),
)
let generatedNs = Infinity
let loopNs = Infinity
for (let round = 0; round < 7; round++) {
  generatedNs = Math.min(
    generatedNs,
    time(() => countryType.check(country, 0), 100_000),
  )
  loopNs = Math.min(
    loopNs,
    time(() => checkInLoop('countries.CountryResponse', fieldsOf, country), 100_000),
  )
}
console.log(
  `\nchecks of countries.CountryResponse: generated ${generatedNs.toFixed(0)} ns, in a loop ${loopNs.toFixed(0)} ns`,
)
void kept
