/** ORIGIN (RFC 8336 §2): the origins that the server's connection may be used for. Read for traces. */
import { type OctetWriter, readUint16 } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, endFrame, type FrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType } from './types.ts'

const ORIGIN_LENGTH_OCTETS = 2

/** Flags that RFC 8336 §2.1 reserves for a future, different meaning of the frame. */
const RESERVED_FLAGS = 0x0f

/**
 * Tells an ORIGIN frame, or `onIgnored` where RFC 8336 §2.1 wants it ignored.
 *
 * @throws WireError FRAME_SIZE_ERROR for the connection if an entry does not fit
 */
export function readOrigin(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const end = start + header.length
  // RFC 8336 §2.1: ignored on a stream, and with flags whose meaning is not known yet.
  if (header.streamId !== 0 || (header.flags & RESERVED_FLAGS) !== 0) {
    sink.onIgnored(header.type, header.flags, header.streamId, chunk, start, end)
    return
  }
  for (let at = start; at < end; ) {
    const left = end - at
    const needed = ORIGIN_LENGTH_OCTETS + (left < ORIGIN_LENGTH_OCTETS ? 0 : readUint16(chunk, at))
    // RFC 9113 §4.2: too small for what must be there.
    if (left < needed) {
      throw connectionError(
        header,
        ErrorCode.FRAME_SIZE_ERROR,
        'RFC 9113 §4.2',
        `ORIGIN has ${left} octets left for an entry of at least ${needed}`,
      )
    }
    at += needed
  }
  sink.onOrigin(chunk, start, end)
}

/** The origins in the entries that `onOrigin` told, as text. */
export function readOrigins(chunk: Uint8Array, start: number, end: number): string[] {
  const origins: string[] = []
  for (let at = start; at < end; ) {
    const originStart = at + ORIGIN_LENGTH_OCTETS
    at = originStart + readUint16(chunk, at)
    origins.push(String.fromCharCode(...chunk.subarray(originStart, at)))
  }
  return origins
}

/** Writes an ORIGIN frame; origins are ASCII. */
export function writeOrigin(out: OctetWriter, origins: readonly string[]): void {
  const start = beginFrame(out, FrameType.ORIGIN, 0, 0)
  for (const origin of origins) {
    out.uint16(origin.length)
    out.text(origin)
  }
  endFrame(out, start)
}
