import t from 'tap'
import { columnsOf, cutColumns, wrapColumns } from '../../src/inspect/columns.ts'

t.test('columns of text', async (t) => {
  t.equal(columnsOf('plain'), 5)
  t.equal(columnsOf('대한민국'), 8)
  t.equal(columnsOf('日本 かな カナ'), 14)
  t.equal(columnsOf('e\u0301\u200b'), 1)
  t.equal(columnsOf('₩é…'), 3)
  t.equal(columnsOf('🙂Ａ'), 4)
})

t.test('text is broken at spaces near the end of the line, else where it is full', async (t) => {
  t.same(wrapColumns('one two three', 8), ['one two', 'three'])
  t.same(wrapColumns('aaaaaaaaaaaa', 5), ['aaaaa', 'aaaaa', 'aa'])
  t.same(wrapColumns('a bbbbbbbbbbbb', 8), ['a bbbbbb', 'bbbbbb'])
  t.same(wrapColumns('한한한한', 5), ['한한', '한한'])
  t.same(wrapColumns('', 5), [''])
  for (const line of wrapColumns('대한민국 '.repeat(40), 21)) t.ok(columnsOf(line) <= 21)
})

t.test('text is cut with an ellipsis', async (t) => {
  t.equal(cutColumns('short', 5), 'short')
  t.equal(cutColumns('longer', 5), 'long…')
  t.equal(cutColumns('한한한', 5), '한한…')
  t.equal(cutColumns('한한한', 4), '한…')
})
