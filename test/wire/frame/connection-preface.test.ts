import t from 'tap'
import { CONNECTION_PREFACE, matchConnectionPreface } from '../../../src/wire/index.ts'
import { toHex } from './vectors.ts'

t.test('RFC 9113 §3.4: the octets of the preface', async (t) => {
  t.equal(toHex(CONNECTION_PREFACE), '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a')
})

t.test('RFC 9113 §3.4: the preface is matched in any chunks, and no further than it goes', async (t) => {
  const octets = Uint8Array.from([9, 9, ...CONNECTION_PREFACE, 0, 0, 6])
  for (let cut = 2; cut <= octets.length; cut++) {
    const first = matchConnectionPreface(octets, 2, cut, 0)
    t.equal(first, Math.min(cut - 2, 24))
    t.equal(matchConnectionPreface(octets, cut, octets.length, first), 24)
  }
})

t.test('RFC 9113 §3.4: anything else is refused at the first octet that differs', async (t) => {
  const expected = { layer: 'frame', section: 'RFC 9113 §3.4', code: 1, scope: 'connection' }
  const get = Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  t.throws(() => matchConnectionPreface(get, 0, get.length, 0), {
    ...expected,
    offset: 0,
    message: /connection preface starts with "GET \/ HTTP\/1.1\\r\\nhost/,
  })
  const almost = Buffer.from('PRI * HTTP/2.1')
  t.throws(() => matchConnectionPreface(almost, 0, almost.length, 0), { ...expected, offset: 13 })
  t.equal(matchConnectionPreface(almost, 0, 13, 0), 13)
  t.throws(() => matchConnectionPreface(almost, 13, 14, 13), {
    ...expected,
    offset: 13,
    message: /starts with "PRI \* HTTP\/2.1"/,
  })
  for (let at = 0; at < 24; at++) {
    const wrong = CONNECTION_PREFACE.slice()
    wrong[at]! ^= 0x20
    t.throws(() => matchConnectionPreface(wrong, 0, 24, 0), { ...expected, offset: at })
  }
})
