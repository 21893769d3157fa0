import t from 'tap'
import { MessageCutter } from '../../src/inspect/message-cutter.ts'
import { prefixed } from './traffic.ts'

t.test('each message with the octet of the connection at which it began', async (t) => {
  const cutter = new MessageCutter(100)
  const octets = Buffer.concat([prefixed(Uint8Array.of(1, 2, 3)), prefixed(new Uint8Array(), true)])
  t.same(cutter.push(octets.subarray(0, 6), 1000), [])
  t.match(cutter.push(octets.subarray(6), 2000), [
    { offset: 1000, compressed: false, lengthOctets: 3, octets: Uint8Array.of(1, 2, 3) },
    { offset: 2002, compressed: true, lengthOctets: 0 },
  ])
  cutter.end()
})

t.test('of a long message only the beginning is kept, and no more memory than has come', async (t) => {
  const cutter = new MessageCutter(10)
  const [message] = cutter.push(prefixed(Uint8Array.from({ length: 300 }, (_, i) => i)), 0)
  t.match(message, { lengthOctets: 300 })
  t.same([...message!.octets], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const claims = new MessageCutter(Number.POSITIVE_INFINITY)
  const before = process.memoryUsage().arrayBuffers
  claims.push(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 1), 0)
  t.ok(process.memoryUsage().arrayBuffers - before < 1_000_000, '4 GiB are claimed, 1 octet came')
  t.throws(() => claims.end(), { message: /after 1 of 4294967295 octets/ })
})

t.test('octet by octet', async (t) => {
  const cutter = new MessageCutter(100)
  const octets = Buffer.concat([prefixed(Buffer.from('one')), prefixed(Buffer.from('two'))])
  const messages = [...octets].flatMap((octet, i) => cutter.push(Uint8Array.of(octet), i))
  t.same(
    messages.map((message) => [message.offset, Buffer.from(message.octets).toString()]),
    [
      [0, 'one'],
      [8, 'two'],
    ],
  )
})

t.test('a prefix that is none', async (t) => {
  const expected = { name: 'WireError', fault: 'reserved-flag', offset: 77 } as const
  t.throws(() => new MessageCutter(9).push(Uint8Array.of(2, 0, 0, 0, 1, 0), 77), expected as unknown as Error)
  t.throws(() => new MessageCutter(9).push(Buffer.from('<html>'), 0), { message: /HTML/ })
})
