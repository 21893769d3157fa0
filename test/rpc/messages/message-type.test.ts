import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import protobuf from 'protobufjs'
import t from 'tap'
import { loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'
import { MessageError } from '../../../src/rpc/messages/message-error.ts'
import type { MessageType } from '../../../src/rpc/messages/message-type.ts'
import { kinds, protoFile, Random, randomScalars } from './kinds.ts'

const { Scalars, Lists, Maps, Presence, Tree, Names, Wraps } = kinds

const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex')
const hex = (type: MessageType, message: unknown) => hexOf(type.toBinary(message))
const fromHex = (type: MessageType, text: string) => type.decode(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const roundTrip = (type: MessageType, message: unknown) => type.decode(type.toBinary(message))

/** An integer as users of protobufjs have it; its static methods are not in its types. */
const long = (value: bigint) =>
  (protobuf.util.Long as unknown as { fromString(text: string): unknown }).fromString(String(value))

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof MessageError) return error.message
    throw error
  }
  return 'no error'
}

t.test('the protobuf encoding guide: fields as octets', async (t) => {
  const cases: [string, MessageType, object, string][] = [
    ['varint', Scalars, { anInt32: 150 }, '18 9601'],
    ['varint, negative int32 takes ten octets', Scalars, { anInt32: -1 }, '18 ffffffffffffffffff01'],
    ['varint, int64', Scalars, { anInt64: -2n }, '20 feffffffffffffffff01'],
    ['varint, uint64', Scalars, { aUint64: 2n ** 64n - 1n }, '30 ffffffffffffffffff01'],
    ['ZigZag, 32 bit', Scalars, { aSint32: -2 }, '38 03'],
    ['ZigZag, 64 bit', Scalars, { aSint64: -(2n ** 63n) }, '40 ffffffffffffffffff01'],
    ['I64', Scalars, { aFixed64: 1n }, '51 0100000000000000'],
    ['I64, signed', Scalars, { anSfixed64: -2n }, '61 feffffffffffffff'],
    ['I64, double', Scalars, { aDouble: 1 }, '09 000000000000f03f'],
    ['I32', Scalars, { aFixed32: 0x01020304 }, '4d 04030201'],
    ['I32, float', Scalars, { aFloat: 1 }, '15 0000803f'],
    ['bool', Scalars, { aBool: true }, '68 01'],
    ['LEN, string', Scalars, { aString: 'testing' }, '72 07 74657374696e67'],
    ['LEN, bytes', Scalars, { someBytes: Uint8Array.of(1, 2) }, '7a 02 0102'],
    ['enum', Scalars, { color: 'GREEN' }, '8001 02'],
    ['enum, negative', Scalars, { color: 'BLACK' }, '8001 ffffffffffffffffff01'],
    ['packed', Lists, { int32s: [3, 270, 86942] }, '1a 06 03 8e02 9ea705'],
    ['packed, 64 bit', Lists, { int64s: [1n, -1n] }, '22 0b 01 ffffffffffffffffff01'],
    ['packed, ZigZag 64 bit', Lists, { sint64s: [1n, -1n] }, '42 02 02 01'],
    [
      'packed, I64',
      Lists,
      { fixed64s: [1n], sfixed64s: [-1n] },
      '5208 0100000000000000 6208 ffffffffffffffff',
    ],
    ['packed, uint64', Lists, { uint64s: [2n ** 63n] }, '320a 80808080808080808001'],
    ['not packed', Lists, { unpacked: [1n, 2n] }, '900101 900102'],
    ['strings are never packed', Lists, { strings: ['a', ''] }, '720161 7200'],
    ['nested', Tree, { next: { label: 'a' } }, '1a 03 0a0161'],
    ['map', Maps, { strings: { a: 'b' } }, '0a 06 0a0161 120162'],
    ['map, 64-bit key', Maps, { byInt64: { '-1': 1n } }, '1a 0d 08ffffffffffffffffff01 1001'],
    ['map, bool key', Maps, { byBool: { true: 'RED' } }, '2a 04 0801 1001'],
    [
      'default values are not sent',
      Scalars,
      { anInt32: 0, aString: '', aBool: false, color: 0, anInt64: 0n, aFixed64: '0', aUint64: 0 },
      '',
    ],
    [
      'with presence they are',
      Presence,
      { number: 0, text: '', color: 'COLOR_UNSPECIFIED', big: 0n, id: 0n },
      '0800 1200 1800 2000 3800',
    ],
    [
      'null and undefined are not sent',
      Presence,
      { number: null, text: undefined, message: null, name: null },
      '',
    ],
  ]
  for (const [section, type, message, expected] of cases) {
    t.equal(hex(type, message), expected.replaceAll(' ', ''), section)
  }
})

