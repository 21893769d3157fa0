import t from 'tap'
import { loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'
import { MessageError } from '../../../src/rpc/messages/message-error.ts'
import type { MessageType } from '../../../src/rpc/messages/message-type.ts'
import { kinds, protoFile, Random, randomScalars } from './kinds.ts'

const { Scalars, Lists, Maps, Tree, Nothing, Wraps } = kinds
const { old } = loadProtoSync(protoFile('old.proto'))

function octetsOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** The messages of `depth` types within each other. */
function nested(depth: number): Buffer {
  let octets = Buffer.alloc(0)
  for (let i = 0; i < depth; i++) {
    const size: number[] = []
    for (let rest = octets.length; ; rest >>>= 7) {
      if (rest < 0x80) {
        size.push(rest)
        break
      }
      size.push((rest & 0x7f) | 0x80)
    }
    octets = Buffer.concat([Buffer.of(0x1a, ...size), octets])
  }
  return octets
}

t.test('RELIABILITY 2.4: hostile octets are an error that says so', async (t) => {
  const cases: [string, MessageType, Buffer, RegExp][] = [
    ['nested 101 deep', Tree, nested(101), /max depth exceeded/],
    ['nested 5000 deep', Tree, nested(5000), /max depth exceeded/],
    ['unknown groups 5000 deep', Tree, Buffer.alloc(5000, 0x7b), /max depth exceeded/],
    ['1 MB of group starts', Nothing, Buffer.alloc(1_000_000, 0x0b), /max depth exceeded/],
    ['varint of eleven octets', Scalars, octetsOf('18 ffffffffffffffffffff01'), /invalid varint/],
    ['varint of eleven octets, 64 bit', Scalars, octetsOf('20 ffffffffffffffffffff01'), /invalid varint/],
    ['varint of eleven octets, bool', Scalars, octetsOf('68 ffffffffffffffffffff01'), /invalid varint/],
    [
      'varint of eleven octets, unknown field',
      Scalars,
      octetsOf('a006 ffffffffffffffffffff01'),
      /invalid varint/,
    ],
    ['tag of six octets', Scalars, octetsOf('ffffffffff01'), /invalid tag/],
    ['length beyond the message', Scalars, octetsOf('72 05 6161'), /out of range/],
    ['length of 4 GiB', Scalars, octetsOf('72 ffffffff0f'), /invalid length|out of range/],
    ['length that is negative', Scalars, octetsOf('72 ffffffffffffffffff01'), /invalid length/],
    ['nested message beyond its parent', Tree, octetsOf('1a 03 0a056161616161'), /out of range/],
    ['packed integers beyond the field', Lists, octetsOf('1a 02 0180'), /out of range/],
    ['packed integers beyond the message', Lists, octetsOf('1a 05 01'), /out of range/],
    ['packed doubles that are cut', Lists, octetsOf('0a 07 00000000000000'), /out of range/],
    ['packed 64 bit beyond the field', Lists, octetsOf('22 01 80 01'), /out of range/],
    ['map entry beyond the message', Maps, octetsOf('0a 06 0a0161'), /out of range/],
    ['fixed64 that is cut', Scalars, octetsOf('51 00000000'), /out of range/],
    ['fixed32 that is cut', Scalars, octetsOf('4d 0000'), /out of range/],
    ['group that does not end', Scalars, octetsOf('a306 0801'), /out of range/],
    ['group that ends as another', Scalars, octetsOf('a306 ac06'), /invalid end group/],
    ['end of a group that did not start', Scalars, octetsOf('a406'), /invalid wire type/],
    ['group field that does not end', old.Old, octetsOf('0a0161 33 0a0161'), /missing end group/],
    ['group without fields that does not end', old.Old, octetsOf('0a0161 5b 0801'), /missing end group/],
    ['nested message without fields beyond its parent', Wraps, octetsOf('0a 05 0801'), /out of range/],
    [
      'groups without end in a message without fields',
      Wraps,
      Buffer.concat([octetsOf('0a c801'), Buffer.alloc(200, 0x0b)]),
      /max depth exceeded/,
    ],
    ['wire type 6', Scalars, octetsOf('a606'), /invalid wire type 6/],
    ['wire type 7', Scalars, octetsOf('a706'), /invalid wire type 7/],
    ['field number 0', Scalars, octetsOf('0001'), /field number 0/],
    ['field number 0, LEN', Scalars, octetsOf('0200'), /field number 0/],
    ['field number 0 in an unknown group', Scalars, octetsOf('a306 0001 a406'), /field number 0/],
    ['field number 0 in a message without fields', Nothing, octetsOf('0200'), /field number 0/],
    ['field number 0 in a nested message without fields', Wraps, octetsOf('0a 02 0200'), /field number 0/],
    ['text that is no UTF-8', Scalars, octetsOf('72 02 c328'), /not valid UTF-8/],
    [
      'long text that is no UTF-8',
      Scalars,
      Buffer.concat([octetsOf('72 c801'), Buffer.alloc(200, 0xff)]),
      /not valid UTF-8/,
    ],
    ['a surrogate in UTF-8', Scalars, octetsOf('72 03 eda080'), /not valid UTF-8/],
    ['over-long UTF-8', Scalars, octetsOf('72 02 c0af'), /not valid UTF-8/],
    ['map key that is no UTF-8', Maps, octetsOf('0a 05 0a01ff 1200'), /not valid UTF-8/],
    ['list element that is no UTF-8', Lists, octetsOf('72 01 ff'), /not valid UTF-8/],
  ]
  for (const [name, type, octets, expected] of cases) {
    t.throws(() => type.decode(octets), { name: 'MessageError', message: expected }, name)
  }
})

t.test('what is strange but right is taken', async (t) => {
  t.equal(Tree.decode(nested(100)).label, '')
  t.equal(Scalars.decode(octetsOf('72 03 efbfbd')).aString, '\ufffd', 'U+FFFD in earnest')
  t.equal(Scalars.decode(octetsOf('72 04 efbbbf61')).aString, '\ufeffa', 'a byte order mark is text')
  t.equal(Scalars.decode(octetsOf('18 818080808000')).anInt32, 1, 'a varint with more octets than it needs')
  t.equal(Scalars.decode(octetsOf('20 81808080808080808000')).anInt64, 1n)
  t.equal(Scalars.decode(octetsOf('18 01 18 02')).anInt32, 2, 'the last one counts')
  t.strictSame(Lists.decode(octetsOf('18 01 1a 02 0203')).int32s, [1, 2, 3], 'packed and not packed mixed')
  t.strictSame(
    Lists.decode(octetsOf('9201 02 0102')).unpacked,
    [1n, 2n],
    'packed although declared otherwise',
  )
  t.match(
    Tree.decode(octetsOf('1a 03 0a0161  1a 04 22020801')).next,
    { label: 'a', leaf: { shape: 'LOBED' } },
    'parts of a message are merged',
  )
  t.strictSame(Scalars.decode(octetsOf('a306 0801 0b 0c a406')).anInt32, 0, 'an unknown group')
  t.strictSame(Nothing.decode(octetsOf('0b 0801 0c')), {}, 'an unknown group in a message without fields')
  t.strictSame(old.Old.decode(octetsOf('0a0161 5b 0801 5c')).blank, {}, 'a group without fields')
  t.equal(old.Old.decode(octetsOf('0a0161 42 01 ff')).loose, '\ufffd', 'proto2 does not ask for UTF-8')
  t.strictSame(old.Old.decode(octetsOf('0a0161 33 0a0162 34')).detail, { text: 'b' })
})

t.test('the error says how far it came', async (t) => {
  t.throws(() => Scalars.decode(octetsOf('ffffff 72 05 6161 ffff'), 3, 7), {
    message: "kinds.Scalars: can't be decoded: index out of range: 5 + 5 > 7 (at octet 2 of 4)",
    typeName: 'kinds.Scalars',
  })
  t.strictSame(Scalars.decode(octetsOf('72 01 61')).aString, 'a', 'and the next message is fine')
})

t.test('a message cut at any octet is an error or a shorter message, never anything else', async (t) => {
  const random = new Random(42)
  const whole: Uint8Array = Lists.toBinary({
    messages: [randomScalars(random), randomScalars(random)],
    int64s: [1n, -1n],
    strings: ['grüße', 'x'],
    doubles: [1, 2],
  })
  for (let end = 0; end <= whole.length; end++) {
    for (const type of [Lists, Maps, Tree, Nothing, old.Old]) {
      try {
        type.decode(whole, 0, end)
      } catch (error) {
        if (!(error instanceof MessageError)) t.fail(`${type.typeName} at ${end}: ${error}`)
      }
    }
  }
})

t.test('random octets are an error or a message that can be encoded again', async (t) => {
  const random = new Random(7)
  for (let round = 0; round < 20000; round++) {
    const octets = Uint8Array.from({ length: random.below(24) }, () =>
      random.below(3) === 0 ? random.below(256) : random.below(20),
    )
    const type: MessageType = random.pick([Scalars, Lists, Maps, Tree, Wraps, old.Old])
    try {
      const message = type.decode(octets)
      const again = type.decode(type.toBinary(message))
      if (show(again) !== show(message))
        t.fail(`seed 7, round ${round}: ${show(message)} became ${show(again)}`)
    } catch (error) {
      if (!(error instanceof MessageError) || !error.reason.startsWith("can't be decoded")) {
        t.fail(`seed 7, round ${round}, ${Buffer.from(octets).toString('hex')}: ${error}`)
      }
    }
  }
})

function show(message: unknown): string {
  return JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
}
