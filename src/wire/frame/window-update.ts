/**
 * WINDOW_UPDATE (RFC 9113 §6.9): gives back flow-control credit, of a stream or of the connection.
 *
 * Whether the window overflows is known to the connection only (RFC 9113 §6.9.1).
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError, streamError } from './frame-error.ts'
import { type FrameHeader, readUint31, writeFrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const WINDOW_UPDATE_OCTETS = 4

/**
 * Tells a WINDOW_UPDATE frame.
 *
 * @throws WireError for the connection: FRAME_SIZE_ERROR if not 4 octets, PROTOCOL_ERROR for an increment of 0
 *   on stream 0 (on another stream it is a stream error)
 */
export function readWindowUpdate(
  sink: FrameSink,
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
): void {
  // RFC 9113 §6.9: four octets.
  if (header.length !== WINDOW_UPDATE_OCTETS) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §6.9',
      `WINDOW_UPDATE is ${header.length} octets, allowed are ${WINDOW_UPDATE_OCTETS}`,
    )
  }
  const increment = readUint31(chunk, start)
  // RFC 9113 §6.9: an increment of 0 is an error of the window it is for.
  if (increment === 0) {
    const reason = 'WINDOW_UPDATE with increment 0, allowed are 1 to 2147483647'
    if (header.streamId === 0) {
      throw connectionError(header, ErrorCode.PROTOCOL_ERROR, 'RFC 9113 §6.9', reason)
    }
    sink.onStreamError(streamError(header, ErrorCode.PROTOCOL_ERROR, 'RFC 9113 §6.9', reason))
    return
  }
  sink.onWindowUpdate(header.streamId, increment)
}

/** Writes a WINDOW_UPDATE frame; `streamId` 0 is the connection's window, `increment` 1 to 2^31 - 1 octets. */
export function writeWindowUpdate(out: OctetWriter, streamId: number, increment: number): void {
  writeFrameHeader(out, WINDOW_UPDATE_OCTETS, FrameType.WINDOW_UPDATE, 0, streamId)
  out.uint32(increment)
}