t.test('five blank octets in front are room for the prefix', async (t) => {
  const octets: Uint8Array = Scalars.encode({ aString: 'a' })
  t.equal(hexOf(octets), '0000000000720161')
  t.strictSame(Scalars.decode(octets, 5, octets.length).aString, 'a')
  const inside = Buffer.concat([Buffer.of(0xff, 0xff), octets.subarray(5), Buffer.of(0xff)])
  t.equal(Scalars.decode(inside, 2, inside.length - 1).aString, 'a', 'only octets start to end')
  t.equal(
    Scalars.decode(new Uint8Array(inside).subarray(2), 0, 3).aString,
    'a',
    'of a plain Uint8Array with an offset',
  )
})

t.test('decoded: every field without presence is there, with its default', async (t) => {
  t.strictSame(roundTrip(Scalars, {}), {
    aDouble: 0,
    aFloat: 0,
    anInt32: 0,
    anInt64: 0n,
    aUint32: 0,
    aUint64: 0n,
    aSint32: 0,
    aSint64: 0n,
    aFixed32: 0,
    aFixed64: 0n,
    anSfixed32: 0,
    anSfixed64: 0n,
    aBool: false,
    aString: '',
    someBytes: Buffer.alloc(0),
    color: 'COLOR_UNSPECIFIED',
  })
  t.strictSame(roundTrip(Presence, {}), {})
  t.strictSame(roundTrip(Maps, {}), {
    strings: {},
    byInt32: {},
    byInt64: {},
    byUint64: {},
    byBool: {},
    bySint32: {},
    byFixed64: {},
  })
  const first = roundTrip(Lists, {})
  first.strings.push('mine')
  t.strictSame(roundTrip(Lists, {}).strings, [], 'nobody shares a list')
  t.equal(Object.getPrototypeOf(first), Object.prototype, 'a plain object')
})

t.test('a default that was sent all the same is that default', async (t) => {
  const message = fromHex(Scalars, '7200 1800 6800 2000')
  t.strictSame(message, roundTrip(Scalars, {}))
})

t.test('decoded: a field with presence is there if it was sent; a oneof tells which', async (t) => {
  t.strictSame(fromHex(Presence, '0800 1200'), { number: 0, text: '' })
  t.strictSame(fromHex(Presence, '3200'), { name: '', choice: 'name' })
  t.strictSame(fromHex(Presence, '3200 3805'), { id: 5n, choice: 'id' }, 'the last one counts')
  t.strictSame(roundTrip(Presence, { tint: 'RED', choice: 'tint' }), { tint: 'RED', choice: 'tint' })
})

t.test('64-bit integers lose nothing, and are given as bigint, safe integer, text or Long', async (t) => {
  for (const value of [
    1n,
    -1n,
    2n ** 53n + 1n,
    -(2n ** 63n),
    2n ** 63n - 1n,
    0x1_0000_0000n,
    -0x8000_0000n,
  ]) {
    for (const field of ['anInt64', 'aSint64', 'anSfixed64']) {
      t.equal(roundTrip(Scalars, { [field]: value })[field], value)
      t.equal(roundTrip(Scalars, { [field]: String(value) })[field], value)
      t.equal(roundTrip(Scalars, { [field]: long(value) })[field], value)
    }
  }
  for (const value of [1n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const field of ['aUint64', 'aFixed64']) {
      t.equal(roundTrip(Scalars, { [field]: value })[field], value)
      t.equal(roundTrip(Scalars, { [field]: String(value) })[field], value)
    }
  }
  t.equal(roundTrip(Scalars, { anInt64: Number.MIN_SAFE_INTEGER }).anInt64, BigInt(Number.MIN_SAFE_INTEGER))
  t.strictSame(roundTrip(Lists, { int64s: [1, '2', 3n, 0n], unpacked: ['0', 0n] }).int64s, [1n, 2n, 3n, 0n])
  t.equal(hex(Lists, { unpacked: ['0', 0n] }), '900100900100')
  t.strictSame(roundTrip(Maps, { byInt64: { '12345678': '0', '-9223372036854775808': 5 } }).byInt64, {
    '12345678': 0n,
    '-9223372036854775808': 5n,
  })
})

