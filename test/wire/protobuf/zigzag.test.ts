import t from 'tap'
import {
  decodeZigZag32,
  decodeZigZag64,
  encodeZigZag32,
  encodeZigZag64,
} from '../../../src/wire/protobuf/zigzag.ts'
import { vectors } from './vectors.ts'

const table = vectors<{
  '32': { section: string; signed: number; unsigned: number }[]
  '64': { section: string; signed: string; unsigned: string }[]
}>('zigzag')

for (const { section, signed, unsigned } of table['32']) {
  t.test(`${section}: ${signed} in 32 bits`, async (t) => {
    t.equal(encodeZigZag32(signed), unsigned)
    t.equal(decodeZigZag32(unsigned), signed)
  })
}

for (const { section, signed, unsigned } of table['64']) {
  t.test(`${section}: ${signed} in 64 bits`, async (t) => {
    t.equal(encodeZigZag64(BigInt(signed)), BigInt(unsigned))
    t.equal(decodeZigZag64(BigInt(unsigned)), BigInt(signed))
  })
}
