/**
 * Reads the records of a message one after another, without a schema and without allocating.
 *
 * The caller walks with {@link ProtobufReader.next}, looks at `fieldNumber` and `wireType`, and reads the
 * payload as the type it knows, or skips it. Every rule of the guide's "Message Structure" is checked on the
 * way; what a field's number means is not known here.
 */
import { doubleFromBits, floatFromBits } from './bits.ts'
import type { PackableType, PackableValue } from './scalar-type.ts'
import { textOf } from './text.ts'
import { isUtf8 } from './utf8.ts'
import { joinHalves, readShortVarint, readVarint, skipVarint } from './varint.ts'
import { octetCount, Section, violation } from './violation.ts'
import { WireType, wireTypeName } from './wire-type.ts'
import { decodeZigZag32, decodeZigZag64 } from './zigzag.ts'

/** Groups inside groups that {@link ProtobufReader.skip} follows unless told otherwise, as other parsers do. */
export const DEFAULT_MAX_DEPTH = 100

/** A length is an int32 varint that is not negative (Protobuf Encoding, "Condensed Reference Card"). */
const MAX_LENGTH = 0x7fffffff
const MAX_TAG = 0xffffffff

/**
 * A cursor over the records of one message.
 *
 * Fields are public so that hot loops can look at them; `offset` may be moved by the caller.
 *
 * @example
 * const reader = new ProtobufReader(Uint8Array.of(0x08, 0x96, 0x01))
 * while (reader.next()) {
 *   if (reader.fieldNumber === 1) reader.int32() // 150
 *   else reader.skip()
 * }
 */
export class ProtobufReader {
  /** Where the message is. */
  readonly octets: Uint8Array
  /** Where the next octet is read. */
  offset: number
  /** One past the message's last octet. */
  readonly end: number
  /** Bits 32 to 63 of the last 64-bit value; its low bits were returned. */
  high = 0
  /** Of the record that `next` opened. */
  fieldNumber = 0
  /** Of the record that `next` opened. */
  wireType: WireType = WireType.VARINT
  /** Where the tag of that record starts. */
  tagOffset = 0

  /**
   * @param octets where the message is
   * @param offset its first octet; default 0
   * @param end one past its last octet; default all of `octets`
   */
  constructor(octets: Uint8Array, offset = 0, end: number = octets.length) {
    this.octets = octets
    this.offset = offset
    this.end = end
  }

  /**
   * Opens the next record by reading its tag; false at the end of the message.
   *
   * The record is never an EGROUP: the end of a group belongs to the group.
   *
   * @throws WireError for an unterminated or over-long tag, field number 0, wire types 6 and 7, and the end
   *   of a group that was not started
   */
  next(): boolean {
    if (!this.#nextTag()) return false
    if (this.wireType === WireType.EGROUP) {
      violation(`group ${this.fieldNumber} ends that was not started`, Section.groups, this.tagOffset)
    }
    return true
  }

  #nextTag(): boolean {
    const start = this.offset
    if (start >= this.end) return false
    this.tagOffset = start
    let tag = this.octets[start]!
    if (tag < 0x80) this.offset = start + 1
    else if (start + 1 < this.end && this.octets[start + 1]! < 0x80) {
      // Field numbers from 16 to 2047, without a call (bench/wire/protobuf.ts, "walk over numbers").
      tag = (tag & 0x7f) | (this.octets[start + 1]! << 7)
      this.offset = start + 2
    } else tag = readShortVarint(this, 'tag', Section.structure, MAX_TAG)
    const wireType = tag & 7
    if (wireType > 5) {
      violation(
        `wire type ${wireType} in tag 0x${tag.toString(16)}, allowed 0 to 5`,
        Section.structure,
        start,
      )
    }
    if (tag < 8) violation('field number 0, allowed 1 to 536870911', Section.structure, start)
    this.fieldNumber = tag >>> 3
    this.wireType = wireType as WireType
    return true
  }

  /** Low 32 bits of a varint; the others are in `high`. @throws WireError as {@link readVarint} */
  varint(): number {
    return readVarint(this)
  }

  /** `uint32`, and the raw bits of any shorter varint: what goes beyond 32 bits is dropped. */
  uint32(): number {
    return readVarint(this)
  }

  /** `int32` or `enum`: the low 32 bits, signed. */
  int32(): number {
    return readVarint(this) | 0
  }

  /** `sint32`: a ZigZag number of 32 bits. */
  sint32(): number {
    return decodeZigZag32(readVarint(this))
  }

  /** `bool`: any value but 0 is true. */
  bool(): boolean {
    return (readVarint(this) | this.high) !== 0
  }

  /** `uint64` as a bigint. */
  uint64(): bigint {
    const low = readVarint(this)
    return joinHalves(low, this.high)
  }

  /** `int64` as a bigint. */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  /** `sint64`: a ZigZag number of 64 bits. */
  sint64(): bigint {
    return decodeZigZag64(this.uint64())
  }