t.test('options: how enums, 64-bit integers, oneofs and names look', async (t) => {
  const path = protoFile('kinds.proto')
  const numbers = loadProtoSync(path, { enums: 'number', int64: 'number', oneofs: false }).kinds
  t.match(roundTrip(numbers.Scalars, { color: 'RED', anInt64: 5n }), { color: 1, anInt64: 5 })
  t.strictSame(roundTrip(numbers.Presence, { tint: 2 }), { tint: 2 })
  const texts = loadProtoSync(path, { int64: 'string' }).kinds
  t.match(roundTrip(texts.Scalars, { aUint64: 2n ** 64n - 1n }), {
    aUint64: '18446744073709551615',
    anInt64: '0',
  })
  t.strictSame(roundTrip(texts.Lists, { int64s: [1n] }).int64s, ['1'])
  t.strictSame(roundTrip(texts.Maps, { byInt64: { 1: 2n } }).byInt64, { 1: '2' })
  t.strictSame(fromHex(texts.Maps, '1a 02 0801').byInt64, { 1: '0' })
  t.strictSame(roundTrip(texts.Presence, { big: 3n }), { big: '3' })
  const kept = loadProtoSync(path, { keepCase: true }).kinds
  t.match(roundTrip(kept.Scalars, { a_string: 'x' }), { a_string: 'x' })
  const loose = loadProtoSync(path, { unknownFields: 'ignore' }).kinds
  t.equal(hex(loose.Scalars, { nothing: 1, aString: 'a' }), '720161')
})

t.test('a map entry without value or key has their defaults', async (t) => {
  t.strictSame(fromHex(Maps, '1a 02 0801').byInt64, { 1: 0n })
  t.strictSame(fromHex(Maps, '1a 02 1001').byInt64, { 0: 1n })
  t.strictSame(fromHex(Maps, '0a 00').strings, { '': '' })
  t.match(fromHex(Maps, '12 02 0801').byInt32, { 1: { aString: '' } })
  t.strictSame(fromHex(Maps, '2a 02 0801').byBool, { true: 'COLOR_UNSPECIFIED' })
})

t.test('enum values without a name are numbers, there and back', async (t) => {
  const message = fromHex(Scalars, '8001 63')
  t.equal(message.color, 99)
  t.equal(hex(Scalars, message), '800163')
  t.strictSame(roundTrip(Lists, { colors: ['RED', 99, 0] }).colors, ['RED', 99, 'COLOR_UNSPECIFIED'])
})

t.test('unknown fields survive decoding and encoding', async (t) => {
  const old = loadProtoSync(protoFile('old.proto')).old
  const sent: Uint8Array = Presence.toBinary({ number: 1, message: { aString: 'x' }, name: 'n' })
  const message = Tree.Leaf.decode(Buffer.from('0801', 'hex'))
  t.strictSame(message, { shape: 'LOBED' })
  const seen = kinds.Nothing.decode(sent)
  t.strictSame(Object.keys(seen), [], 'out of sight')
  t.equal(hex(kinds.Nothing, seen), hexOf(sent))
  const nested = fromHex(Wraps, '0a 02 0805  12 03 0a0161  1801')
  t.equal(hex(Wraps, nested), '0a02080512030a01611801')
  const closed = fromHex(old.Old, '0a0178 1803 2003 2005 2a020103')
  t.equal(closed.grade, undefined)
  t.strictSame([closed.grades, closed.packedGrades], [['HIGH'], ['LOW']])
  const again = fromHex(old.Old, hex(old.Old, closed))
  t.strictSame(again, closed, 'a value that a closed enum does not name is an unknown field')
  t.equal(hex(old.Old, again).length, hex(old.Old, closed).length)
  const wrongWireType = fromHex(Scalars, '1a 01 05')
  t.equal(wrongWireType.anInt32, 0)
  t.equal(hex(Scalars, wrongWireType), '1a0105')
  const withEnum = fromHex(Scalars, '8001 01 a206 01 61')
  t.equal(hex(Scalars, withEnum), '800101a2060161', 'also when the message has to be copied')
})

