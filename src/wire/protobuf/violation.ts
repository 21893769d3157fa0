/**
 * How this folder reports octets that break a rule of the Protobuf Encoding guide.
 *
 * The guide has no section numbers; rules are cited by the title of their section.
 */
import { WireError } from '../wire-error.ts'

/** The sections of the encoding guide that a violation can cite. */
export const Section = {
  varints: 'Protobuf Encoding, Base 128 Varints',
  structure: 'Protobuf Encoding, Message Structure',
  nonVarintNumbers: 'Protobuf Encoding, Non-varint Numbers',
  lengthDelimited: 'Protobuf Encoding, Length-Delimited Records',
  packed: 'Protobuf Encoding, Packed Repeated Fields',
  groups: 'Protobuf Encoding, Groups',
  card: 'Protobuf Encoding, Condensed Reference Card',
} as const

/** Throws the {@link WireError} for what was found at `offset`. */
export function violation(reason: string, section: string, offset: number): never {
  throw new WireError(reason, { layer: 'protobuf', section, offset })
}

/** `3 octets`, `1 octet`. */
export function octetCount(count: number): string {
  return count === 1 ? '1 octet' : `${count} octets`
}
