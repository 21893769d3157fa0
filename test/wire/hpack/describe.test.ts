import t from 'tap'
import { describeField, HpackDecoder } from '../../../src/wire/index.ts'
import { fromHex } from './vectors.ts'

const lines = (hex: string, options?: { showSensitive: boolean }) =>
  new HpackDecoder().inspect(fromHex(hex)).instructions.map((step) => describeField(step, options))

t.test('each representation', async (t) => {
  t.same(lines('20 3f e1 1f 82 44 01 78 40 88 25a849e95ba97d7f 01 61 00 01 62 81 1f'), [
    'dynamic table size update to 0 octets, 1 octet',
    'dynamic table size update to 4096 octets, 3 octets',
    ':method: "GET", indexed 2, 1 octet',
    ':path: "x", incremental indexing (name 4), 3 octets',
    'custom-key: "a", incremental indexing (name Huffman), 12 octets',
    'b: "a", without indexing (value Huffman), 5 octets',
  ])
})

t.test('what must never be indexed is not shown unless asked for', async (t) => {
  t.same(lines('1f 08 06 736563726574'), [
    'authorization: <6 octets not shown>, never indexed (name 23), 9 octets',
  ])
  t.same(lines('1f 08 06 736563726574', { showSensitive: true }), [
    'authorization: "secret", never indexed (name 23), 9 octets',
  ])
})

t.test('what could steer a terminal is escaped, and long text is cut', async (t) => {
  t.same(lines('00 02 1b41 03 0d0a22'), ['"\\u{1b}A": "\\r\\n\\"", without indexing, 8 octets'])
  t.match(lines(`00 01 61 7f 81 01 ${'62'.repeat(256)}`), [/^a: "b{120}"…, without indexing, 262 octets$/])
})
