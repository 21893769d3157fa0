import t from 'tap'
import { scan } from '../../../src/wire/protobuf/scan.ts'
import { recordValue } from '../../../src/wire/protobuf/value.ts'
import { ProtobufWriter } from '../../../src/wire/protobuf/writer.ts'
import { hex } from './vectors.ts'

const valuesOf = (octets: Uint8Array) => scan(octets).records.map(recordValue)

t.test('values without a schema are the likeliest ones', async (t) => {
  t.same(valuesOf(hex('08 96 01')), [150])
  t.same(valuesOf(hex('08 fe ff ff ff ff ff ff ff ff 01')), [18446744073709551614n])
  t.same(valuesOf(hex('2d 33 33 cb 41')), [0x41cb3333])
  t.same(valuesOf(hex('32 06 03 8e 02 9e a7 05')), [[3, 270, 86942]])
  t.same(valuesOf(hex('0a 02 68 69')), ['hi'])
  t.same(valuesOf(hex('0a 03 ff fe fd')), [Uint8Array.of(0xff, 0xfe, 0xfd)])
  t.same(valuesOf(hex('1a 03 08 96 01')), [undefined], 'a message')
  t.same(valuesOf(hex('43 44')), [undefined], 'a group')
  const numbers = new ProtobufWriter().packed(1, 'float', [1.5, 2.5]).packed(2, 'double', [1, 1e6]).finish()
  t.same(valuesOf(numbers), [
    [1.5, 2.5],
    [1, 1e6],
  ])
  const integers = new ProtobufWriter().packed(1, 'fixed32', [7, 70_000]).finish()
  t.same(valuesOf(integers), [[7, 70_000]])
})
