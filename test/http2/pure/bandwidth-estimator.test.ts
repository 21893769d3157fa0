/** The bandwidth-delay product, estimated under a virtual clock. */
import t from 'tap'
import { BandwidthEstimator } from '../../../src/http2/pure/bandwidth-estimator.ts'

t.test('half a window in a round trip doubles the estimate, up to the limit', async (t) => {
  const estimator = new BandwidthEstimator(1000, 5000)
  let nowMs = 0
  for (const expected of [2000, 4000, 5000]) {
    t.equal(estimator.wantsSample, true)
    estimator.start(nowMs)
    t.equal(estimator.wantsSample, false, 'one sample at a time')
    estimator.count(estimator.estimateOctets / 2)
    nowMs += 100
    t.equal(estimator.finish(nowMs), true)
    t.equal(estimator.estimateOctets, expected)
  }
  t.equal(estimator.wantsSample, false, 'nothing left to learn')
})

t.test('a window that is not filled stays', async (t) => {
  const estimator = new BandwidthEstimator(1000, 5000)
  estimator.start(0)
  estimator.count(400)
  t.equal(estimator.finish(10), false)
  t.equal(estimator.estimateOctets, 1000)
})

t.test('a sample that is no faster than before does not count: queues grew, not the path', async (t) => {
  const estimator = new BandwidthEstimator(1000, 100_000)
  estimator.start(0)
  estimator.count(1000)
  t.equal(estimator.finish(10), true)
  estimator.start(10)
  estimator.count(2000)
  t.equal(estimator.finish(1000), false)
})

t.test(
  'octets outside of a sample are not counted, and a round trip of 0 ms is no division by zero',
  async (t) => {
    const estimator = new BandwidthEstimator(1000, 5000)
    estimator.count(1_000_000)
    estimator.start(5)
    t.equal(estimator.finish(5), false)
    estimator.start(5)
    estimator.count(900)
    t.equal(estimator.finish(5), true)
    t.equal(estimator.estimateOctets, 2000)
  },
)
