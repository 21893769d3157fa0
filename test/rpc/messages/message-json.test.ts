import t from 'tap'
import { loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'
import { fromJson, type JsonValue, toJson } from '../../../src/rpc/messages/message-json.ts'
import type { MessageType } from '../../../src/rpc/messages/message-type.ts'
import { kinds, protoFile, Random, randomScalars } from './kinds.ts'

const { Scalars, Lists, Maps, Presence, Tree, WellKnown, Names } = kinds

t.test('ProtoJSON: messages as JSON and back', async (t) => {
  const cases: [string, MessageType, object, JsonValue][] = [
    [
      'names in lowerCamelCase',
      Scalars,
      { anInt32: 1, aBool: true, aString: 'ü' },
      { anInt32: 1, aBool: true, aString: 'ü' },
    ],
    [
      '64-bit integers as text',
      Scalars,
      { anInt64: -(2n ** 63n), aFixed64: 2n ** 64n - 1n },
      { anInt64: '-9223372036854775808', aFixed64: '18446744073709551615' },
    ],
    ['octets as base64', Scalars, { someBytes: Buffer.of(251, 255) }, { someBytes: '+/8=' }],
    ['enum values by name', Scalars, { color: 'RED' }, { color: 'RED' }],
    ['enum values without a name as numbers', Scalars, { color: 99 }, { color: 99 }],
    [
      'NaN and Infinity as text',
      Scalars,
      { aDouble: Number.NaN, aFloat: -Infinity },
      { aDouble: 'NaN', aFloat: '-Infinity' },
    ],
    ['defaults are left out', Scalars, { anInt32: 0, aString: '' }, {}],
    ['but not with presence', Presence, { number: 0, text: '' }, { number: 0, text: '' }],
    [
      'lists',
      Lists,
      { int64s: [1n, 2n], colors: ['RED', 'GREEN'] },
      { int64s: ['1', '2'], colors: ['RED', 'GREEN'] },
    ],
    [
      'maps',
      Maps,
      { byInt64: { '5': 6n }, byBool: { true: 'RED' } },
      { byInt64: { '5': '6' }, byBool: { true: 'RED' } },
    ],
    ['nested', Tree, { next: { label: 'a' } }, { next: { label: 'a' } }],
    [
      'Timestamp',
      WellKnown,
      { timestamp: { seconds: 1704067200n, nanos: 500_000_000 } },
      { timestamp: '2024-01-01T00:00:00.500Z' },
    ],
    ['Duration', WellKnown, { duration: { seconds: -1n, nanos: -500_000_000 } }, { duration: '-1.500s' }],
    [
      'Struct',
      WellKnown,
      {
        struct: {
          fields: {
            a: { numberValue: 1 },
            b: { nullValue: 0 },
            c: { listValue: { values: [{ boolValue: true }] } },
          },
        },
      },
      { struct: { a: 1, b: null, c: [true] } },
    ],
    ['Value', WellKnown, { value: { stringValue: 'x' } }, { value: 'x' }],
    [
      'ListValue',
      WellKnown,
      { list: { values: [{ numberValue: 1 }, { structValue: {} }] } },
      { list: [1, {}] },
    ],
    [
      'FieldMask',
      WellKnown,
      { mask: { paths: ['user.display_name', 'photo'] } },
      { mask: 'user.displayName,photo' },
    ],
    [
      'wrappers',
      WellKnown,
      { int64: { value: 5n }, text: { value: '' }, octets: { value: Buffer.of(1) } },
      { int64: '5', text: '', octets: 'AQ==' },
    ],
    ['Empty', WellKnown, { empty: {} }, { empty: {} }],
    [
      'Any',
      WellKnown,
      { any: { typeUrl: 'type.googleapis.com/kinds.Scalars', value: Scalars.toBinary({ aString: 'x' }) } },
      { any: { '@type': 'type.googleapis.com/kinds.Scalars', aString: 'x' } },
    ],
    [
      'Any of a well-known type',
      WellKnown,
      { any: { typeUrl: 'type.googleapis.com/google.protobuf.Duration', value: Buffer.from('0801', 'hex') } },
      { any: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' } },
    ],
  ]
  for (const [section, type, message, json] of cases) {
    t.strictSame(toJson(type, message), json, section)
    t.strictSame(type.toBinary(fromJson(type, json)), type.toBinary(message), `${section}, and back`)
  }
})

t.test('ProtoJSON: what else is accepted', async (t) => {
  const cases: [string, MessageType, JsonValue, object][] = [
    ['names as in the .proto file', Scalars, { an_int32: 1, a_string: 'x' }, { anInt32: 1, aString: 'x' }],
    [
      'integers as text, text of integers',
      Scalars,
      { an_int32: '7', an_int64: 8 },
      { anInt32: 7, anInt64: 8n },
    ],
    ['integers with exponent', Scalars, { anInt32: 1e3 }, { anInt32: 1000 }],
    ['base64 for URLs, without padding', Scalars, { someBytes: '-_8' }, { someBytes: Buffer.of(251, 255) }],
    ['enum values by number', Scalars, { color: 2 }, { color: 'GREEN' }],
    ['null is absent', Scalars, { aString: null, color: null }, {}],
    [
      'time with an offset',
      WellKnown,
      { timestamp: '2024-01-01T01:00:00+01:00' },
      { timestamp: { seconds: 1704067200n, nanos: 0 } },
    ],
  ]
  for (const [section, type, json, message] of cases) t.match(fromJson(type, json), message, section)
  t.strictSame(fromJson(Tree, { unknown: 1, label: 'a' }, { ignoreUnknownFields: true }), {
    label: 'a',
    children: [],
  })
  t.strictSame(Object.keys(fromJson(Maps, JSON.parse('{"strings":{"__proto__":"x"}}')).strings), [
    '__proto__',
  ])
  t.equal(fromJson(Names, { constructor: 'c' }).constructor, 'c')
})

t.test('errors tell the place in the JSON', async (t) => {
  const cases: [MessageType, JsonValue, RegExp][] = [
    [Scalars, null, /^kinds.Scalars: expected object: null/],
    [Scalars, [1], /^kinds.Scalars: expected object/],
    [Scalars, { aString: 5 }, /^kinds.Scalars.aString: expected string: 5$/],
    [Scalars, { anInt32: 1.5 }, /^kinds.Scalars.anInt32: .*1.5/],
    [Scalars, { anInt32: 2 ** 31 }, /^kinds.Scalars.anInt32: out of range/],
    [Scalars, { someBytes: '***' }, /^kinds.Scalars.someBytes: invalid/],
    [Scalars, { color: 'PINK' }, /^kinds.Scalars.color: unknown enum value: "PINK"/],
    [Scalars, { nothing: 1 }, /^kinds.Scalars.nothing: unknown field/],
    [Scalars, { an_int32: 1, anInt32: 1 }, /^kinds.Scalars: duplicate field/],
    [Presence, { name: 'a', id: 1 }, /^kinds.Presence: .*oneof/],
    [
      Tree,
      { children: [{}, { next: { label: 5 } }] },
      /^kinds.Tree.children\[1\].next.label: expected string: 5$/,
    ],
    [Tree, { children: [{}, null] }, /^kinds.Tree.children\[1\]: expected object: null/],
    [Tree, { children: {} }, /^kinds.Tree.children: expected array/],
    [Maps, { byInt32: { 5: { aBool: 'x' } } }, /^kinds.Maps.byInt32\["5"\].aBool: expected boolean: "x"$/],
    [Maps, { byInt32: { x: {} } }, /^kinds.Maps.byInt32\["x"\]: invalid int32 map key/],
    [Maps, { strings: [] }, /^kinds.Maps.strings: expected object/],
    [WellKnown, { timestamp: 'yesterday' }, /^kinds.WellKnown.timestamp: invalid timestamp: "yesterday"/],
    [WellKnown, { duration: '5' }, /^kinds.WellKnown.duration: invalid duration/],
    [WellKnown, { any: { '@type': 'x/no.Such' } }, /^kinds.WellKnown.any: no such type: no.Such/],
  ]
  for (const [type, json, expected] of cases) {
    t.throws(() => fromJson(type, json), { name: 'MessageError', message: expected }, JSON.stringify(json))
  }
})

t.test('JSON of proto2: a required field must be there', async (t) => {
  const { old } = loadProtoSync(protoFile('old.proto'))
  t.throws(() => fromJson(old.Old, { count: 1 }), { message: 'old.Old.name: required field is not set' })
  t.match(fromJson(old.Old, { name: 'a', '[old.note]': 'n', grade: 'LOW' }), {
    name: 'a',
    '.old.note': 'n',
    grade: 'LOW',
  })
})

t.test('what can not become JSON', async (t) => {
  t.throws(() => toJson(Scalars, { aString: 5 }), {
    message: 'kinds.Scalars.aString: expected string, got number 5',
  })
  t.throws(() => toJson(WellKnown, { any: { typeUrl: 'x/no.Such', value: Buffer.of(1) } }), {
    name: 'MessageError',
    message: /^kinds.WellKnown: can't become JSON: .*no.Such/,
  })
  t.throws(() => toJson(WellKnown, { timestamp: { seconds: 2n ** 60n } }), { message: /out of range/ })
})

t.test('random messages go to JSON text and back', async (t) => {
  const random = new Random(5)
  for (let round = 0; round < 300; round++) {
    const message = randomScalars(random)
    const text = JSON.stringify(toJson(Scalars, message))
    t.strictSame(Scalars.toBinary(fromJson(Scalars, JSON.parse(text))), Scalars.toBinary(message), text)
  }
})
