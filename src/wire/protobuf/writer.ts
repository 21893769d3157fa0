/**
 * Writes the records of a message, without a schema.
 *
 * Methods named after a scalar type write the bare value, {@link ProtobufWriter.field} writes it behind its
 * tag. Values outside their type's range are refused, for they would come out as other ones. To write broken
 * messages on purpose, append octets to `out`.
 */
import { OctetWriter } from '../octets.ts'
import { doubleHighBits, doubleLowBits, floatToBits } from './bits.ts'
import { type PackableType, type PackableValue, SCALAR_WIRE_TYPES, type ScalarType } from './scalar-type.ts'
import { varintSizeOctets, writeVarint32, writeVarint64, writeVarintHalves } from './varint.ts'
import { MAX_FIELD_NUMBER, WireType } from './wire-type.ts'
import { encodeZigZag32, encodeZigZag64 } from './zigzag.ts'

/** What {@link ProtobufWriter.field} takes for each scalar type. */
export type ScalarValue<T extends ScalarType> = T extends PackableType
  ? PackableValue<T>
  : T extends 'string'
    ? string
    : Uint8Array

/**
 * A growing message.
 *
 * @example
 * const octets = new ProtobufWriter()
 *   .field(1, 'int32', 150)
 *   .message(3, (inner) => inner.field(1, 'string', 'testing'))
 *   .finish()
 */
export class ProtobufWriter {
  /** Where the octets go; append to it what this class has no method for. */
  readonly out: OctetWriter

  /** @param out where to write; default a new one */
  constructor(out: OctetWriter = new OctetWriter(64)) {
    this.out = out
  }

  /** A tag. @throws RangeError for a field number outside 1 to 2^29 - 1 */
  tag(fieldNumber: number, wireType: WireType): this {
    if (!(Number.isInteger(fieldNumber) && fieldNumber >= 1 && fieldNumber <= MAX_FIELD_NUMBER)) {
      throw new RangeError(`field number ${fieldNumber}, allowed 1 to ${MAX_FIELD_NUMBER}`)
    }
    writeVarint32(this.out, ((fieldNumber << 3) | wireType) >>> 0)
    return this
  }

  /** `uint32` as a varint. @throws RangeError outside 0 to 2^32 - 1 */
  uint32(value: number): this {
    writeVarint32(this.out, integer(value, 'uint32', 0, 0xffffffff))
    return this
  }

  /** `int32` or `enum`; a negative value takes ten octets (Protobuf Encoding, "Signed Integers"). */
  int32(value: number): this {
    integer(value, 'int32', -0x80000000, 0x7fffffff)
    writeVarintHalves(this.out, value >>> 0, value < 0 ? 0xffffffff : 0)
    return this
  }

  /** `sint32` as a ZigZag varint. @throws RangeError outside -2^31 to 2^31 - 1 */
  sint32(value: number): this {
    writeVarint32(this.out, encodeZigZag32(integer(value, 'sint32', -0x80000000, 0x7fffffff)))
    return this
  }

  /** `bool`: one octet. */
  bool(value: boolean): this {
    this.out.uint8(value ? 1 : 0)
    return this
  }

  /** `uint64` as a varint. @throws RangeError outside 0 to 2^64 - 1 */
  uint64(value: bigint): this {
    writeVarint64(this.out, wide(value, 'uint64', 0n, (1n << 64n) - 1n))
    return this
  }

  /** `int64` as a varint, a negative one in ten octets. @throws RangeError outside -2^63 to 2^63 - 1 */
  int64(value: bigint): this {
    writeVarint64(this.out, wide(value, 'int64', -(1n << 63n), (1n << 63n) - 1n))
    return this
  }

  /** `sint64` as a ZigZag varint. @throws RangeError outside -2^63 to 2^63 - 1 */
  sint64(value: bigint): this {
    writeVarint64(this.out, encodeZigZag64(wide(value, 'sint64', -(1n << 63n), (1n << 63n) - 1n)))
    return this
  }

  /** `fixed32`: four octets. @throws RangeError outside 0 to 2^32 - 1 */
  fixed32(value: number): this {
    this.#bits32(integer(value, 'fixed32', 0, 0xffffffff))
    return this
  }

  /** `sfixed32`: four octets. @throws RangeError outside -2^31 to 2^31 - 1 */
  sfixed32(value: number): this {
    this.#bits32(integer(value, 'sfixed32', -0x80000000, 0x7fffffff))
    return this
  }

