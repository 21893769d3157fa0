import t from 'tap'
import { RepeatCache, repeatHash } from '../../../src/wire/hpack/repeat-cache.ts'
import { Random } from '../protobuf/random.ts'

/** What a decoder does: finds, or decodes and keeps what is repeated. */
function decode(cache: RepeatCache<string>, octets: Uint8Array, start = 0, end = octets.length) {
  const hash = repeatHash(octets, start, end)
  const found = hash === 0 ? undefined : cache.find(hash, octets, start, end)
  const decoded = found ?? Buffer.from(octets.subarray(start, end)).toString('hex')
  if (found === undefined && hash !== 0 && cache.isRepeated(hash))
    cache.keep(hash, octets, start, end, decoded)
  return { found: found !== undefined, decoded }
}

t.test('octets are found from their third time on', async (t) => {
  const cache = new RepeatCache<string>()
  const octets = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 9)
  t.same(
    [1, 2, 3, 4].map(() => decode(cache, octets, 1, 7).found),
    [false, false, true, true],
  )
})

t.test('what is kept does not change with the chunk it was in', async (t) => {
  const cache = new RepeatCache<string>()
  const chunk = Buffer.from('0102030405060708', 'hex')
  decode(cache, chunk)
  decode(cache, chunk)
  chunk[3] = 0xff
  t.same(decode(cache, chunk), { found: false, decoded: '010203ff05060708' })
  chunk[3] = 4
  t.same(decode(cache, chunk), { found: true, decoded: '0102030405060708' })
})

t.test('octets with the same hash are told apart, and take the place of those that stay away', async (t) => {
  const cache = new RepeatCache<string>()
  const one = new Uint8Array(40).fill(7)
  const other = Uint8Array.from(one)
  other[1] = 8
  t.equal(repeatHash(one, 0, 40), repeatHash(other, 0, 40))
  decode(cache, one)
  decode(cache, one)
  t.ok(decode(cache, one).found)
  let tries = 1
  while (!decode(cache, other).found && tries < 1000) tries++
  t.ok(tries > 10 && tries < 100, `${tries} tries`)
  t.notOk(decode(cache, one).found)
})

t.test('too many octets are not kept', async (t) => {
  t.equal(repeatHash(new Uint8Array(1025), 0, 1025), 0)
  t.not(repeatHash(new Uint8Array(1024), 0, 1024), 0)
  t.equal(repeatHash(new Uint8Array(0), 0, 0), 0)
})

t.test('what is found is always what would be decoded', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const cache = new RepeatCache<string>()
    const values = Array.from({ length: 30 }, () => random.octets(1 + random.below(100)))
    let found = 0
    for (let step = 0; step < 3000; step++) {
      const octets = Uint8Array.from(random.pick(values))
      if (random.below(3) === 0) octets[random.below(octets.length)] = random.below(256)
      const result = decode(cache, octets)
      if (result.found) found++
      if (result.decoded !== Buffer.from(octets).toString('hex')) t.fail(`seed ${seed}, step ${step}`)
    }
    t.ok(found > 100, `seed ${seed}`)
  }
})