t.test('what a message is not: the field and the reason', async (t) => {
  const cyclic: Record<string, unknown> = {}
  cyclic.next = cyclic
  const cases: [MessageType, unknown, string][] = [
    [Scalars, null, 'kinds.Scalars: expected object, got null'],
    [Scalars, undefined, 'kinds.Scalars: expected object, got undefined'],
    [Scalars, 'text', 'kinds.Scalars: expected object, got string "text"'],
    [Scalars, [], 'kinds.Scalars: expected object, got array of 0'],
    [Scalars, Buffer.alloc(1), 'kinds.Scalars: expected object, got Buffer'],
    [Scalars, () => 1, 'kinds.Scalars: expected object, got function'],
    [Scalars, { aString: 5 }, 'kinds.Scalars.aString: expected string, got number 5'],
    [Scalars, { aString: {} }, 'kinds.Scalars.aString: expected string, got object'],
    [
      Scalars,
      { aString: 'a\ud800' },
      'kinds.Scalars.aString: expected text that can be UTF-8, got a lone surrogate in string "a\\ud800"',
    ],
    [Scalars, { aBool: 1 }, 'kinds.Scalars.aBool: expected boolean, got number 1'],
    [Scalars, { aDouble: '1' }, 'kinds.Scalars.aDouble: expected number, got string "1"'],
    [Scalars, { aFloat: 1e39 }, 'kinds.Scalars.aFloat: 1e+39 does not fit into a float'],
    [Scalars, { aFloat: 1n }, 'kinds.Scalars.aFloat: expected number, got bigint 1n'],
    [
      Scalars,
      { anInt32: 1.5 },
      'kinds.Scalars.anInt32: expected int32 (-2147483648 to 2147483647), got number 1.5',
    ],
    [
      Scalars,
      { anInt32: 2147483648 },
      'kinds.Scalars.anInt32: expected int32 (-2147483648 to 2147483647), got number 2147483648',
    ],
    [
      Scalars,
      { anInt32: '1' },
      'kinds.Scalars.anInt32: expected int32 (-2147483648 to 2147483647), got string "1"',
    ],
    [
      Scalars,
      { anInt32: Number.NaN },
      'kinds.Scalars.anInt32: expected int32 (-2147483648 to 2147483647), got number NaN',
    ],
    [Scalars, { aUint32: -1 }, 'kinds.Scalars.aUint32: expected uint32 (0 to 4294967295), got number -1'],
    [
      Scalars,
      { aFixed32: 2 ** 32 },
      'kinds.Scalars.aFixed32: expected fixed32 (0 to 4294967295), got number 4294967296',
    ],
    [
      Scalars,
      { aSint32: -2147483649 },
      'kinds.Scalars.aSint32: expected sint32 (-2147483648 to 2147483647), got number -2147483649',
    ],
    [
      Scalars,
      { anInt64: 2n ** 63n },
      'kinds.Scalars.anInt64: expected int64 (-9223372036854775808 to 9223372036854775807), got bigint 9223372036854775808n',
    ],
    [
      Scalars,
      { anInt64: 2 ** 53 },
      'kinds.Scalars.anInt64: number 9007199254740992 may have lost digits or is out of range of int64, give a bigint',
    ],
    [
      Scalars,
      { anInt64: 0.5 },
      'kinds.Scalars.anInt64: expected int64 (-9223372036854775808 to 9223372036854775807), got number 0.5',
    ],
    [
      Scalars,
      { anInt64: '1x' },
      'kinds.Scalars.anInt64: expected int64 (-9223372036854775808 to 9223372036854775807), got string "1x"',
    ],
    [
      Scalars,
      { aUint64: -1n },
      'kinds.Scalars.aUint64: expected uint64 (0 to 18446744073709551615), got bigint -1n',
    ],
    [
      Scalars,
      { aUint64: -1 },
      'kinds.Scalars.aUint64: number -1 may have lost digits or is out of range of uint64, give a bigint',
    ],
    [
      Scalars,
      { aUint64: '18446744073709551616' },
      'kinds.Scalars.aUint64: expected uint64 (0 to 18446744073709551615), got string "18446744073709551616"',
    ],
    [
      Scalars,
      { someBytes: 'AQ==' },
      'kinds.Scalars.someBytes: expected Uint8Array, got string "AQ==" (Buffer.from(text, encoding) makes one)',
    ],
    [Scalars, { someBytes: [1] }, 'kinds.Scalars.someBytes: expected Uint8Array, got array of 1'],
    [
      Scalars,
      { color: 'PINK' },
      'kinds.Scalars.color: expected a value of enum kinds.Color (COLOR_UNSPECIFIED, RED, GREEN, BLACK), got string "PINK"',
    ],
    [
      Scalars,
      { color: 1.5 },
      'kinds.Scalars.color: expected a value of enum kinds.Color (COLOR_UNSPECIFIED, RED, GREEN, BLACK), got number 1.5',
    ],
    [
      Scalars,
      { color: 'constructor' },
      'kinds.Scalars.color: expected a value of enum kinds.Color (COLOR_UNSPECIFIED, RED, GREEN, BLACK), got string "constructor"',
    ],
    [Scalars, { astring: 'x' }, 'kinds.Scalars.astring: no such field; is aString meant?'],
    [Scalars, { a_string: 'x' }, 'kinds.Scalars.a_string: no such field; is aString meant?'],
    [Tree, { lable: 'x' }, 'kinds.Tree.lable: no such field; is label meant?'],
    [
      Tree,
      { 'odd name': 'x' },
      'kinds.Tree["odd name"]: no such field; its fields are label, children, next, leaf',
    ],
    [kinds.Nothing, { a: 1 }, 'kinds.Nothing.a: no such field; its fields are none'],
    [Tree, { children: {} }, 'kinds.Tree.children: expected array, got object'],
    [Tree, { children: 'ab' }, 'kinds.Tree.children: expected array, got string "ab"'],
    [Tree, { children: [{}, null] }, 'kinds.Tree.children[1]: expected object, got null'],
    [
      Tree,
      { children: [{ next: { children: [{}, {}, { label: 1 }] } }] },
      'kinds.Tree.children[0].next.children[2].label: expected string, got number 1',
    ],
    [Tree, { next: [] }, 'kinds.Tree.next: expected object, got array of 0'],
    [Tree, cyclic, `kinds.Tree${'.next'.repeat(101)}: nested deeper than 100 messages, or within itself`],
    [Lists, { strings: ['a', undefined] }, 'kinds.Lists.strings[1]: expected string, got undefined'],
    [
      Lists,
      { int32s: [1, 2.5] },
      'kinds.Lists.int32s[1]: expected int32 (-2147483648 to 2147483647), got number 2.5',
    ],
    [
      Lists,
      { colors: ['RED', 'NO'] },
      'kinds.Lists.colors[1]: expected a value of enum kinds.Color (COLOR_UNSPECIFIED, RED, GREEN, BLACK), got string "NO"',
    ],
    [Maps, { strings: [] }, "kinds.Maps.strings: expected object with the map's keys, got array of 0"],
    [Maps, { strings: new Map() }, "kinds.Maps.strings: expected object with the map's keys, got Map"],
    [Maps, { strings: { a: 1 } }, 'kinds.Maps.strings["a"]: expected string, got number 1'],
    [Maps, { strings: { a: null } }, 'kinds.Maps.strings["a"]: expected string, got null'],
    [Maps, { byInt32: { x: {} } }, 'kinds.Maps.byInt32["x"]: key is no int32'],
    [Maps, { byInt32: { 2147483648: {} } }, 'kinds.Maps.byInt32["2147483648"]: key is no int32'],
    [
      Maps,
      { byInt32: { 5: { aString: 1 } } },
      'kinds.Maps.byInt32["5"].aString: expected string, got number 1',
    ],
    [Maps, { byUint64: { '-1': Buffer.of(1) } }, 'kinds.Maps.byUint64["-1"]: key is no uint64'],
    [Maps, { byInt64: { '01': 1n } }, 'kinds.Maps.byInt64["01"]: key is no int64'],
    [Maps, { byBool: { yes: 1 } }, 'kinds.Maps.byBool["yes"]: key is no bool'],
    [Maps, { strings: { '\ud800': 'x' } }, 'kinds.Maps.strings["\\ud800"]: key is no string'],
    [
      Presence,
      { name: 'a', id: 1n },
      'kinds.Presence: only one field of oneof choice may be set, got name and id',
    ],
  ]
  for (const [type, message, expected] of cases)
    t.equal(
      reasonOf(() => type.encode(message)),
      expected,
    )
  const old = loadProtoSync(protoFile('old.proto')).old
  t.equal(
    reasonOf(() => old.Old.encode({})),
    'old.Old.name: required field is not set',
  )
  t.equal(
    reasonOf(() => old.Old.encode({ name: 'a', grade: 7 })),
    'old.Old.grade: expected a value of enum old.Grade (LOW, HIGH), got number 7',
  )
  t.match(
    reasonOf(() => old.Old.decode(Buffer.alloc(0))),
    /^old.Old: can't be decoded: missing required 'name'/,
  )
  const error = t.throws(() => Tree.encode({ children: [{ label: 5 }] }))
  t.match(error, {
    typeName: 'kinds.Tree',
    path: '.children[0].label',
    reason: 'expected string, got number 5',
  })
})

