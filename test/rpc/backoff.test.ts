import t from 'tap'
import { Backoff } from '../../src/rpc/backoff.ts'

t.test('gRPC connection-backoff: 1 s, x1.6, at most 120 s, jitter of 20 %', async (t) => {
  const backoff = new Backoff()
  let expected = 1000
  for (let i = 0; i < 20; i++) {
    t.ok(Math.abs(backoff.next(0.5) - expected) < 0.001, `attempt ${i}`)
    expected = Math.min(expected * 1.6, 120_000)
  }
  t.equal(backoff.next(0), 96_000)
  t.equal(backoff.next(1), 144_000)
  backoff.reset()
  t.equal(backoff.next(0.5), 1000)
})

t.test('its figures are options', async (t) => {
  const backoff = new Backoff({ initialBackoffMs: 10, maxBackoffMs: 12 })
  t.equal(backoff.next(0.5), 10)
  t.equal(backoff.next(0.5), 12)
})
