/**
 * Integers with a prefix of 1 to 8 bits (RFC 7541 §5.1): small ones fit the prefix, larger ones go on in
 * octets of seven bits, the lowest first.
 *
 * Values up to 2^32 - 1 are taken, the largest that a table size can have (RFC 9113 §6.5.1).
 */
import type { OctetWriter } from '../octets.ts'
import { compressionError } from './compression-error.ts'

/** Largest integer that is decoded. */
export const MAX_INTEGER = 0xffffffff

/** Most octets that may follow the prefix: five of seven bits hold 32 bits. */
const MAX_CONTINUATION_OCTETS = 5

/** A place in a field block, moved forward by whoever reads. */
export interface BlockCursor {
  /** The octets that hold the field block. */
  octets: Uint8Array
  /** Where the field block starts: offsets in errors count from here. */
  start: number
  /** Where the field block ends. */
  end: number
  /** The next octet to read. */
  position: number
}

/**
 * Reads the integer whose prefix is the low `prefixBits` bits of the octet at `cursor.position`, which must
 * be in the block.
 *
 * @throws WireError (RFC 7541 §5.1) if it is cut off by the end of the block, above 2^32 - 1, or longer than
 *   five octets after its prefix
 */
export function readInteger(cursor: BlockCursor, prefixBits: number): number {
  const { octets, end } = cursor
  const prefixMax = (1 << prefixBits) - 1
  const first = cursor.position
  let value = octets[first]! & prefixMax
  cursor.position = first + 1
  if (value < prefixMax) return value
  let factor = 1
  for (let count = 0; count < MAX_CONTINUATION_OCTETS; count++) {
    if (cursor.position >= end) {
      throw compressionError(
        'integer is cut off by the end of the field block',
        'RFC 7541 §5.1',
        end - cursor.start,
      )
    }
    const octet = octets[cursor.position++]!
    value += (octet & 0x7f) * factor
    if (octet < 0x80) {
      if (value <= MAX_INTEGER) return value
      throw compressionError(
        `integer ${value} is larger than ${MAX_INTEGER}, the most that is decoded`,
        'RFC 7541 §5.1',
        first - cursor.start,
      )
    }
    factor *= 0x80
  }
  throw compressionError(
    `integer goes on for more than ${MAX_CONTINUATION_OCTETS} octets after its prefix`,
    'RFC 7541 §5.1',
    first - cursor.start,
  )
}

/** Octets that {@link writeInteger} needs at most. */
export const MAX_INTEGER_OCTETS = 1 + MAX_CONTINUATION_OCTETS

/**
 * Writes `value` (0 to 2^32 - 1) with a prefix of `prefixBits` bits; the bits above the prefix come from
 * `pattern`, as in `0x80` for an indexed field.
 *
 * @example
 * writeInteger(out, 0, 5, 1337) // appends 1f 9a 0a (RFC 7541 §C.1.2)
 */
export function writeInteger(out: OctetWriter, pattern: number, prefixBits: number, value: number): void {
  out.ensure(MAX_INTEGER_OCTETS)
  const prefixMax = (1 << prefixBits) - 1
  if (value < prefixMax) {
    out.buffer[out.length++] = pattern | value
    return
  }
  out.buffer[out.length++] = pattern | prefixMax
  let rest = value - prefixMax
  while (rest >= 0x80) {
    out.buffer[out.length++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  out.buffer[out.length++] = rest
}
