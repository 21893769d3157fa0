/**
 * HEADERS (RFC 9113 §6.2): opens a stream or ends it, and carries the first fragment of a field block.
 *
 * Knows nothing of HPACK: the fragment is octets.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, type FrameHeader, readUint31 } from './header.ts'
import { readPadLength } from './padding.ts'
import { checkDependency, isExclusive, PRIORITY_OCTETS, readWeight } from './priority.ts'
import type { FrameSink } from './sink.ts'
import { Flag, FrameType } from './types.ts'

/**
 * Tells a HEADERS frame, its priority fields first where it has some.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on stream 0 or with too much padding, FRAME_SIZE_ERROR if
 *   the fields that the flags promise do not fit
 */
export function readHeaders(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const { streamId, flags } = header
  // RFC 9113 §6.2: HEADERS belongs to a stream.
  if (streamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.2',
      'HEADERS on stream 0, allowed on streams only',
    )
  }
  const hasPriority = (flags & Flag.PRIORITY) !== 0
  let at = start
  let end = start + header.length
  if (hasPriority || (flags & Flag.PADDED) !== 0) {
    end -= readPadLength(header, chunk, start, hasPriority ? PRIORITY_OCTETS : 0, 'RFC 9113 §6.2')
    if ((flags & Flag.PADDED) !== 0) at++
    if (hasPriority) {
      if (checkDependency(sink, header, chunk, at)) {
        sink.onHeadersPriority(streamId, readUint31(chunk, at), readWeight(chunk, at), isExclusive(chunk, at))
      }
      at += PRIORITY_OCTETS
    }
  }
  sink.onHeaders(streamId, (flags & Flag.END_STREAM) !== 0, (flags & Flag.END_HEADERS) !== 0, chunk, at, end)
}

/**
 * Begins a HEADERS frame; the field block is written in place next, and `endFieldBlock` ends it.
 *
 * @returns where the frame starts, to be given to `endFieldBlock`
 *
 * @example
 * const start = beginHeaders(out, 1, true)
 * out.octets(fieldBlock)
 * endFieldBlock(out, start, 16_384)
 */
export function beginHeaders(out: OctetWriter, streamId: number, endStream: boolean): number {
  return beginFrame(out, FrameType.HEADERS, endStream ? Flag.END_STREAM : 0, streamId)
}
