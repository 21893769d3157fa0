import t from 'tap'
import { quoteText } from '../../../src/wire/protobuf/text.ts'

t.test('nothing of a peer’s text reaches a terminal as a command', async (t) => {
  t.equal(quoteText('Korea 대한민국'), '"Korea 대한민국"')
  t.equal(quoteText('a"b\\c\n\r\t'), '"a\\"b\\\\c\\n\\r\\t"')
  t.equal(quoteText('\u001b[2J\u0000\u007f\u009b'), '"\\u{1b}[2J\\u{0}\\u{7f}\\u{9b}"')
  t.equal(quoteText('\u202eabc\u2066\u200b\ufeff'), '"\\u{202e}abc\\u{2066}\\u{200b}\\u{feff}"')
  t.equal(quoteText('\u2028\ud800'), '"\\u{2028}\\u{d800}"')
})
