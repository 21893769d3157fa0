/**
 * The six wire types and the limits of a tag (Protobuf Encoding, "Message Structure").
 *
 * A tag is `(field number << 3) | wire type`, written as an unsigned 32-bit varint.
 */

/** How long a record's payload is, by the low three bits of its tag (Protobuf Encoding, "Message Structure"). */
export const WireType = {
  VARINT: 0,
  I64: 1,
  LEN: 2,
  SGROUP: 3,
  EGROUP: 4,
  I32: 5,
} as const

/** One of the numbers of {@link WireType}: 0 to 5. */
export type WireType = (typeof WireType)[keyof typeof WireType]

const NAMES = ['VARINT', 'I64', 'LEN', 'SGROUP', 'EGROUP', 'I32'] as const

/** The greatest field number: 2^29 - 1, what a 32-bit tag has room for. */
export const MAX_FIELD_NUMBER = 0x1fffffff

/**
 * The guide's name of a wire type.
 *
 * @example
 * wireTypeName(2) // 'LEN'
 * wireTypeName(6) // 'wire type 6'
 */
export function wireTypeName(wireType: number): string {
  return NAMES[wireType] ?? `wire type ${wireType}`
}
