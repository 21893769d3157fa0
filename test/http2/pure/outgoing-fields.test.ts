/** What we refuse to send (RFC 9113 §8.2); the rest is in the contract suite. */
import t from 'tap'
import { checkOutgoing } from '../../../src/http2/pure/outgoing-fields.ts'

t.test('pseudo-header fields by section and order (RFC 9113 §8.3)', async (t) => {
  checkOutgoing([':method', 'GET', ':path', '/', 'a', 'b'], 'request')
  checkOutgoing([':status', '200', 'a', 'b'], 'response')
  t.throws(() => checkOutgoing([':status', '200'], 'request'), /":status" is not allowed in request/)
  t.throws(() => checkOutgoing([':path', '/'], 'response'), /":path" is not allowed in response/)
  t.throws(() => checkOutgoing([':status', '200'], 'trailers'), /":status" is not allowed in trailers/)
  t.throws(() => checkOutgoing(['x-first', 'b', ':path', '/'], 'request'), /after other fields/)
  t.throws(() => checkOutgoing(['te', 'trailers', ':path', '/'], 'request'), /after other fields/)
})

t.test('te is checked each time, and more names than are remembered work', async (t) => {
  checkOutgoing(['te', 'trailers'], 'request')
  t.throws(() => checkOutgoing(['te', 'gzip'], 'request'), /te/)
  for (let n = 0; n < 3000; n++) checkOutgoing([`x-${n}`, 'v'], 'trailers')
  t.throws(() => checkOutgoing(['x-new', 'a\r\nb'], 'trailers'), /x-new/)
})

t.test('a frozen section is checked once, for each kind; another one each time', async (t) => {
  const frozen = Object.freeze([':status', '200'])
  checkOutgoing(frozen, 'response')
  checkOutgoing(frozen, 'response')
  t.throws(() => checkOutgoing(frozen, 'request'), /":status" is not allowed in request/)
  const bad = Object.freeze(['x-a', ' b'])
  for (let i = 0; i < 2; i++) t.throws(() => checkOutgoing(bad, 'trailers'), /x-a/)
  const open = ['x-a', 'b']
  checkOutgoing(open, 'trailers')
  open[1] = 'b\r\nc: d'
  t.throws(() => checkOutgoing(open, 'trailers'), /x-a/, 'it has changed since')
})
