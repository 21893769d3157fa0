/** The client's connection preface (RFC 9113 §3.4): 24 octets that come before its first frame, SETTINGS. */
import { WireError } from '../wire-error.ts'
import { ErrorCode } from './error-codes.ts'

/** The octets `PRI * HTTP/2.0`, two line ends, `SM`, two line ends. Not to be changed. */
export const CONNECTION_PREFACE: Uint8Array = Uint8Array.from(
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
)

/**
 * Compares octets `start` to `end` of `chunk` with the connection preface, of which `matchedOctets` have matched.
 *
 * @returns how many octets of the preface have matched now; the frames start once all 24 have
 * @throws WireError PROTOCOL_ERROR for the connection at the first octet that differs
 *
 * @example
 * const matched = matchConnectionPreface(chunk, 0, chunk.length, 0)
 * if (matched === CONNECTION_PREFACE.length) decoder.push(chunk, matched)
 */
export function matchConnectionPreface(
  chunk: Uint8Array,
  start: number,
  end: number,
  matchedOctets: number,
): number {
  let matched = matchedOctets
  for (let at = start; at < end && matched < CONNECTION_PREFACE.length; at++, matched++) {
    if (chunk[at] !== CONNECTION_PREFACE[matched])
      throw prefaceError(chunk, start, end, matchedOctets, matched)
  }
  return matched
}

function prefaceError(
  chunk: Uint8Array,
  start: number,
  end: number,
  before: number,
  offset: number,
): WireError {
  const known = Buffer.from(CONNECTION_PREFACE.subarray(0, before)).toString('latin1')
  const came = Buffer.from(chunk.subarray(start, Math.min(end, start + 32))).toString('latin1')
  return new WireError(
    `connection preface starts with ${JSON.stringify(known + came)}, allowed is "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"`,
    { layer: 'frame', section: 'RFC 9113 §3.4', offset, code: ErrorCode.PROTOCOL_ERROR, scope: 'connection' },
  )
}
