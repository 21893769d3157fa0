import t, { type Test } from 'tap'
import { LongTimer, MAX_TIMER_MS } from '../../src/http2/long-timer.ts'

/** Takes the place of setTimeout: tells the delays, and lets each elapse by hand. */
function fakeTimers(t: Test) {
  const delays: number[] = []
  const waiting: (() => void)[] = []
  const references: boolean[] = []
  const value = (elapse: () => void, ms: number) => {
    delays.push(ms)
    waiting.push(elapse)
    references.push(true)
    const index = references.length - 1
    return {
      ref: () => {
        references[index] = true
      },
      unref: () => {
        references[index] = false
      },
    }
  }
  t.intercept(globalThis, 'setTimeout', { value })
  return { delays, references, elapse: () => waiting.shift()?.() }
}

t.test('a delay that setTimeout keeps', async (t) => {
  const { delays, elapse } = fakeTimers(t)
  let elapsed = 0
  new LongTimer(MAX_TIMER_MS, () => elapsed++)
  new LongTimer(-5, () => elapsed++)
  t.same(delays, [0x7fffffff, 0])
  elapse()
  elapse()
  t.equal(elapsed, 2)
})

t.test('one beyond 24.8 days goes in steps', async (t) => {
  const { delays, elapse } = fakeTimers(t)
  let elapsed = 0
  new LongTimer(2 * MAX_TIMER_MS + 7, () => elapsed++)
  elapse()
  elapse()
  t.equal(elapsed, 0)
  elapse()
  t.equal(elapsed, 1)
  elapse()
  t.same(delays, [MAX_TIMER_MS, MAX_TIMER_MS, 7])
})

t.test('Infinity is never', async (t) => {
  const { delays } = fakeTimers(t)
  new LongTimer(Number.POSITIVE_INFINITY, () => t.fail('it elapsed')).ref().unref().clear()
  t.same(delays, [])
})

t.test('ref and unref hold for all steps', async (t) => {
  const { references, elapse } = fakeTimers(t)
  const timer = new LongTimer(3 * MAX_TIMER_MS, () => {}).unref()
  t.same(references, [false])
  elapse()
  t.same(references, [false, false])
  timer.ref()
  elapse()
  t.same(references, [false, true, true])
})

t.test('clear forgets it', async (t) => {
  let elapsed = 0
  new LongTimer(1, () => elapsed++).clear()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(elapsed, 0)
})
