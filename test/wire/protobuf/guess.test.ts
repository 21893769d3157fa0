import t from 'tap'
import { rankLen } from '../../../src/wire/protobuf/guess.ts'
import { Random } from './random.ts'
import { hex, vectors } from './vectors.ts'

for (const { name, input, expect } of vectors<{ name: string; input: string; expect: string[] }[]>('guess')) {
  t.test(`${name}: ${input}`, async (t) => {
    t.same(rankLen(hex(input), 0, hex(input).length), expect)
    const inside = Uint8Array.of(0xff, ...hex(input), 0xff)
    t.same(rankLen(inside, 1, inside.length - 1), expect, 'the same inside others')
  })
}

t.test('seed 7: octets are always possible, and no kind comes twice', async (t) => {
  const random = new Random(7)
  for (let i = 0; i < 5000; i++) {
    const octets = random.octets(random.below(40))
    const kinds = rankLen(octets, 0, octets.length)
    if (!kinds.includes('octets') || new Set(kinds).size !== kinds.length) t.fail(kinds.join())
  }
})

t.test('seed 8: random octets of a digest’s size are octets', async (t) => {
  const random = new Random(8)
  let octets = 0
  for (let i = 0; i < 1000; i++) if (rankLen(random.octets(32), 0, 32)[0] === 'octets') octets++
  t.ok(octets > 950, `${octets} of 1000`)
})
