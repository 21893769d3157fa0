/** The open streams of a connection by identifier (RFC 9113 §5.1.1). */
import t from 'tap'
import { StreamTable } from '../../../src/http2/pure/stream-table.ts'

interface Entry {
  readonly id: number
}

t.test('finds what was added, until it is deleted', async (t) => {
  const table = new StreamTable<Entry>()
  t.equal(table.get(1), undefined)
  const streams = Array.from({ length: 100 }, (_, index) => ({ id: 2 * index + 1 }))
  for (const stream of streams) table.add(stream)
  t.equal(table.size, 100)
  t.ok(streams.every((stream) => table.get(stream.id) === stream))
  t.equal(table.get(201), undefined)
  t.equal(table.delete(201), false)
  for (const stream of streams) t.equal(table.delete(stream.id), true)
  t.equal(table.size, 0)
  t.strictSame(table.all(), [])
})

t.test('identifiers of both sides, and far from each other', async (t) => {
  const table = new StreamTable<Entry>()
  // All of these have the same home in a table of any size up to 2^20, and a client's and a server's share one.
  const ids = [1, 2, 3, (1 << 21) + 1, (1 << 22) + 1, (1 << 23) + 1, 0x7fffffff, 0x7ffffffe]
  for (const id of ids) table.add({ id })
  t.ok(ids.every((id) => table.get(id)?.id === id))
  for (const [index, id] of ids.entries()) {
    t.equal(table.delete(id), true)
    t.ok(
      ids.slice(index + 1).every((other) => table.get(other)?.id === other),
      `the others are found without ${id}`,
    )
  }
})

t.test('as a Map does, with old streams among many short ones', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const table = new StreamTable<Entry>()
    const map = new Map<number, Entry>()
    let random = seed
    let nextId = 1
    for (let step = 0; step < 3000; step++) {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0
      const choice = random >>> 16
      // up to some hundred open streams, then down to nearly none, again and again
      if (choice % 100 < (step % 1000 < 500 ? 65 : 30)) {
        const stream = { id: nextId }
        table.add(stream)
        map.set(nextId, stream)
        nextId += choice % 7 === 0 ? 1 : 2
      } else {
        const ids = [...map.keys()]
        const id = ids.length === 0 ? nextId : ids[choice % ids.length]!
        if (table.delete(id) !== map.delete(id)) t.fail(`seed ${seed}, step ${step}: delete ${id}`)
      }
      if (table.size !== map.size) t.fail(`seed ${seed}, step ${step}: ${table.size}, expected ${map.size}`)
    }
    t.strictSame(new Set(table.all()), new Set(map.values()), `seed ${seed}: the same streams`)
    t.ok(
      [...map].every(([id, stream]) => table.get(id) === stream),
      `seed ${seed}: all are found`,
    )
  }
})
