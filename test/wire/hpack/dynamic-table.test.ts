import t from 'tap'
import { DynamicTable, tableEntry } from '../../../src/wire/hpack/dynamic-table.ts'
import { Random } from '../protobuf/random.ts'

const namesOf = (table: DynamicTable) => table.state().entries.map((entry) => entry.name)

t.test('RFC 7541 §2.3.2: the newest entry comes first', async (t) => {
  const table = new DynamicTable(4096)
  table.add(tableEntry('a', '1'))
  table.add(tableEntry('b', '2'))
  t.equal(table.entry(0).name, 'b')
  t.equal(table.entry(0).value, '2')
  t.equal(table.entry(1).name, 'a')
  t.equal(table.length, 2)
})

t.test('RFC 7541 §4.1: an entry costs its octets and 32', async (t) => {
  const table = new DynamicTable(4096)
  table.add(tableEntry('custom-key', 'custom-value'))
  t.equal(table.sizeOctets, 54)
  table.add(tableEntry('', ''))
  t.equal(table.sizeOctets, 86)
})

t.test('RFC 7541 §4.3: a lower maximum evicts the oldest entries', async (t) => {
  const table = new DynamicTable(4096)
  for (const name of ['a', 'b', 'c']) table.add(tableEntry(name, ''))
  table.setMaxSize(98)
  t.same(namesOf(table), ['c', 'b'])
  table.setMaxSize(0)
  t.same(table.state(), { entries: [], sizeOctets: 0, maxSizeOctets: 0 })
  table.setMaxSize(4096)
  t.same(namesOf(table), [])
})

t.test('RFC 7541 §4.4: adding evicts as many as needed, exactly', async (t) => {
  const table = new DynamicTable(99)
  for (const name of ['a', 'b', 'c']) table.add(tableEntry(name, ''))
  t.same(namesOf(table), ['c', 'b', 'a'])
  table.add(tableEntry('d', ''))
  t.same(namesOf(table), ['d', 'c', 'b'])
  table.add(tableEntry('ee', ''))
  t.same(namesOf(table), ['ee', 'd'])
})

t.test('RFC 7541 §4.4: an entry larger than the table empties it, which is no error', async (t) => {
  const table = new DynamicTable(64)
  table.add(tableEntry('a', ''))
  table.add(tableEntry('b', 'x'.repeat(31)))
  t.same(namesOf(table), ['b'])
  table.add(tableEntry('b', 'x'.repeat(32)))
  t.same(table.state(), { entries: [], sizeOctets: 0, maxSizeOctets: 64 })
})

t.test('the version changes with everything that changes what an index means', async (t) => {
  const table = new DynamicTable(64)
  const versions = new Set([table.version])
  for (const change of [
    () => table.add(tableEntry('a', '')),
    () => table.add(tableEntry('b', 'x'.repeat(40))),
    () => table.setMaxSize(32),
    () => table.clear(),
  ]) {
    change()
    versions.add(table.version)
  }
  t.equal(versions.size, 5)
})

t.test('random additions and sizes: as a plain list would do it', async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed)
    let maxSize = 500
    const table = new DynamicTable(maxSize)
    let list: { name: string; value: string }[] = []
    const size = () => list.reduce((sum, entry) => sum + 32 + entry.name.length + entry.value.length, 0)
    for (let step = 0; step < 300; step++) {
      if (random.below(10) === 0) {
        maxSize = random.below(2000)
        table.setMaxSize(maxSize)
      } else {
        const entry = { name: 'n'.repeat(random.below(9)), value: `${step}`.repeat(random.below(40)) }
        table.add(tableEntry(entry.name, entry.value))
        list.unshift(entry)
      }
      while (size() > maxSize) list = list.slice(0, -1)
      const state = table.state()
      if (
        JSON.stringify(state.entries) !==
          JSON.stringify(list.map(({ name, value }) => tableEntry(name, value))) ||
        state.sizeOctets !== size()
      ) {
        t.fail(`seed ${seed}, step ${step}`)
        return
      }
    }
  }
  t.pass('50 seeds')
})
