import t from 'tap'
import { SearchableTable } from '../../../src/wire/hpack/searchable-table.ts'
import { STATIC_TABLE_LENGTH, staticEntries } from '../../../src/wire/hpack/static-table.ts'
import { Random } from '../protobuf/random.ts'

const NONE = new Map()

function find(table: SearchableTable, name: string, value: string) {
  const record = table.record(name, 0)
  return { field: table.findField(record, value), name: table.findName(record) }
}

t.test('RFC 7541 §2.3.3: the static table is found first, then the dynamic one', async (t) => {
  const table = new SearchableTable(4096, NONE)
  t.same(find(table, ':method', 'POST'), { field: 3, name: 2 })
  t.same(find(table, ':method', 'PUT'), { field: 0, name: 2 })
  t.same(find(table, 'x', '1'), { field: 0, name: 0 })
  table.addTo(table.record(':method', 0), 'PUT')
  table.addTo(table.record('x', 0), '1')
  table.addTo(table.record('x', 0), '2')
  t.same(find(table, ':method', 'PUT'), { field: 64, name: 2 })
  t.same(find(table, 'x', '1'), { field: 63, name: 62 })
  t.same(find(table, 'x', '2'), { field: 62, name: 62 })
})

t.test('an evicted entry is not found, and its name is forgotten with the last one', async (t) => {
  const table = new SearchableTable(2 * 34, NONE)
  const first = table.record('x', 0)
  table.addTo(first, '1')
  table.addTo(first, '2')
  t.equal(table.record('x', 0), first)
  table.addTo(table.record('y', 0), '1')
  t.same(find(table, 'x', '1'), { field: 0, name: 63 })
  t.same(find(table, 'x', '2'), { field: 63, name: 63 })
  table.addTo(table.record('y', 0), '2')
  t.same(find(table, 'x', '2'), { field: 0, name: 0 })
  t.not(table.record('x', 0), first)
})

t.test('a field that evicts the last one of its own name is found', async (t) => {
  const table = new SearchableTable(40, NONE)
  table.addTo(table.record('x', 0), '1')
  table.addTo(table.record('x', 0), '2')
  t.same(find(table, 'x', '2'), { field: 62, name: 62 })
  t.same(find(table, 'x', '1'), { field: 0, name: 62 })
})

t.test('random fields: what is found is there, and what is there is found', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed)
    const table = new SearchableTable(600, NONE)
    for (let step = 0; step < 400; step++) {
      const name = random.pick(['a', 'b', 'cookie', ':path', 'x-long-name', ':status'])
      const value = random.pick(['', '/', '200', '1', '2', '3', 'v'.repeat(20)])
      const record = table.record(name, 0)
      const index = table.findField(record, value)
      const entries = table.state().entries
      const at = (i: number) =>
        i <= STATIC_TABLE_LENGTH ? staticEntries[i]! : entries[i - STATIC_TABLE_LENGTH - 1]!
      const exists = entries.some((entry) => entry.name === name && entry.value === value)
      if (index > 0 ? at(index).name !== name || at(index).value !== value : exists) {
        t.fail(`seed ${seed}, step ${step}: ${name} ${value} at ${index}`)
      }
      const nameIndex = table.findName(record)
      if (nameIndex > 0 && at(nameIndex).name !== name) t.fail(`seed ${seed}, step ${step}: name ${name}`)
      if (index === 0) table.addTo(record, value)
      if (random.below(40) === 0) table.setMaxSize(random.below(900))
    }
    t.pass(`seed ${seed}`)
  }
})
