/** PING (RFC 9113 §6.7): measures a round trip and checks that the peer is alive, with eight octets that come back. */
import type { OctetWriter } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { type FrameHeader, writeFrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { Flag, FrameType } from './types.ts'

/** Octets of a PING's opaque data. */
export const PING_OCTETS = 8

/**
 * Tells a PING frame.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR on a stream, FRAME_SIZE_ERROR if not 8 octets
 */
export function readPing(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  // RFC 9113 §6.7: PING is of the connection.
  if (header.streamId !== 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.7',
      'PING on a stream, allowed on stream 0 only',
    )
  }
  // RFC 9113 §6.7: eight octets.
  if (header.length !== PING_OCTETS) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §6.7',
      `PING is ${header.length} octets, allowed are ${PING_OCTETS}`,
    )
  }
  sink.onPing((header.flags & Flag.ACK) !== 0, chunk, start)
}

/** Writes a PING frame with the 8 octets of `data` from `start`; with `ack` the answer to the peer's. */
export function writePing(out: OctetWriter, ack: boolean, data: Uint8Array, start = 0): void {
  writeFrameHeader(out, PING_OCTETS, FrameType.PING, ack ? Flag.ACK : 0, 0)
  out.octets(data, start, start + PING_OCTETS)
}
