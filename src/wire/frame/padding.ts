/**
 * Padding of DATA, HEADERS and PUSH_PROMISE (RFC 9113 §6.1, §6.2, §6.6): one octet Pad Length first, that
 * many octets last.
 *
 * Padding octets should be zero, but a receiver need not look (RFC 9113 §6.1), and we do not.
 */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import type { FrameHeader } from './header.ts'
import { Flag, frameTypeName } from './types.ts'

/** The largest Pad Length, in octets: it is one octet. */
export const MAX_PAD_LENGTH = 255

/**
 * Checks the Pad Length against the room it has.
 *
 * @param padLength the Pad Length octet, or 0 without the PADDED flag
 * @param roomOctets octets of payload left after the fields that must be there
 * @param section where this frame's padding rule stands
 * @throws WireError PROTOCOL_ERROR for the connection if the padding is larger than its room
 */
export function checkPadLength(
  header: FrameHeader,
  padLength: number,
  roomOctets: number,
  section: string,
): void {
  if (padLength > roomOctets) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      section,
      `${frameTypeName(header.type)} has ${padLength} octets of padding, room for ${roomOctets}`,
    )
  }
}

/**
 * Reads the Pad Length that starts the payload, checked against the room that `fieldOctets` octets of other
 * mandatory fields leave.
 *
 * @returns the Pad Length, 0 without the PADDED flag
 * @throws WireError FRAME_SIZE_ERROR if the mandatory fields do not fit (RFC 9113 §4.2), PROTOCOL_ERROR if
 *   the padding does not; both for the connection
 */
export function readPadLength(
  header: FrameHeader,
  chunk: Uint8Array,
  start: number,
  fieldOctets: number,
  section: string,
): number {
  const padded = (header.flags & Flag.PADDED) !== 0
  const needed = fieldOctets + (padded ? 1 : 0)
  if (header.length < needed) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §4.2',
      `${frameTypeName(header.type)} is ${header.length} octets, its flags ask for at least ${needed}`,
    )
  }
  if (!padded) return 0
  const padLength = chunk[start]!
  checkPadLength(header, padLength, header.length - needed, section)
  return padLength
}

/** Appends `padLength` octets of zero. */
export function writePadding(out: OctetWriter, padLength: number): void {
  const start = out.reserve(padLength)
  out.buffer.fill(0, start, start + padLength)
}
