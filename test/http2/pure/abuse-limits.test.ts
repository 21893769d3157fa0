/** Budgets under a virtual clock (RFC 9113 §10.5). */
import t from 'tap'
import { AbuseLimits, TokenBucket } from '../../../src/http2/pure/abuse-limits.ts'

t.test('a bucket gives its burst, then its rate, and never more than its burst', async (t) => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 10 })
  t.strictSame(
    [1, 2, 3, 4].map(() => bucket.take(1000)),
    [true, true, true, false],
  )
  t.equal(bucket.take(1099), false)
  t.equal(bucket.take(1200), true)
  t.strictSame(
    [1, 2, 3, 4].map(() => bucket.take(1e9)),
    [true, true, true, false],
  )
})

t.test('work earns tokens back', async (t) => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 0 }, 0.5)
  t.strictSame([bucket.take(0, 0), bucket.take(0, 0), bucket.take(0, 1)], [true, true, false])
  t.strictSame([bucket.take(0, 2), bucket.take(0, 3), bucket.take(0, 4)], [true, false, true])
})

t.test('a budget of Infinity never ends', async (t) => {
  const bucket = new TokenBucket({ burst: Number.POSITIVE_INFINITY, perSecond: 0 })
  for (let n = 0; n < 100_000; n++) if (!bucket.take(0)) t.fail(String(n))
})

/** How many times `act` is accepted at one moment, at most 200000. */
function accepted(act: () => string | undefined): number {
  for (let n = 0; n < 200_000; n++) if (act() !== undefined) return n
  return 200_000
}

t.test('the defaults', async (t) => {
  const limits = new AbuseLimits()
  t.equal(
    accepted(() => limits.onPeerReset(0, 0, false)),
    1000,
    'rapid resets',
  )
  t.equal(
    accepted(() => limits.onForcedReset(0)),
    1000,
  )
  t.equal(
    accepted(() => limits.onPing(0)),
    1000,
  )
  t.equal(
    accepted(() => limits.onSettings(0)),
    100,
  )
  t.equal(
    accepted(() => limits.onEmptyFrame(0)),
    1000,
  )
  t.equal(
    accepted(() => limits.onWindowUpdate(0)),
    10_000,
  )
  t.equal(
    accepted(() => limits.onPriority(0)),
    1000,
  )
  t.equal(
    accepted(() => limits.onData(0, 1)),
    10_000,
  )
  t.equal(
    accepted(() => limits.onTableSizeUpdate(0)),
    100,
  )
  t.equal(
    accepted(() => limits.onUnknownFrame(0)),
    10_000,
  )
  t.equal(
    accepted(() => new AbuseLimits().onPing(0)),
    200_000,
    'each connection has its own',
  )
  t.equal(
    accepted(() => limits.onPeerReset(0, 50, false)),
    9_000,
    'all resets, of which 1000 are spent',
  )
})

t.test('each budget is an option, and the reason names it', async (t) => {
  const budget = { burst: 2, perSecond: 0 }
  const cases: [string, (limits: AbuseLimits) => string | undefined][] = [
    ['rapidResets', (limits) => limits.onPeerReset(0, 0, false)],
    ['resets', (limits) => limits.onPeerReset(0, 100, false)],
    ['forcedResets', (limits) => limits.onForcedReset(0)],
    ['pings', (limits) => limits.onPing(0)],
    ['settings', (limits) => limits.onSettings(0)],
    ['emptyFrames', (limits) => limits.onEmptyFrame(0)],
    ['windowUpdates', (limits) => limits.onWindowUpdate(0)],
    ['priorities', (limits) => limits.onPriority(0)],
    ['smallData', (limits) => limits.onData(0, 4)],
    ['tableSizeUpdates', (limits) => limits.onTableSizeUpdate(0)],
    ['unknownFrames', (limits) => limits.onUnknownFrame(0)],
  ]
  for (const [name, act] of cases) {
    const limits = new AbuseLimits({ [name]: budget })
    t.strictSame([act(limits), act(limits)], [undefined, undefined], name)
    t.match(act(limits), new RegExp(`too many .*more than 2 at once \\(limit ${name}\\)`), name)
  }
})

t.test('resets of streams that were answered cost nothing', async (t) => {
  const limits = new AbuseLimits({
    rapidResets: { burst: 1, perSecond: 0 },
    resets: { burst: 1, perSecond: 0 },
  })
  t.equal(
    accepted(() => limits.onPeerReset(0, 0, true)),
    200_000,
  )
})

t.test('what earns budgets back: calls that end, frames we send, streams, larger DATA', async (t) => {
  const none = { burst: 1, perSecond: 0 }
  const limits = new AbuseLimits({
    rapidResets: none,
    resets: none,
    pings: none,
    windowUpdates: none,
    priorities: none,
    smallData: none,
  })
  for (let n = 0; n < 1000; n++) {
    limits.streamsCompleted++
    limits.framesSent++
    limits.streamsOpened++
    const reasons = [
      limits.onPeerReset(0, 0, false),
      limits.onPing(0),
      limits.onWindowUpdate(0),
      limits.onPriority(0),
      limits.onData(0, 1000),
      limits.onData(0, 1),
    ]
    if (reasons.some((reason) => reason !== undefined)) t.fail(`${n}: ${reasons}`)
  }
})
