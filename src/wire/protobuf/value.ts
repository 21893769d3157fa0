/**
 * The value of a scanned record in JavaScript: as its field declares it, or as the likeliest guess.
 */
import { doubleFromBits, floatFromBits } from './bits.ts'
import type { FieldDescriptor } from './descriptor.ts'
import { ProtobufReader } from './reader.ts'
import type { ProtobufRecord } from './record.ts'
import type { PackableType } from './scalar-type.ts'
import { joinHalves } from './varint.ts'
import { WireType } from './wire-type.ts'
import { decodeZigZag32, decodeZigZag64 } from './zigzag.ts'

/** One number, truth value, or name of an enum's number. */
export type NumericValue = number | bigint | boolean | string

/** What {@link recordValue} returns. */
export type RecordValue = NumericValue | NumericValue[] | Uint8Array | undefined

/**
 * The value of a record.
 *
 * - With a field: a number, bigint (64-bit integers), boolean, string or Uint8Array by its declared type, the
 *   name of an enum's number where it has one, an array for a packed record.
 * - Without: VARINT, I32 and I64 unsigned, as a number up to 2^53 and a bigint above; LEN as the first of
 *   `record.kinds`.
 * - Messages and groups are undefined: their value is `record.records`.
 *
 * @example
 * recordValue(scan(Uint8Array.of(0x08, 0x96, 0x01)).records[0]) // 150
 */
export function recordValue(record: ProtobufRecord): RecordValue {
  switch (record.wireType) {
    case WireType.LEN:
      return lenValue(record)
    case WireType.SGROUP:
      return undefined
    default:
      return record.field === undefined
        ? compact(record.value)
        : numericValue(record.field, record.low, record.high)
  }
}

function lenValue(record: ProtobufRecord): RecordValue {
  switch (record.kinds[0]) {
    case 'message':
      return undefined
    case 'text':
      return record.text
    case 'octets':
      return record.octets
    default:
      return [...packedValues(record)]
  }
}

/** The values of a record whose first kind is a packed one, one after another. */
export function* packedValues(record: ProtobufRecord): Generator<NumericValue, void> {
  const reader = new ProtobufReader(record.source, record.valueOffset, record.valueEnd)
  const kind = record.kinds[0]
  const field = record.field
  while (reader.offset < reader.end) {
    let low: number
    if (kind === 'packed I32') {
      low = reader.fixed32()
      reader.high = 0
    } else low = kind === 'packed I64' ? reader.fixed64Low() : reader.varint()
    if (field !== undefined) yield numericValue(field, low, reader.high)
    else if (kind === 'packed I32') yield likelyI32(low)
    else if (kind === 'packed I64') yield likelyI64(low, reader.high)
    else yield compact(joinHalves(low, reader.high))
  }
}

/** A small integer rather than a float next to zero. */
function likelyI32(low: number): number {
  return low < 0x1000000 ? low : floatFromBits(low)
}

function likelyI64(low: number, high: number): NumericValue {
  return high === 0 ? low : doubleFromBits(low, high)
}

/** The value that a numeric field gives to bits. */
function numericValue(field: FieldDescriptor, low: number, high: number): NumericValue {
  switch (field.type as PackableType | 'enum') {
    case 'bool':
      return (low | high) !== 0
    case 'enum':
      return field.enum?.valueName(low | 0) ?? low | 0
    case 'int32':
    case 'sfixed32':
      return low | 0
    case 'sint32':
      return decodeZigZag32(low)
    case 'uint32':
    case 'fixed32':
      return low
    case 'float':
      return floatFromBits(low)
    case 'double':
      return doubleFromBits(low, high)
    case 'sint64':
      return decodeZigZag64(joinHalves(low, high))
    case 'int64':
    case 'sfixed64':
      return BigInt.asIntN(64, joinHalves(low, high))
    case 'uint64':
    case 'fixed64':
      return joinHalves(low, high)
  }
}

function compact(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
