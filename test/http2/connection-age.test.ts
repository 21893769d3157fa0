/** Maximum age, grace and idle time under a virtual clock (gRFC A9). */
import t from 'tap'
import { ConnectionAge } from '../../src/http2/connection-age.ts'

t.test('age: drained once, and ended after the grace', async (t) => {
  const age = new ConnectionAge({ maxAgeMs: 1000, maxAgeGraceMs: 200 }, 0, 0.5)
  t.equal(age.nextMs(3), 1000)
  t.equal(age.poll(999, 3), 'none')
  t.equal(age.poll(1000, 3), 'drain-for-age')
  t.equal(age.poll(1100, 3), 'none')
  t.equal(age.nextMs(3), 1200)
  t.equal(age.poll(1200, 3), 'end')
  t.equal(age.poll(5000, 3), 'none')
})

t.test('age: spread by 10 % either way', async (t) => {
  t.equal(new ConnectionAge({ maxAgeMs: 1000 }, 0, 0).nextMs(0), 900)
  t.equal(new ConnectionAge({ maxAgeMs: 1000 }, 0, 1).nextMs(0), 1100)
})

t.test('age: without a grace streams may end in their own time', async (t) => {
  const age = new ConnectionAge({ maxAgeMs: 1000 }, 0, 0.5)
  t.equal(age.poll(1000, 1), 'drain-for-age')
  t.equal(age.nextMs(1), Number.POSITIVE_INFINITY)
})

t.test('idle: counted from the start, and from the end of the last stream', async (t) => {
  const age = new ConnectionAge({ maxIdleMs: 500 }, 100, 0.5)
  t.equal(age.nextMs(0), 600)
  t.equal(age.nextMs(1), Number.POSITIVE_INFINITY)
  age.onIdle(2000)
  t.equal(age.nextMs(0), 2500)
  t.equal(age.poll(2500, 0), 'drain-for-idleness')
})

t.test('off by default', async (t) => {
  t.equal(new ConnectionAge({}, 0, 0.5).nextMs(0), Number.POSITIVE_INFINITY)
})