t.test('after a message that failed, the next one is whole', async (t) => {
  for (let i = 0; i < 100; i++) {
    t.throws(() => Lists.encode({ strings: ['begun'], messages: [{ aString: 'x' }, { aString: 5 }] }))
    t.equal(hex(Scalars, { aString: 'a' }), '720161')
  }
})

t.test('an application can encode a message while another one is being encoded', async (t) => {
  const inner: string[] = []
  const message = {
    get label() {
      inner.push(hex(Scalars, { aString: 'inner' }))
      return 'outer'
    },
  }
  t.equal(hex(Tree, message), '0a056f75746572')
  t.ok(inner.length >= 2)
  t.equal(new Set(inner).size, 1)
  t.equal(inner[0], '7205696e6e6572')
})

t.test('objects of classes: own properties and accessors are fields', async (t) => {
  class Point {
    label = 'own'
    get next() {
      return { label: 'accessor' }
    }
    unrelated() {}
  }
  t.match(roundTrip(Tree, new Point()), { label: 'own', next: { label: 'accessor' } })
  const without = Object.assign(Object.create(null), { label: 'bare' })
  t.match(roundTrip(Tree, without), { label: 'bare' })
  const reflected = Tree.type.create({ label: 'protobufjs' })
  t.equal(hex(Tree, reflected), '0a0a70726f746f6275666a73')
})

