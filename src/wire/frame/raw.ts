/**
 * A frame of any content, right or wrong: for tests that attack a decoder, and for frame types of one's own.
 *
 * Nothing is checked. The other writers check nothing either, but cannot express a wrong length, flags without
 * a meaning, or the reserved bit.
 */
import type { OctetWriter } from '../octets.ts'
import { writeFrameHeader } from './header.ts'

/** What {@link writeRawFrame} writes. */
export interface RawFrame {
  /** Octet of the type, see `FrameType`. */
  type: number
  /** Octet of flags; default 0. */
  flags?: number
  /** 31-bit stream identifier; default 0. */
  streamId?: number
  /** Octets after the header; default none. */
  payload?: Uint8Array | readonly number[]
  /** Length that the header claims; default the real one. */
  length?: number
  /** The reserved bit before the stream identifier; default false. */
  reserved?: boolean
}

/**
 * Writes a frame as it is described.
 *
 * @example
 * writeRawFrame(out, { type: FrameType.PING, streamId: 1, payload: [1, 2, 3], length: 8 })
 */
export function writeRawFrame(out: OctetWriter, frame: RawFrame): void {
  const { type, flags = 0, streamId = 0, payload = [], length = payload.length, reserved = false } = frame
  writeFrameHeader(out, length, type, flags, reserved ? streamId + 0x80000000 : streamId)
  const at = out.reserve(payload.length)
  out.buffer.set(payload, at)
}
