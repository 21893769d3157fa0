/**
 * A field block written in place behind a HEADERS or PUSH_PROMISE header, then cut into CONTINUATION frames
 * where it is larger than the peer takes in one frame (RFC 9113 §4.3, §6.10).
 *
 * The encoder writes into `out` without knowing about frames; only a block that has to be cut is moved.
 */
import type { OctetWriter } from '../octets.ts'
import { putFrameLength, writeFrameHeader } from './header.ts'
import { Flag, FRAME_HEADER_OCTETS, FrameType } from './types.ts'

/**
 * Ends the HEADERS or PUSH_PROMISE frame begun at `start`: everything written since its header is its payload.
 * Sets END_HEADERS on the last frame.
 *
 * @param start what `beginHeaders` or `beginPushPromise` returned
 * @param maxFrameSize the peer's SETTINGS_MAX_FRAME_SIZE, in octets
 */
export function endFieldBlock(out: OctetWriter, start: number, maxFrameSize: number): void {
  const total = out.length - start - FRAME_HEADER_OCTETS
  if (total <= maxFrameSize) {
    putFrameLength(out.buffer, start, total)
    out.buffer[start + 4]! |= Flag.END_HEADERS
    return
  }
  cutFieldBlock(out, start, total, maxFrameSize)
}

/** Makes room for CONTINUATION headers by moving the parts to their places, the last one first. */
function cutFieldBlock(out: OctetWriter, start: number, total: number, maxFrameSize: number): void {
  const continuations = Math.ceil(total / maxFrameSize) - 1
  out.reserve(continuations * FRAME_HEADER_OCTETS)
  const { buffer, length: end } = out
  const streamId =
    ((buffer[start + 5]! << 24) |
      (buffer[start + 6]! << 16) |
      (buffer[start + 7]! << 8) |
      buffer[start + 8]!) >>>
    0
  const payload = start + FRAME_HEADER_OCTETS
  for (let index = continuations; index > 0; index--) {
    const from = payload + index * maxFrameSize
    const size = Math.min(maxFrameSize, total - index * maxFrameSize)
    const to = from + index * FRAME_HEADER_OCTETS
    buffer.copyWithin(to, from, from + size)
    out.length = to - FRAME_HEADER_OCTETS
    const flags = index === continuations ? Flag.END_HEADERS : 0
    writeFrameHeader(out, size, FrameType.CONTINUATION, flags, streamId)
  }
  out.length = end
  putFrameLength(buffer, start, maxFrameSize)
}
