/** ALTSVC (RFC 7838 §4): the same origin is also served elsewhere. Read for traces; a server ignores it. */
import { type OctetWriter, readUint16 } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError, streamError } from './frame-error.ts'
import { beginFrame, endFrame, type FrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const ORIGIN_LENGTH_OCTETS = 2

/**
 * Tells an ALTSVC frame, or `onIgnored` where RFC 7838 §4 wants it ignored.
 *
 * @throws WireError FRAME_SIZE_ERROR for the connection if the fields do not fit, on stream 0 (on another stream it
 *   is a stream error)
 */
export function readAltsvc(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const { streamId, length } = header
  const originOctets = length < ORIGIN_LENGTH_OCTETS ? 0 : readUint16(chunk, start)
  // RFC 9113 §4.2: too small for what must be there.
  if (length < ORIGIN_LENGTH_OCTETS + originOctets) {
    const needed = ORIGIN_LENGTH_OCTETS + originOctets
    const reason = `ALTSVC is ${length} octets, allowed are at least ${needed}`
    if (streamId === 0) throw connectionError(header, ErrorCode.FRAME_SIZE_ERROR, 'RFC 9113 §4.2', reason)
    sink.onStreamError(streamError(header, ErrorCode.FRAME_SIZE_ERROR, 'RFC 9113 §4.2', reason))
    return
  }
  const end = start + length
  // RFC 7838 §4: on stream 0 the origin must be named, on another stream it must not.
  if ((streamId === 0) === (originOctets === 0)) {
    sink.onIgnored(header.type, header.flags, streamId, chunk, start, end)
    return
  }
  const originStart = start + ORIGIN_LENGTH_OCTETS
  sink.onAltsvc(streamId, chunk, originStart, originStart + originOctets, end)
}

/**
 * Writes an ALTSVC frame.
 *
 * @param origin ASCII origin on stream 0, empty on another stream
 * @param value ASCII Alt-Svc field value
 *
 * @example
 * writeAltsvc(out, 0, 'https://example.com', 'h2=":8443"')
 */
export function writeAltsvc(out: OctetWriter, streamId: number, origin: string, value: string): void {
  const start = beginFrame(out, FrameType.ALTSVC, 0, streamId)
  out.uint16(origin.length)
  out.text(origin)
  out.text(value)
  endFrame(out, start)
}
