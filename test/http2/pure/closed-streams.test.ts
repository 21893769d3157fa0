/** The memory of closed streams (RFC 9113 §5.1). */
import t from 'tap'
import { ClosedStreams } from '../../../src/http2/pure/closed-streams.ts'
import { StreamState } from '../../../src/http2/pure/stream-state.ts'

t.test('resets are remembered, all others ended in order', async (t) => {
  const closed = new ClosedStreams()
  t.equal(closed.stateOf(1), StreamState.closedInOrder)
  closed.remember(1, StreamState.closedByOurReset)
  closed.remember(3, StreamState.closedByPeerReset)
  t.equal(closed.stateOf(1), StreamState.closedByOurReset)
  t.equal(closed.stateOf(3), StreamState.closedByPeerReset)
  t.equal(closed.stateOf(5), StreamState.closedInOrder)
})

t.test('the memory is bounded: the oldest goes first', async (t) => {
  const closed = new ClosedStreams()
  for (let id = 1; id < 20_000; id += 2) closed.remember(id, StreamState.closedByOurReset)
  t.equal(closed.stateOf(1), StreamState.closedInOrder)
  t.equal(closed.stateOf(19_999), StreamState.closedByOurReset)
  t.equal(closed.stateOf(19_999 - 2 * 4095), StreamState.closedByOurReset)
  t.equal(closed.stateOf(19_999 - 2 * 4096), StreamState.closedInOrder)
})

t.test('identifiers that were passed over (RFC 9113 §5.1.1)', async (t) => {
  const closed = new ClosedStreams()
  t.equal(closed.wasSkipped(3), false)
  closed.skip(3, 7)
  t.strictSame(
    [1, 3, 5, 7, 9].filter((id) => closed.wasSkipped(id)),
    [3, 5, 7],
  )
  for (let n = 0; n < 100; n++) closed.skip(1000 + n * 10, 1002 + n * 10)
  t.equal(closed.wasSkipped(3), false, 'bounded')
  t.equal(closed.wasSkipped(1992), true)
})
