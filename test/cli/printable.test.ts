import t from 'tap'
import { printable } from '../../src/cli/printable.ts'

t.test('text of a peer can neither move the cursor nor forge a line', async (t) => {
  t.equal(printable('plain text, Zoë 대한민국 😀'), 'plain text, Zoë 대한민국 😀')
  t.equal(printable('a\u001b[2Jb'), 'a\\x1b[2Jb')
  t.equal(printable('a\r\nb\tc\0'), 'a\\r\\nb\\tc\\x00')
  t.equal(printable('\u009b\u007f\u2028\u202e'), '\\x9b\\x7f\\u2028\\u202e')
})
