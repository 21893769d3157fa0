/**
 * CONTINUATION (RFC 9113 §6.10): a further fragment of the field block that HEADERS or PUSH_PROMISE began.
 *
 * The order rule, that nothing else may come in between, is checked by the decoder when a header arrives.
 * `endFieldBlock` writes these frames where a block is too large for one.
 */
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import type { FrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { Flag, FrameType, frameTypeName } from './types.ts'

/**
 * Checks the order of frames around a field block (RFC 9113 §6.10).
 *
 * @param fieldBlockStreamId stream whose field block is not complete, 0 if there is none
 * @throws WireError PROTOCOL_ERROR for the connection
 */
export function checkContinuationOrder(header: FrameHeader, fieldBlockStreamId: number): void {
  const isContinuation = header.type === FrameType.CONTINUATION
  if (fieldBlockStreamId === 0) {
    if (!isContinuation) return
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.10',
      header.streamId === 0
        ? 'CONTINUATION on stream 0, allowed on streams only'
        : 'CONTINUATION without a field block to continue',
    )
  }
  // Extensions may not come in between either (RFC 9113 §5.5).
  if (!isContinuation || header.streamId !== fieldBlockStreamId) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.10',
      `${frameTypeName(header.type)} came while the field block of stream ${fieldBlockStreamId} was open, ` +
        'allowed is its CONTINUATION only',
    )
  }
}

/** Tells a CONTINUATION frame. */
export function readContinuation(
  sink: FrameSink,
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
): void {
  const endHeaders = (header.flags & Flag.END_HEADERS) !== 0
  sink.onContinuation(header.streamId, endHeaders, chunk, start, start + header.length)
}
