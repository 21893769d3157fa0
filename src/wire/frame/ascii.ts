/** ASCII text inside frames (RFC 7838 §4, RFC 8336 §2): read octet by octet, so that any octet becomes a character. */
import type { OctetWriter } from '../octets.ts'

/** Octets `start` to `end` of `chunk` as text, one character an octet. */
export function readAscii(chunk: Uint8Array, start: number, end: number): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start).toString('latin1')
}

/** Writes `text` behind its length in 16 bits. */
export function writeAsciiWithLength(out: OctetWriter, text: string): void {
  const at = out.reserve(2)
  out.text(text)
  const size = out.length - at - 2
  out.buffer[at] = size >>> 8
  out.buffer[at + 1] = size
}
