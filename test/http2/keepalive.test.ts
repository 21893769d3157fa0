/** Keepalive policies under a virtual clock (gRFC A8, A9). */
import t from 'tap'
import { doubledKeepaliveTimeMs, KeepalivePinger, PingEnforcement } from '../../src/http2/keepalive.ts'

t.test('gRFC A8: a ping after silence, dead without an answer in time', async (t) => {
  const pinger = new KeepalivePinger({ timeMs: 100, timeoutMs: 30 }, 0)
  t.equal(pinger.nextMs(1), 100)
  t.equal(pinger.poll(99, 1), 'none')
  t.equal(pinger.poll(100, 1), 'ping')
  t.equal(pinger.nextMs(1), 130)
  t.equal(pinger.poll(129, 1), 'none')
  t.equal(pinger.poll(130, 1), 'dead')
})

t.test('gRFC A8: anything that arrives is a sign of life', async (t) => {
  const pinger = new KeepalivePinger({ timeMs: 100, timeoutMs: 30 }, 0)
  pinger.onRead(60)
  t.equal(pinger.nextMs(1), 160)
  t.equal(pinger.poll(160, 1), 'ping')
  pinger.onRead(170)
  t.equal(pinger.poll(200, 1), 'none')
  t.equal(pinger.nextMs(1), 270)
})

t.test('gRFC A8: without streams only if asked for', async (t) => {
  const pinger = new KeepalivePinger({ timeMs: 100 }, 0)
  t.equal(pinger.nextMs(0), Number.POSITIVE_INFINITY)
  t.equal(pinger.poll(1e9, 0), 'none')
  pinger.onFirstStream(1e9)
  t.equal(pinger.nextMs(1), 1e9 + 100, 'no ping at once after a long pause')
  const always = new KeepalivePinger({ timeMs: 100, withoutCalls: true }, 0)
  t.equal(always.poll(100, 0), 'ping')
  t.equal(always.nextMs(0), 100 + 20_000, 'default timeout')
})

t.test('a ping under way is watched even after the last stream ended', async (t) => {
  const pinger = new KeepalivePinger({ timeMs: 100, timeoutMs: 30 }, 0)
  t.equal(pinger.poll(100, 1), 'ping')
  t.equal(pinger.poll(130, 0), 'dead')
})

t.test('off by default', async (t) => {
  t.equal(new KeepalivePinger({}, 0).nextMs(5), Number.POSITIVE_INFINITY)
})

t.test('gRFC A8: after too_many_pings the interval doubles', async (t) => {
  t.equal(doubledKeepaliveTimeMs(10_000), 20_000)
})

t.test('gRFC A9: two early pings are forgiven, the third is one too many', async (t) => {
  const enforcement = new PingEnforcement({ minIntervalMs: 1000 })
  t.equal(enforcement.onPing(0, 1), false, 'the first is never early')
  t.equal(enforcement.onPing(1000, 1), false)
  t.equal(enforcement.onPing(1500, 1), false)
  t.equal(enforcement.onPing(2000, 1), false)
  t.equal(enforcement.onPing(2500, 1), true)
})

t.test('gRFC A9: sending HEADERS or DATA counts anew', async (t) => {
  const enforcement = new PingEnforcement({ minIntervalMs: 1000 })
  for (let at = 0; at < 100; at++) {
    t.equal(enforcement.onPing(at, 1), false)
    enforcement.onSend()
  }
})

t.test('gRFC A9: without streams a ping every 2 hours, unless allowed', async (t) => {
  const strict = new PingEnforcement({ minIntervalMs: 1000 })
  const hour = 3_600_000
  t.strictSame(
    [0, 1, 2, 3].map((n) => strict.onPing(n * hour, 0)),
    [false, false, false, true],
  )
  const lenient = new PingEnforcement({ minIntervalMs: 1000, withoutCalls: true })
  t.strictSame(
    [0, 1, 2, 3].map((n) => lenient.onPing(n * hour, 0)),
    [false, false, false, false],
  )
  t.equal(new PingEnforcement().minIntervalMs, 300_000, 'default 5 minutes')
})
