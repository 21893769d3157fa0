/**
 * The states of a stream as one table (RFC 9113 §5.1): state and input give the next state or the answer.
 *
 * ```
 *                        send PP +--------+ recv PP
 *                       ,--------|  idle  |--------.
 *                      v         +--------+         v
 *             +---------------+      |      +----------------+
 *             | reservedLocal |      | H    | reservedRemote |
 *             +---------------+      v      +----------------+
 *                 | send H       +--------+        | recv H
 *                 |      recv ES |  open  | send ES|
 *                 |     ,--------|        |-----.  |
 *                 v    v         +--------+      v v
 *          +------------------+      |     +-----------------+
 *          | halfClosedRemote |      | R   | halfClosedLocal |
 *          +------------------+      v     +-----------------+
 *                 | send ES / R  +--------+    recv ES / R |
 *                 `------------->| closed |<---------------'
 *                                +--------+
 *   H: HEADERS, ES: END_STREAM flag, PP: PUSH_PROMISE (field block included), R: RST_STREAM
 * ```
 *
 * `closed` is three states here, because what a late frame means depends on what closed the stream. HEADERS
 * with END_STREAM are two inputs, `…Headers` then `…EndStream`. PRIORITY is legal in every state and is no
 * input. An input without a row is an error, so nothing illegal is allowed by accident.
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'

/** The states of a stream. */
export const StreamState = {
  idle: 0,
  reservedLocal: 1,
  reservedRemote: 2,
  open: 3,
  halfClosedLocal: 4,
  halfClosedRemote: 5,
  /** Both sides sent END_STREAM. */
  closedInOrder: 6,
  /** We sent RST_STREAM: what the peer had under way is ignored. */
  closedByOurReset: 7,
  /** The peer sent RST_STREAM. */
  closedByPeerReset: 8,
} as const

/** One of {@link StreamState}. */
export type StreamState = (typeof StreamState)[keyof typeof StreamState]

/** What can happen to a stream. */
export const StreamInput = {
  sendHeaders: 0,
  sendData: 1,
  sendEndStream: 2,
  sendReset: 3,
  sendPushPromise: 4,
  receiveHeaders: 5,
  receiveData: 6,
  receiveEndStream: 7,
  receiveReset: 8,
  receivePushPromise: 9,
  receiveWindowUpdate: 10,
} as const

/** One of {@link StreamInput}. */
export type StreamInput = (typeof StreamInput)[keyof typeof StreamInput]

/** The frame is to be dropped; it was sent before the peer could know that the stream had closed. */
export const IGNORE = 0x20
/** Set in an answer that ends the stream: `answer & 0x1f` is the code of RST_STREAM. */
export const STREAM_ERROR = 0x40
/** Set in an answer that ends the connection: `answer & 0x1f` is the code of GOAWAY. */
export const CONNECTION_ERROR = 0x80
/** We ourselves may not do this now. */
export const MISUSE = 0xff

const INPUTS = Object.keys(StreamInput).length
const STATES = Object.keys(StreamState).length

const S = StreamState
const I = StreamInput
const streamClosed = STREAM_ERROR | ErrorCode.STREAM_CLOSED
const connectionClosed = CONNECTION_ERROR | ErrorCode.STREAM_CLOSED

