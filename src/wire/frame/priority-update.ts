/**
 * PRIORITY_UPDATE (RFC 9218 §7.1): a client changes the priority of a request or push.
 *
 * The value is a structured field, read by whoever schedules; a client that receives the frame answers with
 * PROTOCOL_ERROR, which the connection does, knowing its role.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, endFrame, type FrameHeader, readUint31 } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const PRIORITIZED_STREAM_ID_OCTETS = 4

/**
 * Tells a PRIORITY_UPDATE frame.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on a stream or for stream 0, FRAME_SIZE_ERROR below 4 octets
 */
export function readPriorityUpdate(
  sink: FrameSink,
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
): void {
  // RFC 9218 §7.1: the frame is of the connection; the stream is named inside.
  if (header.streamId !== 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9218 §7.1',
      'PRIORITY_UPDATE on a stream, allowed on stream 0 only',
    )
  }
  // RFC 9218 §7.1: room for the prioritized stream identifier.
  if (header.length < PRIORITIZED_STREAM_ID_OCTETS) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9218 §7.1',
      `PRIORITY_UPDATE is ${header.length} octets, allowed are at least ${PRIORITIZED_STREAM_ID_OCTETS}`,
    )
  }
  const prioritizedStreamId = readUint31(chunk, start)
  // RFC 9218 §7.1: stream 0 has no priority.
  if (prioritizedStreamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9218 §7.1',
      'PRIORITY_UPDATE for stream 0, allowed for streams only',
    )
  }
  sink.onPriorityUpdate(
    prioritizedStreamId,
    chunk,
    start + PRIORITIZED_STREAM_ID_OCTETS,
    start + header.length,
  )
}

/**
 * Writes a PRIORITY_UPDATE frame.
 *
 * @param value ASCII Priority Field Value
 *
 * @example
 * writePriorityUpdate(out, 5, 'u=1, i')
 */
export function writePriorityUpdate(out: OctetWriter, prioritizedStreamId: number, value: string): void {
  const start = beginFrame(out, FrameType.PRIORITY_UPDATE, 0, 0)
  out.uint32(prioritizedStreamId)
  out.text(value)
  endFrame(out, start)
}
