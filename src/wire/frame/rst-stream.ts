/** RST_STREAM (RFC 9113 §6.4): one stream ends at once, with an error code. */
import { type OctetWriter, readUint32 } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { type FrameHeader, writeFrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const RST_STREAM_OCTETS = 4

/**
 * Tells a RST_STREAM frame.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on stream 0, FRAME_SIZE_ERROR if not 4 octets
 */
export function readRstStream(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  // RFC 9113 §6.4: RST_STREAM belongs to a stream.
  if (header.streamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.4',
      'RST_STREAM on stream 0, allowed on streams only',
    )
  }
  // RFC 9113 §6.4: a wrong length ends the connection, as the stream's state would be unclear.
  if (header.length !== RST_STREAM_OCTETS) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §6.4',
      `RST_STREAM is ${header.length} octets, allowed are ${RST_STREAM_OCTETS}`,
    )
  }
  sink.onRstStream(header.streamId, readUint32(chunk, start))
}

/** Writes a RST_STREAM frame; `code` is an `ErrorCode` or any other 32-bit value. */
export function writeRstStream(out: OctetWriter, streamId: number, code: number): void {
  writeFrameHeader(out, RST_STREAM_OCTETS, FrameType.RST_STREAM, 0, streamId)
  out.uint32(code)
}
