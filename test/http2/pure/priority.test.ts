/** The Priority Field Value (RFC 9218 §4). */
import t from 'tap'
import { formatPriority, parsePriority } from '../../../src/http2/pure/priority.ts'

const VALUES: [string, number, boolean][] = [
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7, i', 7, true],
  ['i', 3, true],
  ['i=?1,u=1', 1, true],
  ['i=?0', 3, false],
  ['  u=5 ,  i  ', 5, true],
  ['u=5;a=b, i;q', 5, true],
  ['u=1, u=2', 2, false],
  // what cannot be read is absent
  ['u=8', 3, false],
  ['u=-1', 3, false],
  ['u=1.5', 3, false],
  ['u', 3, false],
  ['u="1"', 3, false],
  ['i=yes', 3, false],
  ['U=1', 3, false],
  ['x-other=9, u=4', 4, false],
  [',,,', 3, false],
  ['u=1,', 1, false],
]

t.test('RFC 9218 §4: reading', async (t) => {
  for (const [value, urgency, incremental] of VALUES) {
    t.strictSame(parsePriority(value), { urgency, incremental }, JSON.stringify(value))
  }
})

t.test('RFC 9218 §4: writing, and reading it again', async (t) => {
  t.equal(formatPriority({}), '')
  t.equal(formatPriority({ urgency: 0 }), 'u=0')
  t.equal(formatPriority({ incremental: true }), 'i')
  for (let urgency = 0; urgency <= 7; urgency++) {
    for (const incremental of [false, true]) {
      t.strictSame(parsePriority(formatPriority({ urgency, incremental })), { urgency, incremental })
    }
  }
  for (const urgency of [-1, 8, 1.5, Number.NaN]) {
    t.throws(() => formatPriority({ urgency }), { name: 'RangeError', message: /0 to 7/ })
  }
})

t.test('a long value takes no long time', async (t) => {
  t.strictSame(parsePriority(`${'u=1,'.repeat(4000)}${' '.repeat(4000)}i`), { urgency: 1, incremental: true })
  t.strictSame(parsePriority('a'.repeat(16000)), { urgency: 3, incremental: false })
})
