/**
 * PRIORITY (RFC 9113 §6.3), and the same five octets in HEADERS. Deprecated: read and checked, otherwise for
 * traces only; RFC 9218 (PRIORITY_UPDATE) has taken its place.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError, streamError } from './frame-error.ts'
import { type FrameHeader, readUint31, writeFrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { FrameType, frameTypeName } from './types.ts'

/** Octets of the priority fields: exclusive bit, 31-bit stream dependency, 8-bit weight. */
export const PRIORITY_OCTETS = 5

/** Tells a PRIORITY frame. @throws WireError PROTOCOL_ERROR for the connection on stream 0 */
export function readPriority(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  // RFC 9113 §6.3: PRIORITY belongs to a stream.
  if (header.streamId === 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.3',
      'PRIORITY on stream 0, allowed on streams only',
    )
  }
  // RFC 9113 §6.3: five octets, otherwise a stream error.
  if (header.length !== PRIORITY_OCTETS) {
    sink.onStreamError(
      streamError(
        header,
        ErrorCode.FRAME_SIZE_ERROR,
        'RFC 9113 §6.3',
        `PRIORITY is ${header.length} octets, allowed are 5`,
      ),
    )
    return
  }
  if (!checkDependency(sink, header, chunk, start)) return
  sink.onPriority(
    header.streamId,
    readUint31(chunk, start),
    readWeight(chunk, start),
    isExclusive(chunk, start),
  )
}

/**
 * Checks that a stream does not depend on itself; tells the sink the stream error if it does.
 *
 * The rule is RFC 7540's; RFC 9113 §5.3.2 leaves the fields to those who still know that scheme, and the peer
 * that sends them does.
 *
 * @param start where the priority fields start
 */
export function checkDependency(
  sink: FrameSink,
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
): boolean {
  if (readUint31(chunk, start) !== header.streamId) return true
  sink.onStreamError(
    streamError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 7540 §5.3.1',
      `${frameTypeName(header.type)} makes the stream depend on itself, allowed is any other`,
    ),
  )
  return false
}

/** The weight in the priority fields at `start`: 1 to 256. */
export function readWeight(chunk: Uint8Array, start: number): number {
  return chunk[start + 4]! + 1
}

/** The exclusive bit of the priority fields at `start`. */
export function isExclusive(chunk: Uint8Array, start: number): boolean {
  return (chunk[start]! & 0x80) !== 0
}

/**
 * Writes a PRIORITY frame.
 *
 * @param weight 1 to 256
 */
export function writePriority(
  out: OctetWriter,
  streamId: number,
  dependency: number,
  weight: number,
  exclusive: boolean,
): void {
  writeFrameHeader(out, PRIORITY_OCTETS, FrameType.PRIORITY, 0, streamId)
  writePriorityFields(out, dependency, weight, exclusive)
}

/** Writes the five octets that PRIORITY and HEADERS share. */
export function writePriorityFields(
  out: OctetWriter,
  dependency: number,
  weight: number,
  exclusive: boolean,
): void {
  out.uint32(exclusive ? dependency + 0x80000000 : dependency)
  out.uint8(weight - 1)
}
