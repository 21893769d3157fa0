import t from 'tap'
import { DeadlineTimer, deadlineMoment } from '../../src/rpc/deadline.ts'

t.test('a deadline is milliseconds from now, or a moment', async (t) => {
  t.equal(deadlineMoment(undefined, 5), Number.POSITIVE_INFINITY)
  t.equal(deadlineMoment(500, 1000), 1500)
  t.equal(deadlineMoment(new Date(7000), 1000), 7000)
  t.equal(deadlineMoment(Number.POSITIVE_INFINITY, 1000), Number.POSITIVE_INFINITY)
  t.equal(deadlineMoment(-5, 1000), 995)
  t.throws(() => deadlineMoment(Number.NaN, 0), /milliseconds from now/)
  t.throws(() => deadlineMoment(new Date('x'), 0), /valid Date/)
  t.throws(() => deadlineMoment('5s' as never, 0), TypeError)
  t.throws(() => deadlineMoment(1_700_000_000_000, 0), /give new Date\(1700000000000\)/)
})

t.test('timers reach beyond 2^31 ms (24.8 days)', async (t) => {
  const waits: number[] = []
  const callbacks: (() => void)[] = []
  let now = 0
  t.intercept(Date, 'now', { value: () => now })
  t.intercept(globalThis, 'setTimeout', {
    value: (callback: () => void, ms: number) => {
      waits.push(ms)
      callbacks.push(callback)
      return 0
    },
  })
  let expired = 0
  const days = 24 * 3600 * 1000
  new DeadlineTimer(60 * days, () => expired++)
  while (callbacks.length > 0) {
    now += waits.at(-1)!
    callbacks.shift()!()
  }
  t.same(waits, [0x7fffffff, 0x7fffffff, 60 * days - 2 * 0x7fffffff])
  t.equal(expired, 1)
  t.equal(now, 60 * days)
})

t.test('clear forgets it; a moment that has passed comes in a later turn', async (t) => {
  let expired = 0
  new DeadlineTimer(Date.now() + 1, () => expired++).clear()
  new DeadlineTimer(Date.now() - 5, () => {
    expired += 10
  })
  t.equal(expired, 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(expired, 10)
})
