/** GOAWAY (RFC 9113 §6.8): the sender takes no new streams, and says which ones it may have processed. */
import { type OctetWriter, readUint32 } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, endFrame, type FrameHeader, readUint31 } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const GOAWAY_OCTETS = 8

/** Debug data are cut to this many characters, at most three octets each: every peer takes a frame of that size. */
const MAX_DEBUG_CHARACTERS = 4096

/**
 * Tells a GOAWAY frame.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on a stream, FRAME_SIZE_ERROR below 8 octets
 */
export function readGoaway(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  // RFC 9113 §6.8: GOAWAY is of the connection.
  if (header.streamId !== 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.8',
      'GOAWAY on a stream, allowed on stream 0 only',
    )
  }
  // RFC 9113 §4.2: too small for last stream identifier and error code.
  if (header.length < GOAWAY_OCTETS) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §4.2',
      `GOAWAY is ${header.length} octets, allowed are at least ${GOAWAY_OCTETS}`,
    )
  }
  const lastStreamId = readUint31(chunk, start)
  sink.onGoaway(
    lastStreamId,
    readUint32(chunk, start + 4),
    chunk,
    start + GOAWAY_OCTETS,
    start + header.length,
  )
}

/**
 * Writes a GOAWAY frame.
 *
 * @param lastStreamId the highest stream of the peer that may have been processed, 2^31 - 1 before the real one is known
 * @param debugData Additional Debug Data as text, sent as UTF-8, cut to 4096 characters; default none
 */
export function writeGoaway(out: OctetWriter, lastStreamId: number, code: number, debugData = ''): void {
  const start = beginFrame(out, FrameType.GOAWAY, 0, 0)
  out.uint32(lastStreamId)
  out.uint32(code)
  if (debugData !== '') out.text(debugData.slice(0, MAX_DEBUG_CHARACTERS))
  endFrame(out, start)
}
