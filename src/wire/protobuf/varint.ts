/**
 * Varints: unsigned integers of up to 64 bits, seven bits an octet, least significant first
 * (Protobuf Encoding, "Base 128 Varints").
 *
 * The reading loop works on two 32-bit halves and makes a bigint only for who asks for one. A varint with
 * needless leading zero groups (`80 00`) is accepted, as every parser does; one that is longer than ten
 * octets or needs more than 64 bits is not.
 */
import { OctetWriter } from '../octets.ts'
import { octetCount, Section, violation } from './violation.ts'

/** The longest varint: 64 bits in groups of seven. */
export const MAX_VARINT_OCTETS = 10

/** The longest varint of a tag or a length: 32 bits in groups of seven. */
export const MAX_SHORT_VARINT_OCTETS = 5

/** A place in octets, moved on by what is read there. {@link readVarint} leaves bits 32 to 63 in `high`. */
export interface VarintCursor {
  readonly octets: Uint8Array
  /** Where to read next. */
  offset: number
  /** One past the last octet that may be read. */
  readonly end: number
  /** Bits 32 to 63 of the last varint, unsigned. */
  high: number
}

/**
 * Reads a varint of up to 64 bits; returns its low 32 bits (unsigned) and leaves the others in `cursor.high`.
 *
 * @throws WireError if the input ends inside, after ten octets without an end, and beyond 64 bits
 */
export function readVarint(cursor: VarintCursor): number {
  const octets = cursor.octets
  const start = cursor.offset
  const first = start < cursor.end ? octets[start]! : 0x80
  if (first < 0x80) {
    cursor.offset = start + 1
    cursor.high = 0
    return first
  }
  return readLongVarint(cursor, start)
}

function readLongVarint(cursor: VarintCursor, start: number): number {
  const octets = cursor.octets
  const end = cursor.end
  let low = 0
  let high = 0
  let shift = 0
  for (let at = start; at < end; at++) {
    const octet = octets[at]!
    const bits = octet & 0x7f
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= bits << 28
      high = bits >>> 4
    } else if (shift < 63) high |= bits << (shift - 32)
    else if (octet > 1) tooLong(octet, start)
    else high |= octet << 31
    if (octet < 0x80) {
      cursor.offset = at + 1
      cursor.high = high >>> 0
      return low >>> 0
    }
    shift += 7
  }
  return unterminated('varint', start, end)
}

function tooLong(tenth: number, start: number): never {
  if (tenth >= 0x80) {
    violation(
      `varint goes on after ${MAX_VARINT_OCTETS} octets, allowed ${MAX_VARINT_OCTETS}`,
      Section.varints,
      start,
    )
  }
  violation(
    `varint needs more than 64 bits: its tenth octet is ${tenth}, allowed 0 or 1`,
    Section.varints,
    start,
  )
}

function unterminated(what: string, start: number, end: number): never {
  const came = end > start ? `${octetCount(end - start)} with the continuation bit` : 'nothing'
  violation(`${what} has no last octet: ${came} before the end`, Section.varints, start)
}

/**
 * Reads a varint of a tag or a length: at most five octets, and not more than `max`.
 *
 * @throws WireError if the input ends inside, after five octets without an end, and above `max`
 */
export function readShortVarint(cursor: VarintCursor, what: string, section: string, max: number): number {
  const octets = cursor.octets
  const start = cursor.offset
  const end = Math.min(cursor.end, start + MAX_SHORT_VARINT_OCTETS)
  let value = 0
  for (let at = start, shift = 0; at < end; at++, shift += 7) {
    const octet = octets[at]!
    // The fifth octet's bits go beyond what a shift can hold.
    value = shift < 28 ? value | ((octet & 0x7f) << shift) : value + (octet & 0x7f) * 0x10000000
    if (octet < 0x80) {
      if (value > max) violation(`${what} is ${value}, allowed up to ${max}`, section, start)
      cursor.offset = at + 1
      return value
    }
  }
  if (end - start === MAX_SHORT_VARINT_OCTETS) {
    violation(`${what} goes on after 5 octets, allowed ${MAX_SHORT_VARINT_OCTETS}`, section, start)
  }
  return unterminated(what, start, end)
}

/**
 * Moves over a varint of up to 64 bits without working out its value, at twice the speed
 * (bench/wire/protobuf.ts, "walk over numbers").
 *
 * @throws WireError as {@link readVarint} does
 */
export function skipVarint(cursor: VarintCursor): void {
  const octets = cursor.octets
  const start = cursor.offset
  const end = Math.min(cursor.end, start + MAX_VARINT_OCTETS - 1)
  for (let at = start; at < end; at++) {
    if (octets[at]! < 0x80) {
      cursor.offset = at + 1
      return
    }
  }
  // Ten octets or none: the reader knows what is wrong with it, if anything is.
  readVarint(cursor)
}

/** A bigint of two unsigned 32-bit halves. */
export function joinHalves(low: number, high: number): bigint {
  // A small value costs one conversion instead of four operations (bench/wire/protobuf.ts, "uint64").
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low)
}

/** A varint and where it ended. */
export interface DecodedVarint {
  /** 0n to 2^64 - 1. */
  readonly value: bigint
  /** One past its last octet. */
  readonly end: number
}

/**
 * Reads one varint as a bigint. {@link readVarint} does it without allocating.
 *
 * @throws WireError as {@link readVarint} does
 * @example
 * decodeVarint(Uint8Array.of(0x96, 0x01)) // { value: 150n, end: 2 }
 */
export function decodeVarint(octets: Uint8Array, offset = 0, end: number = octets.length): DecodedVarint {
  const cursor = { octets, offset, end, high: 0 }
  const low = readVarint(cursor)
  return { value: joinHalves(low, cursor.high), end: cursor.offset }
}

/** Octets that the varint of two unsigned 32-bit halves takes: 1 to 10. */
export function varintSizeOctets(low: number, high = 0): number {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
  return bits === 0 ? 1 : Math.ceil(bits / 7)
}

/** Appends the varint of an unsigned 32-bit number. */
export function writeVarint32(out: OctetWriter, value: number): void {
  out.ensure(MAX_SHORT_VARINT_OCTETS)
  const buffer = out.buffer
  let at = out.length
  let rest = value
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  out.length = at
}

/** Appends the varint of a 64-bit number given as two unsigned 32-bit halves. */
export function writeVarintHalves(out: OctetWriter, low: number, high: number): void {
  out.ensure(MAX_VARINT_OCTETS)
  const buffer = out.buffer
  let at = out.length
  let rest = low
  let restHigh = high
  while (restHigh !== 0 || rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest = ((rest >>> 7) | (restHigh << 25)) >>> 0
    restHigh >>>= 7
  }
  buffer[at++] = rest
  out.length = at
}

/** Appends the varint of the low 64 bits of `value`: a negative one as two's complement, in ten octets. */
export function writeVarint64(out: OctetWriter, value: bigint): void {
  writeVarintHalves(out, Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn))
}

/**
 * The octets of one varint; of a negative value its 64-bit two's complement.
 *
 * @throws RangeError outside -2^63 to 2^64 - 1
 * @example
 * encodeVarint(150) // Uint8Array [0x96, 0x01]
 */
export function encodeVarint(value: number | bigint): Uint8Array {
  const wide = BigInt(value)
  if (wide < -(1n << 63n) || wide >= 1n << 64n) {
    throw new RangeError(`a varint holds -2^63 to 2^64 - 1, not ${value}`)
  }
  const out = new OctetWriter(MAX_VARINT_OCTETS)
  writeVarint64(out, wide)
  return out.take()
}
