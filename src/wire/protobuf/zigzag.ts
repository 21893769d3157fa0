/**
 * ZigZag: signed integers as small unsigned ones, 0 -1 1 -2 2 as 0 1 2 3 4
 * (Protobuf Encoding, "Signed Integers"), for `sint32` and `sint64`.
 */

/** The unsigned 32-bit number for a signed one. */
export function encodeZigZag32(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

/** The signed 32-bit number of an unsigned one. */
export function decodeZigZag32(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

/** The unsigned 64-bit number for a signed one. */
export function encodeZigZag64(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

/** The signed 64-bit number of an unsigned one. */
export function decodeZigZag64(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n)
}
