import t from 'tap'
import { WireType, wireTypeName } from '../../../src/wire/protobuf/wire-type.ts'

t.test('Message Structure: names of the wire types', async (t) => {
  for (const [name, number] of Object.entries(WireType)) t.equal(wireTypeName(number), name)
  t.equal(wireTypeName(6), 'wire type 6')
})