t.test('a Date is a google.protobuf.Timestamp; other built-in objects are no messages', async (t) => {
  const { WellKnown } = kinds
  for (const [text, seconds, nanos] of [
    ['2024-01-01T00:00:00.500Z', 1704067200n, 500_000_000],
    ['1969-12-31T23:59:59.250Z', -1n, 250_000_000],
  ] as const) {
    t.strictSame(roundTrip(WellKnown, { timestamp: new Date(text) }).timestamp, { seconds, nanos })
  }
  t.equal(
    reasonOf(() => WellKnown.encode({ timestamp: new Date(Number.NaN) })),
    'kinds.WellKnown.timestamp: expected a time, got an invalid Date',
  )
  for (const [value, name] of [
    [new Date(), 'Date'],
    [new Map(), 'Map'],
    [Promise.resolve({}), 'Promise'],
    [new Error('x'), 'Error'],
  ] as const) {
    t.equal(
      reasonOf(() => Tree.encode(value)),
      `kinds.Tree: expected object, got ${name}`,
    )
    t.match(
      reasonOf(() => Maps.encode({ strings: value })),
      `kinds.Maps.strings: expected object with the map's keys, got ${name}`,
    )
  }
})

t.test('names that mean something on every object are fields like others', async (t) => {
  const message = {
    constructor: 'a',
    toString: 'b',
    hasOwnProperty: 3,
    valueOf: 'c',
    // biome-ignore lint/suspicious/noThenProperty: a field of this name is the very case
    then: true,
    counts: { constructor: 1 },
  }
  t.strictSame({ ...roundTrip(Names, message) }, message)
  t.equal(hex(Names, {}), '', 'what every object inherits is no value')
  t.equal(
    reasonOf(() => Names.encode({ toString: 1 })),
    'kinds.Names.toString: expected string, got number 1',
  )
})

t.test('a map key __proto__ is a key', async (t) => {
  const octets = Buffer.from('0a0e0a095f5f70726f746f5f5f120178', 'hex')
  const message = Maps.decode(octets)
  t.strictSame(Object.entries(message.strings), [['__proto__', 'x']])
  t.equal(Object.getPrototypeOf(message.strings), Object.prototype)
  t.equal(hex(Maps, message), octets.toString('hex'))
  const enums = fromHex(Maps, '12 11 0805 120d 720b 5f5f70726f746f5f5f7878')
  t.equal(enums.byInt32[5].aString, '__proto__xx')
  t.equal(({} as Record<string, unknown>).x, undefined)
  t.throws(() => Scalars.encode(JSON.parse('{"__proto__":{"aString":"x"}}')), /no such field/)
})