/** State, input, next state or answer. What is missing is PROTOCOL_ERROR when received, misuse when sent. */
const ROWS: readonly (readonly [StreamState, StreamInput, number])[] = [
  [S.idle, I.sendHeaders, S.open],
  [S.idle, I.receiveHeaders, S.open],
  [S.idle, I.sendPushPromise, S.reservedLocal],
  [S.idle, I.receivePushPromise, S.reservedRemote],

  [S.reservedLocal, I.sendHeaders, S.halfClosedRemote],
  [S.reservedLocal, I.sendReset, S.closedByOurReset],
  [S.reservedLocal, I.receiveReset, S.closedByPeerReset],
  [S.reservedLocal, I.receiveWindowUpdate, S.reservedLocal],

  [S.reservedRemote, I.receiveHeaders, S.halfClosedLocal],
  [S.reservedRemote, I.sendReset, S.closedByOurReset],
  [S.reservedRemote, I.receiveReset, S.closedByPeerReset],

  [S.open, I.sendHeaders, S.open],
  [S.open, I.sendData, S.open],
  [S.open, I.sendEndStream, S.halfClosedLocal],
  [S.open, I.sendReset, S.closedByOurReset],
  [S.open, I.receiveHeaders, S.open],
  [S.open, I.receiveData, S.open],
  [S.open, I.receiveEndStream, S.halfClosedRemote],
  [S.open, I.receiveReset, S.closedByPeerReset],
  [S.open, I.receiveWindowUpdate, S.open],

  [S.halfClosedLocal, I.sendReset, S.closedByOurReset],
  [S.halfClosedLocal, I.receiveHeaders, S.halfClosedLocal],
  [S.halfClosedLocal, I.receiveData, S.halfClosedLocal],
  [S.halfClosedLocal, I.receiveEndStream, S.closedInOrder],
  [S.halfClosedLocal, I.receiveReset, S.closedByPeerReset],
  [S.halfClosedLocal, I.receiveWindowUpdate, S.halfClosedLocal],

  [S.halfClosedRemote, I.sendHeaders, S.halfClosedRemote],
  [S.halfClosedRemote, I.sendData, S.halfClosedRemote],
  [S.halfClosedRemote, I.sendEndStream, S.closedInOrder],
  [S.halfClosedRemote, I.sendReset, S.closedByOurReset],
  [S.halfClosedRemote, I.receiveHeaders, streamClosed],
  [S.halfClosedRemote, I.receiveData, streamClosed],
  [S.halfClosedRemote, I.receiveReset, S.closedByPeerReset],
  [S.halfClosedRemote, I.receiveWindowUpdate, S.halfClosedRemote],

  [S.closedInOrder, I.receiveHeaders, connectionClosed],
  [S.closedInOrder, I.receiveData, connectionClosed],
  [S.closedInOrder, I.receiveReset, IGNORE],
  [S.closedInOrder, I.receiveWindowUpdate, IGNORE],

  [S.closedByOurReset, I.receiveHeaders, IGNORE],
  [S.closedByOurReset, I.receiveData, IGNORE],
  [S.closedByOurReset, I.receiveReset, IGNORE],
  [S.closedByOurReset, I.receivePushPromise, IGNORE],
  [S.closedByOurReset, I.receiveWindowUpdate, IGNORE],

  [S.closedByPeerReset, I.receiveHeaders, streamClosed],
  [S.closedByPeerReset, I.receiveData, streamClosed],
  [S.closedByPeerReset, I.receiveReset, IGNORE],
  [S.closedByPeerReset, I.receiveWindowUpdate, IGNORE],
]

// A flat array is the fastest table in V8: bench/micro/pure-stream-state.ts.
const table = new Uint8Array(STATES * INPUTS)
for (let state = 0; state < STATES; state++) {
  for (let input = 0; input < INPUTS; input++) {
    table[state * INPUTS + input] =
      input < I.receiveHeaders ? MISUSE : CONNECTION_ERROR | ErrorCode.PROTOCOL_ERROR
  }
}
for (const [state, input, next] of ROWS) table[state * INPUTS + input] = next

/**
 * What `input` does to a stream in `state`: the next {@link StreamState} (below {@link IGNORE}), or
 * {@link IGNORE}, {@link STREAM_ERROR} or {@link CONNECTION_ERROR} with a code, or {@link MISUSE}.
 */
export function nextStreamState(state: StreamState, input: StreamInput): number {
  return table[state * INPUTS + input]!
}

/** True for the three closed states. */
export function isClosed(state: StreamState): boolean {
  return state >= S.closedInOrder
}

/** True while we may still send DATA or trailers. */
export function canSend(state: StreamState): boolean {
  return state === S.open || state === S.halfClosedRemote
}

const stateNames = Object.keys(StreamState)
const inputNames = Object.keys(StreamInput)

/** The name of a state, for texts. */
export function streamStateName(state: StreamState): string {
  return stateNames[state]!
}

/** The name of an input, for texts. */
export function streamInputName(input: StreamInput): string {
  return inputNames[input]!
}
