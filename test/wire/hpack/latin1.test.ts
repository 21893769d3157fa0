import t from 'tap'
import { latin1 } from '../../../src/wire/hpack/latin1.ts'

t.test('strings of every length are those of Buffer', async (t) => {
  const octets = Uint8Array.from({ length: 256 }, (_, i) => 255 - i)
  for (let length = 0; length <= 40; length++) {
    for (const start of [0, 1, 100, 256 - length]) {
      const expected = Buffer.from(octets.subarray(start, start + length)).toString('latin1')
      if (latin1(octets, start, start + length) !== expected) t.fail(`${length} octets at ${start}`)
    }
  }
  t.equal(latin1(octets, 0, 3), 'ÿþý')
})