t.test('lists may be typed arrays; what was given is not changed', async (t) => {
  t.strictSame(
    roundTrip(Lists, { floats: Float32Array.of(1, 2), int64s: BigInt64Array.of(1n) }).floats,
    [1, 2],
  )
  const given = { colors: ['RED'], strings: ['a'], messages: [{ color: 'GREEN', anInt64: '5' }] }
  const before = structuredClone(given)
  Lists.encode(given)
  t.strictSame(given, before)
  t.equal(hex(Lists, Object.freeze({ colors: Object.freeze(['RED']) })), '82010101')
})

t.test('bytes: a small value keeps no large chunk alive, a large one is not copied', async (t) => {
  const chunk = Buffer.alloc(1000)
  Buffer.from('7a 02 0102'.replaceAll(' ', ''), 'hex').copy(chunk)
  const { someBytes } = Scalars.decode(chunk, 0, 4)
  t.not(someBytes.buffer, chunk.buffer)
  t.strictSame(someBytes, Buffer.of(1, 2))
  const large: Uint8Array = Scalars.encode({ someBytes: Buffer.alloc(100_000, 1) })
  const view = Scalars.decode(large, 5, large.length).someBytes
  t.equal(view.buffer, large.buffer)
  t.equal(view.length, 100_000)
})

t.test('octets handed out stay what they are, small and large', async (t) => {
  const kept: [Uint8Array, string][] = []
  for (let i = 0; i < 3000; i++) {
    const text = 'x'.repeat(i % 7 === 0 ? i * 10 : i % 50) + i
    kept.push([Scalars.encode({ aString: text, anInt32: i }), text])
  }
  for (const [octets, text] of kept) {
    if (Scalars.decode(octets, 5).aString !== text || octets[0] !== 0 || octets[4] !== 0)
      t.fail(text.slice(-6))
  }
  const nested = {
    children: Array.from({ length: 500 }, (_, i) => ({
      label: 'y'.repeat(i),
      next: { label: 'z'.repeat(300) },
    })),
  }
  t.equal(roundTrip(Tree, nested).children[499].next.label.length, 300)
})

t.test('what the type knows of its fields', async (t) => {
  t.strictSame(Maps.fields[1], {
    name: 'byInt32',
    protoName: 'by_int32',
    number: 2,
    type: 'kinds.Scalars',
    kind: 'message',
    rule: 'map',
    keyType: 'int32',
  })
  t.match(Lists.fields[15], { name: 'colors', type: 'kinds.Color', kind: 'enum', rule: 'repeated' })
  t.match(Scalars.fields[3], { name: 'anInt64', type: 'int64', kind: 'scalar', rule: 'singular' })
})

t.test('octets equal those of proto-loader, and each reads the other', async (t) => {
  const definition = loadSync(protoFile('kinds.proto'), {
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  })
  const { Get, PutAll } = definition['kinds.Kinds'] as ServiceDefinition
  const texts = loadProtoSync(protoFile('kinds.proto'), { int64: 'string' }).kinds
  const random = new Random(20240607)
  for (let round = 0; round < 500; round++) {
    const scalars = randomScalars(random)
    const theirs = Get!.responseSerialize(scalars)
    if (hex(Scalars, scalars) !== theirs.toString('hex'))
      t.fail(`seed ${random.seed}, round ${round}: ${JSON.stringify(scalars)}`)
    const lists: Record<string, unknown> = {
      int64s: ['1', '-5'],
      doubles: [1.5, 0],
      bools: [true, false],
      strings: ['', 'a'],
      byteses: [Buffer.of(1)],
      colors: ['RED', 'COLOR_UNSPECIFIED'],
      messages: [randomScalars(random), randomScalars(random)],
      sint64s: ['-1', '0'],
      fixed64s: ['18446744073709551615'],
    }
    const listOctets = PutAll!.requestSerialize(lists)
    if (hex(Lists, lists) !== listOctets.toString('hex'))
      t.fail(`seed ${random.seed}, round ${round}: ${JSON.stringify(lists)}`)
    t.strictSame(texts.Scalars.decode(theirs), { ...Get!.responseDeserialize(theirs) }, `round ${round}`)
  }
})
