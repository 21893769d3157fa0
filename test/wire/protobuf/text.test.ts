import t from 'tap'
import { escapeText, quoteText, textOf } from '../../../src/wire/protobuf/text.ts'

t.test('nothing of a peer’s text reaches a terminal as a command', async (t) => {
  t.equal(quoteText('Korea 대한민국'), '"Korea 대한민국"')
  t.equal(quoteText('a"b\\c\n\r\t'), '"a\\"b\\\\c\\n\\r\\t"')
  t.equal(quoteText('\u001b[2J\u0000\u007f\u009b'), '"\\u{1b}[2J\\u{0}\\u{7f}\\u{9b}"')
  t.equal(quoteText('\u202eabc\u2066\u200b\ufeff'), '"\\u{202e}abc\\u{2066}\\u{200b}\\u{feff}"')
  t.equal(quoteText('\u2028\ud800'), '"\\u{2028}\\u{d800}"')
  t.equal(escapeText('a "b" \\ \u001b[2J\n'), 'a "b" \\ \\u{1b}[2J\\n')
})

t.test('text of a part of octets, what is no UTF-8 replaced', async (t) => {
  t.equal(textOf(Buffer.from('xgrüßex'), 1, 8), 'grüße')
  t.equal(textOf(Uint8Array.of(0x61, 0xff), 0, 2), 'a\ufffd')
})
