/** ORIGIN (RFC 8336 §2): the origins that the server's connection may be used for. Read for traces. */
import { type OctetWriter, readUint16 } from '../octets.ts'
import { readAscii, writeAsciiWithLength } from './ascii.ts'
import { beginFrame, endFrame, type FrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const ORIGIN_LENGTH_OCTETS = 2

/** Flags that RFC 8336 §2.1 reserves for a future, different meaning of the frame. */
const RESERVED_FLAGS = 0x0f

/**
 * Tells an ORIGIN frame, or `onIgnored` where it is not valid.
 *
 * A frame with an entry that does not fit is ignored too: RFC 8336 §2.1 lets every endpoint ignore the frame.
 */
export function readOrigin(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const end = start + header.length
  // RFC 8336 §2.1: ignored on a stream, and with flags whose meaning is not known yet.
  if (header.streamId !== 0 || (header.flags & RESERVED_FLAGS) !== 0 || !hasWholeEntries(chunk, start, end)) {
    sink.onIgnored(header.type, header.flags, header.streamId, chunk, start, end)
    return
  }
  sink.onOrigin(chunk, start, end)
}

function hasWholeEntries(chunk: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at + ORIGIN_LENGTH_OCTETS <= end) at += ORIGIN_LENGTH_OCTETS + readUint16(chunk, at)
  return at === end
}

/** The origins in the entries that `onOrigin` told, as text. */
export function readOrigins(chunk: Uint8Array, start: number, end: number): string[] {
  const origins: string[] = []
  for (let at = start; at < end; ) {
    const originStart = at + ORIGIN_LENGTH_OCTETS
    at = originStart + readUint16(chunk, at)
    origins.push(readAscii(chunk, originStart, at))
  }
  return origins
}

/** Writes an ORIGIN frame; origins are ASCII. */
export function writeOrigin(out: OctetWriter, origins: readonly string[]): void {
  const start = beginFrame(out, FrameType.ORIGIN, 0, 0)
  for (const origin of origins) writeAsciiWithLength(out, origin)
  endFrame(out, start)
}