  /** I32 as an unsigned number. @throws WireError if the message ends inside */
  fixed32(): number {
    const at = this.#fixed(4, 'I32')
    const octets = this.octets
    return (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16)) + octets[at + 3]! * 0x1000000
  }

  /** I32 as a signed number. @throws WireError if the message ends inside */
  sfixed32(): number {
    return this.fixed32() | 0
  }

  /** I32 as a `float`. @throws WireError if the message ends inside */
  float(): number {
    return floatFromBits(this.fixed32())
  }

  /** Low 32 bits of an I64; the others are in `high`. @throws WireError if the message ends inside */
  fixed64Low(): number {
    this.#fixed(8, 'I64')
    this.offset -= 4
    const high = this.fixed32()
    this.offset -= 8
    const low = this.fixed32()
    this.offset += 4
    this.high = high
    return low
  }

  /** I64 as an unsigned bigint. @throws WireError if the message ends inside */
  fixed64(): bigint {
    const low = this.fixed64Low()
    return joinHalves(low, this.high)
  }

  /** I64 as a signed bigint. @throws WireError if the message ends inside */
  sfixed64(): bigint {
    return BigInt.asIntN(64, this.fixed64())
  }

  /** I64 as a `double`. @throws WireError if the message ends inside */
  double(): number {
    const low = this.fixed64Low()
    return doubleFromBits(low, this.high)
  }

  #fixed(sizeOctets: number, name: string): number {
    const at = this.offset
    const left = this.end - at
    if (left < sizeOctets) {
      violation(`${name} of ${sizeOctets} octets, ${octetCount(left)} left`, Section.nonVarintNumbers, at)
    }
    this.offset = at + sizeOctets
    return at
  }

  /**
   * The length of a LEN payload, which then starts at `offset`.
   *
   * @throws WireError if the length is broken or goes beyond the message
   */
  length(): number {
    const start = this.offset
    let length = start < this.end ? this.octets[start]! : 0x80
    if (length < 0x80) this.offset = start + 1
    else length = readShortVarint(this, 'length', Section.lengthDelimited, MAX_LENGTH)
    const left = this.end - this.offset
    if (length > left) {
      violation(`length is ${octetCount(length)}, ${octetCount(left)} left`, Section.lengthDelimited, start)
    }
    return length
  }

  /** A LEN payload as a view. @throws WireError as {@link ProtobufReader.length} */
  bytes(): Uint8Array {
    const length = this.length()
    const start = this.offset
    this.offset = start + length
    return this.octets.subarray(start, this.offset)
  }

  /** A LEN payload as text. @throws WireError if it is not UTF-8 */
  string(): string {
    const prefix = this.offset
    const length = this.length()
    const start = this.offset
    this.offset = start + length
    if (!isUtf8(this.octets, start, this.offset)) violation('string is not UTF-8', Section.card, prefix)
    return textOf(this.octets, start, this.offset)
  }

  /** A reader over a LEN payload that is a message; this one goes on behind it. */
  message(): ProtobufReader {
    const length = this.length()
    const start = this.offset
    this.offset = start + length
    return new ProtobufReader(this.octets, start, this.offset)
  }

  /** A reader over the records of the group that `next` opened; this one goes on behind the group's end. */
  group(): ProtobufReader {
    const start = this.offset
    this.skip()
    return new ProtobufReader(this.octets, start, this.#endGroupOffset)
  }

  /** Where the tag starts that ended the last group `skip` went through. */
  #endGroupOffset = 0

  /**
   * The values of a packed LEN payload.
   *
   * @throws WireError if it does not hold a whole number of values
   * @example
   * reader.packed('int32') // [3, 270, 86942]
   */
  packed<T extends PackableType>(type: T): PackableValue<T>[] {
    const length = this.length()
    const size = packedSizeOctets(type)
    if (size !== 0 && length % size !== 0) {
      violation(
        `packed ${type} of ${octetCount(length)}, allowed a multiple of ${size}`,
        Section.packed,
        this.offset,
      )
    }
    const start = this.offset
    this.offset = start + length
    const inner = new ProtobufReader(this.octets, start, this.offset)
    const values: PackableValue<T>[] = []
    while (inner.offset < inner.end) values.push(inner.scalar(type))
    return values
  }

  /** One value of a packable type, read by its name. */
  scalar<T extends PackableType>(type: T): PackableValue<T> {
    return this[type]() as PackableValue<T>
  }

  /**
   * Skips the payload of the record that `next` opened, a whole group included.
   *
   * @param maxDepth groups inside groups to follow; default {@link DEFAULT_MAX_DEPTH}
   * @throws WireError for a broken payload, a group without its end or with another's, and beyond `maxDepth`
   */
  skip(maxDepth: number = DEFAULT_MAX_DEPTH): void {
    switch (this.wireType) {
      case WireType.VARINT:
        skipVarint(this)
        return
      case WireType.LEN: {
        const length = this.length()
        this.offset += length
        return
      }
      case WireType.SGROUP:
        this.#skipGroup(maxDepth)
        return
      default:
        this.#fixed(this.wireType === WireType.I64 ? 8 : 4, wireTypeName(this.wireType))
    }
  }

  #skipGroup(maxDepth: number): void {
    const start = this.tagOffset
    const open: number[] = [this.fieldNumber]
    while (open.length > 0) {
      if (open.length > maxDepth) {
        violation(`groups nested deeper than ${maxDepth}`, Section.groups, this.tagOffset)
      }
      if (!this.#nextTag()) violation(`group ${open[0]} has no end`, Section.groups, start)
      if (this.wireType === WireType.SGROUP) open.push(this.fieldNumber)
      else if (this.wireType === WireType.EGROUP) {
        const expected = open.pop()!
        if (this.fieldNumber !== expected) {
          violation(
            `group ${this.fieldNumber} ends where group ${expected} is open`,
            Section.groups,
            this.tagOffset,
          )
        }
      } else this.skip()
    }
    this.#endGroupOffset = this.tagOffset
  }
}

/** Octets of one packed value, 0 for varints. */
function packedSizeOctets(type: PackableType): number {
  switch (type) {
    case 'fixed32':
    case 'sfixed32':
    case 'float':
      return 4
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return 8
    default:
      return 0
  }
}
