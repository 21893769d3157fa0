/** The table of stream states (RFC 9113 §5.1): every state with every input. */
import t from 'tap'
import {
  CONNECTION_ERROR,
  canSend,
  IGNORE,
  isClosed,
  MISUSE,
  nextStreamState,
  STREAM_ERROR,
  StreamInput,
  StreamState,
  streamInputName,
  streamStateName,
} from '../../../src/http2/pure/stream-state.ts'

const states = Object.values(StreamState)
const inputs = Object.values(StreamInput)
const PROTOCOL_ERROR = 'connection 1'
const M = 'misuse'

/** What each input does, in the order of StreamInput: a state, or how it is answered. */
const EXPECTED: Record<keyof typeof StreamState, string[]> = {
  idle: [
    'open',
    M,
    M,
    M,
    'reservedLocal',
    'open',
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
    'reservedRemote',
    PROTOCOL_ERROR,
  ],
  reservedLocal: [
    'halfClosedRemote',
    M,
    M,
    'closedByOurReset',
    M,
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
    'closedByPeerReset',
    PROTOCOL_ERROR,
    'reservedLocal',
  ],
  reservedRemote: [
    M,
    M,
    M,
    'closedByOurReset',
    M,
    'halfClosedLocal',
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
    'closedByPeerReset',
    PROTOCOL_ERROR,
    PROTOCOL_ERROR,
  ],
  open: [
    'open',
    'open',
    'halfClosedLocal',
    'closedByOurReset',
    M,
    'open',
    'open',
    'halfClosedRemote',
    'closedByPeerReset',
    PROTOCOL_ERROR,
    'open',
  ],
  halfClosedLocal: [
    M,
    M,
    M,
    'closedByOurReset',
    M,
    'halfClosedLocal',
    'halfClosedLocal',
    'closedInOrder',
    'closedByPeerReset',
    PROTOCOL_ERROR,
    'halfClosedLocal',
  ],
  halfClosedRemote: [
    'halfClosedRemote',
    'halfClosedRemote',
    'closedInOrder',
    'closedByOurReset',
    M,
    'stream 5',
    'stream 5',
    PROTOCOL_ERROR,
    'closedByPeerReset',
    PROTOCOL_ERROR,
    'halfClosedRemote',
  ],
  closedInOrder: [
    M,
    M,
    M,
    M,
    M,
    'connection 5',
    'connection 5',
    PROTOCOL_ERROR,
    'ignore',
    PROTOCOL_ERROR,
    'ignore',
  ],
  closedByOurReset: [M, M, M, M, M, 'ignore', 'ignore', PROTOCOL_ERROR, 'ignore', 'ignore', 'ignore'],
  closedByPeerReset: [
    M,
    M,
    M,
    M,
    M,
    'stream 5',
    'stream 5',
    PROTOCOL_ERROR,
    'ignore',
    PROTOCOL_ERROR,
    'ignore',
  ],
}

function show(answer: number): string {
  if (answer === MISUSE) return M
  if (answer >= CONNECTION_ERROR) return `connection ${answer & 0x1f}`
  if (answer >= STREAM_ERROR) return `stream ${answer & 0x1f}`
  if (answer === IGNORE) return 'ignore'
  return streamStateName(answer as StreamState)
}

t.test('each state answers each input as RFC 9113 §5.1 says', async (t) => {
  for (const state of states) {
    const expected = EXPECTED[streamStateName(state) as keyof typeof StreamState]
    for (const input of inputs) {
      t.equal(
        show(nextStreamState(state, input)),
        expected[input],
        `${streamStateName(state)} ${streamInputName(input)}`,
      )
    }
  }
})

t.test('closed is for ever (RFC 9113 §5.1)', async (t) => {
  for (const state of states.filter(isClosed)) {
    for (const input of inputs) t.ok(nextStreamState(state, input) >= IGNORE)
  }
})

t.test('we send on open and half-closed (remote) streams only', async (t) => {
  t.strictSame(states.filter(canSend).map(streamStateName), ['open', 'halfClosedRemote'])
  for (const state of states) {
    t.equal(canSend(state), nextStreamState(state, StreamInput.sendData) !== MISUSE)
  }
})
