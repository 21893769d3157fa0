import { isUtf8 as nodeIsUtf8 } from 'node:buffer'
import t from 'tap'
import { isUtf8 } from '../../../src/wire/protobuf/utf8.ts'
import { Random } from './random.ts'
import { hex, toHex } from './vectors.ts'

const cases: [string, string, boolean][] = [
  ['nothing', '', true],
  ['one to four octets', '24 c2a3 e282ac f0908d88', true],
  ['least and greatest of each length', '00 7f c280 dfbf e0a080 efbfbf f0908080 f48fbfbf', true],
  ['around the surrogates', 'ed9fbf ee8080', true],
  ['a surrogate', 'eda080', false],
  ['not the shortest form of NUL', 'c080', false],
  ['not the shortest form, three octets', 'e09fbf', false],
  ['not the shortest form, four octets', 'f08fbfbf', false],
  ['above U+10FFFF', 'f4908080', false],
  ['a lead octet that does not exist', 'f5808080', false],
  ['a tail without a lead', '80', false],
  ['a lead without a tail', 'c3', false],
  ['a cut character', 'e282', false],
  ['ASCII where a tail should be', 'e28224', false],
]

for (const [name, input, expected] of cases) {
  t.test(`RFC 3629 §4: ${name}`, async (t) => {
    const octets = hex(input)
    t.equal(isUtf8(octets, 0, octets.length), expected)
    t.equal(isUtf8(Uint8Array.of(0xff, ...octets, 0x80), 1, octets.length + 1), expected, 'inside others')
  })
}

t.test('seed 12: the same answer as Node’s for random and for changed text', async (t) => {
  const random = new Random(12)
  let valid = 0
  for (let i = 0; i < 20_000; i++) {
    const octets = random.below(2)
      ? random.octets(random.below(8))
      : Uint8Array.from(Buffer.from(random.text()))
    if (random.below(2) && octets.length > 0) octets[random.below(octets.length)] = random.below(256)
    const expected = nodeIsUtf8(octets)
    if (expected) valid++
    if (isUtf8(octets, 0, octets.length) !== expected) t.fail(toHex(octets))
  }
  t.ok(valid > 5000 && valid < 20_000, `${valid} of 20000 are UTF-8`)
})
