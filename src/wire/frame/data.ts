/**
 * DATA (RFC 9113 §6.1): the octets of a request or response body.
 *
 * Reading is in pieces, as they arrive, by the decoder itself; this file has the rules and the writers.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { beginFrame, endFrame, type FrameHeader, writeFrameHeader } from './header.ts'
import { writePadding } from './padding.ts'
import { Flag, FrameType } from './types.ts'

/**
 * Checks what a DATA frame's header alone tells.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on stream 0, FRAME_SIZE_ERROR without room for Pad Length
 */
export function checkDataHeader(header: FrameHeader): void {
  // RFC 9113 §6.1: DATA belongs to a stream.
  if (header.streamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.1',
      'DATA on stream 0, allowed on streams only',
    )
  }
  if (header.length === 0 && (header.flags & Flag.PADDED) !== 0) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §4.2',
      'DATA is 0 octets, its flags ask for at least 1',
    )
  }
}

/**
 * Writes the header of a DATA frame whose `length` octets the caller sends right after it, from wherever they are.
 *
 * @example
 * writeDataHeader(out, 1, message.length, true) // then out.view() and message go to the socket
 */
export function writeDataHeader(
  out: OctetWriter,
  streamId: number,
  length: number,
  endStream: boolean,
): void {
  writeFrameHeader(out, length, FrameType.DATA, endStream ? Flag.END_STREAM : 0, streamId)
}

/** Begins a DATA frame whose octets are written in place next; `endFrame` with the returned start ends it. */
export function beginData(out: OctetWriter, streamId: number, endStream: boolean): number {
  return beginFrame(out, FrameType.DATA, endStream ? Flag.END_STREAM : 0, streamId)
}

/**
 * Writes a whole DATA frame, copying octets `start` to `end` of `chunk`.
 *
 * @param padLength octets of padding, 0 to 255; undefined (the default) writes no padding field at all
 */
export function writeData(
  out: OctetWriter,
  streamId: number,
  endStream: boolean,
  chunk: Uint8Array,
  start = 0,
  end: number = chunk.length,
  padLength?: number,
): void {
  if (padLength === undefined) {
    writeDataHeader(out, streamId, end - start, endStream)
    out.octets(chunk, start, end)
    return
  }
  const flags = Flag.PADDED | (endStream ? Flag.END_STREAM : 0)
  const frame = beginFrame(out, FrameType.DATA, flags, streamId)
  out.uint8(padLength)
  out.octets(chunk, start, end)
  writePadding(out, padLength)
  endFrame(out, frame)
}
