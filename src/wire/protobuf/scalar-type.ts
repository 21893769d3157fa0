/** The fifteen scalar types of a .proto file and the wire type of each (Protobuf Encoding, "Message Structure"). */
import { WireType } from './wire-type.ts'

/** A scalar type as a .proto file spells it. */
export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** The scalar types that a repeated field can pack: all but `string` and `bytes`. */
export type PackableType = Exclude<ScalarType, 'string' | 'bytes'>

/** What a value of a packable type is in JavaScript: bigint for the 64-bit integers, boolean for `bool`. */
export type PackableValue<T extends PackableType> = T extends 'bool'
  ? boolean
  : T extends 'int64' | 'uint64' | 'sint64' | 'fixed64' | 'sfixed64'
    ? bigint
    : number

/** The wire type that a single value of each scalar type has. */
export const SCALAR_WIRE_TYPES: Readonly<Record<ScalarType, WireType>> = {
  double: WireType.I64,
  float: WireType.I32,
  int32: WireType.VARINT,
  int64: WireType.VARINT,
  uint32: WireType.VARINT,
  uint64: WireType.VARINT,
  sint32: WireType.VARINT,
  sint64: WireType.VARINT,
  fixed32: WireType.I32,
  fixed64: WireType.I64,
  sfixed32: WireType.I32,
  sfixed64: WireType.I64,
  bool: WireType.VARINT,
  string: WireType.LEN,
  bytes: WireType.LEN,
}
