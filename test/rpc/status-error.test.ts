import t from 'tap'
import { Metadata } from '../../src/rpc/metadata.ts'
import { StatusError } from '../../src/rpc/status-error.ts'

t.test('text, fields and cause', async (t) => {
  const cause = new Error('inner')
  const error = new StatusError(14, 'gone', { metadata: { a: 'b' }, cause, phase: 'connect' })
  t.ok(error instanceof Error)
  t.match(error, {
    name: 'StatusError',
    message: '14 UNAVAILABLE: gone',
    code: 14,
    details: 'gone',
    phase: 'connect',
  })
  t.equal(error.cause, cause)
  t.equal(error.metadata.get('a'), 'b')
  const metadata = new Metadata()
  t.equal(new StatusError(1, '', { metadata }).metadata, metadata)
  t.equal('cause' in new StatusError(1, ''), false)
})

t.test('a code that is none, or OK, becomes UNKNOWN', async (t) => {
  for (const code of [0, -1, 17, 1.5, Number.NaN, '5' as never, undefined as never]) {
    t.equal(new StatusError(code).code, 2, String(code))
  }
})

t.test('from: what a thrown value stands for', async (t) => {
  const own = new StatusError(5, 'x')
  t.equal(StatusError.from(own), own)
  t.match(StatusError.from({ code: 7, details: 'd', metadata: new Metadata({ a: 'b' }) }), {
    code: 7,
    details: 'd',
  })
  t.equal(
    StatusError.from({ code: 7, details: 'd', metadata: new Metadata({ a: 'b' }) }).metadata.get('a'),
    'b',
  )
  for (const thrown of [
    new Error('secret'),
    { code: 'ENOENT', details: 'x' },
    { code: 5 },
    { code: 0, details: 'x' },
    null,
    'x',
  ]) {
    const error = StatusError.from(thrown)
    t.match(error, { code: 2, details: 'Unknown error', phase: 'handler' })
    t.equal(error.cause, thrown)
  }
})