  /** `float`: four octets; a number is rounded to it. */
  float(value: number): this {
    this.#bits32(floatToBits(value))
    return this
  }

  /** `fixed64`: eight octets. @throws RangeError outside 0 to 2^64 - 1 */
  fixed64(value: bigint): this {
    this.#bits64(wide(value, 'fixed64', 0n, (1n << 64n) - 1n))
    return this
  }

  /** `sfixed64`: eight octets. @throws RangeError outside -2^63 to 2^63 - 1 */
  sfixed64(value: bigint): this {
    this.#bits64(wide(value, 'sfixed64', -(1n << 63n), (1n << 63n) - 1n))
    return this
  }

  /** `double`: eight octets. */
  double(value: number): this {
    this.#bits32(doubleLowBits(value))
    this.#bits32(doubleHighBits(value))
    return this
  }

  /** A length and UTF-8. @throws TypeError for a lone surrogate, which UTF-8 has no octets for */
  string(value: string): this {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError('a string with a lone surrogate has no UTF-8 form')
    return this.#lengthDelimited(() => this.out.text(value))
  }

  /** A length and the octets. */
  bytes(value: Uint8Array): this {
    writeVarint32(this.out, value.length)
    this.out.octets(value)
    return this
  }

  /** One value of a scalar type, without a tag. @throws RangeError for a value outside the type's range */
  scalar<T extends ScalarType>(type: T, value: ScalarValue<T>): this {
    ;(this[type] as (value: ScalarValue<T>) => this)(value)
    return this
  }

  /** A whole record: the tag and one value. @throws RangeError for a value outside the type's range */
  field<T extends ScalarType>(fieldNumber: number, type: T, value: ScalarValue<T>): this {
    return this.tag(fieldNumber, SCALAR_WIRE_TYPES[type]).scalar(type, value)
  }

  /** A LEN record of values without tags (Protobuf Encoding, "Packed Repeated Fields"). */
  packed<T extends PackableType>(fieldNumber: number, type: T, values: Iterable<PackableValue<T>>): this {
    this.tag(fieldNumber, WireType.LEN)
    return this.#lengthDelimited(() => {
      for (const value of values) this.scalar(type, value as ScalarValue<T>)
    })
  }

  /** A LEN record whose payload is what `write` writes to this writer. */
  message(fieldNumber: number, write: (writer: this) => unknown): this {
    this.tag(fieldNumber, WireType.LEN)
    return this.#lengthDelimited(() => write(this))
  }

  /** What `write` writes, between the tags of a group (Protobuf Encoding, "Groups"). */
  group(fieldNumber: number, write: (writer: this) => unknown): this {
    this.tag(fieldNumber, WireType.SGROUP)
    write(this)
    return this.tag(fieldNumber, WireType.EGROUP)
  }

  /** The octets written so far as a copy; the writer is empty afterwards. */
  finish(): Uint8Array {
    return this.out.take()
  }

  #lengthDelimited(write: () => unknown): this {
    const out = this.out
    // Nearly all payloads are shorter than 128 octets: one octet is left for the length, and the payload
    // moves only when it needs more. Nothing is written twice, and no inner buffer is made.
    const at = out.reserve(1)
    write()
    const length = out.length - at - 1
    const extra = varintSizeOctets(length) - 1
    if (extra > 0) {
      out.reserve(extra)
      out.buffer.copyWithin(at + 1 + extra, at + 1, at + 1 + length)
    }
    const buffer = out.buffer
    let place = at
    let rest = length
    while (rest > 0x7f) {
      buffer[place++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[place] = rest
    return this
  }

  #bits32(bits: number): void {
    const out = this.out
    out.ensure(4)
    out.buffer[out.length++] = bits
    out.buffer[out.length++] = bits >>> 8
    out.buffer[out.length++] = bits >>> 16
    out.buffer[out.length++] = bits >>> 24
  }

  #bits64(value: bigint): void {
    this.#bits32(Number(value & 0xffffffffn))
    this.#bits32(Number((value >> 32n) & 0xffffffffn))
  }
}

function integer(value: number, type: string, min: number, max: number): number {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`${type} is ${value}, allowed are whole numbers from ${min} to ${max}`)
  }
  return value
}

function wide(value: bigint, type: string, min: bigint, max: bigint): bigint {
  if (typeof value !== 'bigint') throw new TypeError(`${type} takes a bigint, not ${typeof value}`)
  if (value < min || value > max) throw new RangeError(`${type} is ${value}, allowed ${min} to ${max}`)
  return value
}
