/**
 * Tells whether octets are a series of records, without throwing and without allocating per record.
 *
 * The same rules as {@link ProtobufReader} (a test holds them together); the guesser asks this of every LEN
 * payload, and an exception for each text that is no message would cost microseconds.
 */

/** Groups inside groups that are followed; deeper ones count as not well-formed. */
const MAX_GROUP_DEPTH = 100

const openGroups = new Uint32Array(MAX_GROUP_DEPTH)

/** True if octets `start` to `end` are zero or more whole records (Protobuf Encoding, "Message Structure"). */
export function isWellFormed(octets: Uint8Array, start: number, end: number): boolean {
  return highestFieldNumber(octets, start, end) >= 0
}

/** The highest field number of the records that octets `start` to `end` are, 0 for none; -1 if they are no records. */
export function highestFieldNumber(octets: Uint8Array, start: number, end: number): number {
  let at = start
  let depth = 0
  let highest = 0
  while (at < end) {
    const from = at
    at = endOfVarint(octets, from, Math.min(end, from + 5))
    if (at === 0) return -1
    const tag = shortVarint(octets, from, at)
    if (tag < 8 || tag > 0xffffffff) return -1
    const value = at
    const fieldNumber = tag >>> 3
    if (fieldNumber > highest) highest = fieldNumber
    switch (tag & 7) {
      case 0:
        at = endOfVarint(octets, value, Math.min(end, value + 10))
        if (at === 0 || (at - value === 10 && octets[at - 1]! > 1)) return -1
        break
      case 1:
        at += 8
        break
      case 2:
        at = endOfVarint(octets, value, Math.min(end, value + 5))
        if (at === 0) return -1
        at += shortVarint(octets, value, at)
        break
      case 3:
        if (depth === MAX_GROUP_DEPTH) return -1
        openGroups[depth++] = fieldNumber
        break
      case 4:
        if (depth === 0 || openGroups[--depth] !== fieldNumber) return -1
        break
      case 5:
        at += 4
        break
      default:
        return -1
    }
    if (at > end) return -1
  }
  return depth === 0 ? highest : -1
}

/** True if octets `start` to `end` are zero or more whole varints (Protobuf Encoding, "Packed Repeated Fields"). */
export function isVarints(octets: Uint8Array, start: number, end: number): boolean {
  let size = 0
  for (let at = start; at < end; at++) {
    const octet = octets[at]!
    if (++size === 10 && octet > 1) return false
    if (octet < 0x80) size = 0
  }
  return size === 0
}

/** One past the varint's last octet, or 0 if `end` comes first. */
function endOfVarint(octets: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (octets[at]! < 0x80) return at + 1
  }
  return 0
}

/** The value of the whole varint in octets `start` to `end`. */
function shortVarint(octets: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = end - 1; at >= start; at--) value = value * 0x80 + (octets[at]! & 0x7f)
  return value
}
