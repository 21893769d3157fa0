/**
 * The frame header (RFC 9113 §4.1): 24 bits length, 8 bits type, 8 bits flags, one reserved bit, 31 bits
 * stream identifier.
 *
 * Also the two ways of writing a frame in place: with its length known, or filled in afterwards.
 */
import { type OctetWriter, putUint32, readUint32 } from '../octets.ts'
import { FRAME_HEADER_OCTETS, MAX_31_BIT } from './types.ts'

/** The fields of one frame header, and where it stood. The decoder is one itself: no object per frame. */
export interface FrameHeader {
  /** Octet of the frame type, see `FrameType`; any value may come. */
  readonly type: number
  /** Octet of flags, see `Flag`. */
  readonly flags: number
  /** 31-bit stream identifier, 0 for the connection. */
  readonly streamId: number
  /** Octets of payload after the header. */
  readonly length: number
  /** Octets before the frame header, counted from the decoder's start. */
  readonly offset: number
}

/** Reads the 31-bit integer behind a reserved bit, which is ignored (RFC 9113 §4.1). */
export function readUint31(octets: Uint8Array, offset: number): number {
  return readUint32(octets, offset) & MAX_31_BIT
}

/**
 * Writes the 9 octets of a frame header. Nothing is checked: `length` is written as 24 bits, `streamId` as
 * 32 bits including the reserved one, so that tests can write what no peer should.
 *
 * @example
 * writeFrameHeader(out, 8, FrameType.PING, 0, 0)
 */
export function writeFrameHeader(
  out: OctetWriter,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out.ensure(FRAME_HEADER_OCTETS)
  const { buffer, length: at } = out
  buffer[at] = length >>> 16
  buffer[at + 1] = length >>> 8
  buffer[at + 2] = length
  buffer[at + 3] = type
  buffer[at + 4] = flags
  putUint32(buffer, at + 5, streamId)
  out.length = at + FRAME_HEADER_OCTETS
}

/**
 * Begins a frame whose payload is written next; {@link endFrame} fills its length in.
 *
 * @returns where the frame starts in `out`, to be given to `endFrame`
 */
export function beginFrame(out: OctetWriter, type: number, flags: number, streamId: number): number {
  const start = out.length
  writeFrameHeader(out, 0, type, flags, streamId)
  return start
}

/** Fills in the length of the frame begun at `start`: everything written since is its payload. */
export function endFrame(out: OctetWriter, start: number): void {
  putFrameLength(out.buffer, start, out.length - start - FRAME_HEADER_OCTETS)
}

/** Overwrites the length of the frame that starts at `start`. */
export function putFrameLength(buffer: Uint8Array, start: number, length: number): void {
  buffer[start] = length >>> 16
  buffer[start + 1] = length >>> 8
  buffer[start + 2] = length
}
