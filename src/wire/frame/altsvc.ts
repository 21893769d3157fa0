/** ALTSVC (RFC 7838 §4): the same origin is also served elsewhere. Read for traces; a server ignores it. */
import { type OctetWriter, readUint16 } from '../octets.ts'
import { writeAsciiWithLength } from './ascii.ts'
import { beginFrame, endFrame, type FrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const ORIGIN_LENGTH_OCTETS = 2

/**
 * Tells an ALTSVC frame, or `onIgnored` where it is not valid.
 *
 * A frame whose fields do not fit is ignored too: a server has to ignore every ALTSVC (RFC 7838 §4), and a client
 * loses nothing by it.
 */
export function readAltsvc(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const { streamId, length } = header
  const end = start + length
  const originStart = start + ORIGIN_LENGTH_OCTETS
  const valueStart = originStart + (originStart > end ? 0 : readUint16(chunk, start))
  // RFC 7838 §4: on stream 0 the origin must be named, on another stream it must not.
  if (valueStart > end || (streamId === 0) === (valueStart === originStart)) {
    sink.onIgnored(header.type, header.flags, streamId, chunk, start, end)
    return
  }
  sink.onAltsvc(streamId, chunk, originStart, valueStart, end)
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
  writeAsciiWithLength(out, origin)
  out.text(value)
  endFrame(out, start)
}
