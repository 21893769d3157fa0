/** A set whose members know their place. */
import t from 'tap'
import { type Member, MemberList } from '../../src/http2/member-list.ts'

class Entry implements Member {
  place = -1
}

t.test('members come and go', async (t) => {
  const list = new MemberList<Entry>()
  const [a, b, c] = [new Entry(), new Entry(), new Entry()]
  t.equal(list.delete(a), false, 'not a member yet')
  for (const entry of [a, b, c, b]) list.add(entry)
  t.equal(list.size, 3, 'added twice is there once')
  t.equal(list.delete(a), true)
  t.equal(list.delete(a), false)
  t.equal(list.size, 2)
  t.strictSame(new Set(list.all()), new Set([b, c]))
  list.add(a)
  for (const entry of [b, c, a]) t.equal(list.delete(entry), true)
  t.equal(list.size, 0)
})

t.test('what `all` gave does not change with the list', async (t) => {
  const list = new MemberList<Entry>()
  const entries = Array.from({ length: 10 }, () => new Entry())
  for (const entry of entries) list.add(entry)
  for (const entry of list.all()) list.delete(entry)
  t.equal(list.size, 0)
  t.ok(entries.every(({ place }) => place === -1))
})

t.test('as a Set does, in random order', async (t) => {
  const list = new MemberList<Entry>()
  const set = new Set<Entry>()
  const entries = Array.from({ length: 50 }, () => new Entry())
  let seed = 7
  for (let step = 0; step < 5000; step++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    const entry = entries[(seed >>> 8) % entries.length]!
    if ((seed >>> 20) % 2 === 0) {
      list.add(entry)
      set.add(entry)
    } else if (list.delete(entry) !== set.delete(entry)) t.fail(`step ${step}: they disagree`)
    if (list.size !== set.size) t.fail(`step ${step}: ${list.size} members, expected ${set.size}`)
  }
  t.strictSame(new Set(list.all()), set)
})
