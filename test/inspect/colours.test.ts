import t from 'tap'
import { coloured, paintFor, plain } from '../../src/inspect/colours.ts'

t.test('colours only on a terminal and without NO_COLOR', async (t) => {
  t.equal(paintFor({ isTTY: true }, {}), coloured)
  t.equal(paintFor({ isTTY: true }, { NO_COLOR: '' }), coloured)
  t.equal(paintFor({ isTTY: true }, { NO_COLOR: '1' }), plain)
  t.equal(paintFor({ isTTY: false }, {}), plain)
  t.equal(paintFor({}, {}), plain)
  t.equal(plain('good', 'OK'), 'OK')
  t.equal(coloured('good', 'OK'), '\u001b[32mOK\u001b[0m')
  t.equal(coloured('good', ''), '')
})
