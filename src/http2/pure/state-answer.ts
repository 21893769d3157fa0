/** What the state table says about a frame for which there is no stream, or none that takes it (RFC 9113 §5.1). */
import type { ConnectionContext } from './connection-context.ts'
import type { PureStream } from './stream.ts'
import {
  CONNECTION_ERROR,
  nextStreamState,
  STREAM_ERROR,
  type StreamInput,
  StreamState,
  streamStateName,
} from './stream-state.ts'
import { connectionViolation, streamViolation } from './violation.ts'

const CODE = 0x1f

/**
 * Ignores the frame, resets the stream, or ends the connection, as the state demands.
 *
 * @param stream undefined if the identifier is idle or the stream has closed
 * @param frame name of the frame, for the text
 * @throws ConnectionError for a violation of the connection
 */
export function answerByState(
  context: ConnectionContext,
  streamId: number,
  stream: PureStream | undefined,
  input: StreamInput,
  frame: string,
): void {
  const past = context.isIdle(streamId) ? StreamState.idle : context.closedStreams.stateOf(streamId)
  const state = stream?.state ?? past
  const answer = nextStreamState(state, input)
  const section = 'RFC 9113 §5.1'
  const reason = `${frame} on stream ${streamId}, which is ${streamStateName(state)}`
  if (answer >= CONNECTION_ERROR) throw connectionViolation(answer & CODE, section, reason)
  if (answer >= STREAM_ERROR) {
    context.refuseStream(streamId, stream, streamViolation(answer & CODE, section, reason, streamId))
  }
}
