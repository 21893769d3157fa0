/**
 * PUSH_PROMISE (RFC 9113 §6.6): announces a stream that the server will open, with its request's field block.
 *
 * gRPC has no push; a client that disabled it answers with PROTOCOL_ERROR, and this reads what it needs for that.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, type FrameHeader, readUint31 } from './header.ts'
import { readPadLength } from './padding.ts'
import type { FrameSink } from './sink.ts'
import { Flag, FrameType } from './types.ts'

const PROMISED_STREAM_ID_OCTETS = 4

/**
 * Tells a PUSH_PROMISE frame.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on stream 0, with too much padding, or promising stream 0
 *   or an odd one; FRAME_SIZE_ERROR if its fields do not fit
 */
export function readPushPromise(
  sink: FrameSink,
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
): void {
  const { streamId, flags } = header
  // RFC 9113 §6.6: a promise is made on a stream.
  if (streamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.6',
      'PUSH_PROMISE on stream 0, allowed on streams only',
    )
  }
  const padLength = readPadLength(header, chunk, start, PROMISED_STREAM_ID_OCTETS, 'RFC 9113 §6.6')
  const at = (flags & Flag.PADDED) !== 0 ? start + 1 : start
  const promisedStreamId = readUint31(chunk, at)
  // RFC 9113 §6.6, §5.1.1: only servers promise, and their streams are even.
  if (promisedStreamId === 0 || promisedStreamId % 2 !== 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.6',
      `PUSH_PROMISE promises stream ${promisedStreamId}, allowed are even ones above 0`,
    )
  }
  sink.onPushPromise(
    streamId,
    promisedStreamId,
    (flags & Flag.END_HEADERS) !== 0,
    chunk,
    at + PROMISED_STREAM_ID_OCTETS,
    start + header.length - padLength,
  )
}

/**
 * Begins a PUSH_PROMISE frame; the field block is written in place next, and `endFieldBlock` ends it.
 *
 * @returns where the frame starts, to be given to `endFieldBlock`
 */
export function beginPushPromise(out: OctetWriter, streamId: number, promisedStreamId: number): number {
  const start = beginFrame(out, FrameType.PUSH_PROMISE, 0, streamId)
  out.uint32(promisedStreamId)
  return start
}
