import { createRequire } from 'node:module'
import t from 'tap'
import {
  STATIC_TABLE_LENGTH,
  staticEntries,
  staticTableByName,
} from '../../../src/wire/hpack/static-table.ts'

/** The static table as another implementation has it. */
const other = createRequire(import.meta.url)('hpack.js/lib/hpack/static-table') as {
  table: { name: string; value: string }[]
}

t.test('RFC 7541 Appendix A: all entries are those of another implementation', async (t) => {
  t.equal(STATIC_TABLE_LENGTH, 61)
  t.same(
    staticEntries.slice(1).map((entry) => entry.name),
    other.table.map((entry) => entry.name),
  )
  t.same(
    staticEntries.slice(1).map((entry) => entry.value),
    other.table.map((entry) => entry.value),
  )
})

t.test('RFC 7541 Appendix A: every entry is found by its name and value', async (t) => {
  for (let index = 1; index <= STATIC_TABLE_LENGTH; index++) {
    const { name, value } = staticEntries[index]!
    const found = staticTableByName.get(name)!
    t.equal(found.index + found.values.indexOf(value), index)
  }
  t.equal(staticTableByName.get('grpc-status'), undefined)
})
