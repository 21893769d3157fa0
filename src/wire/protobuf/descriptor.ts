/**
 * What a scan needs to know of a message type to name its records.
 *
 * Structural on purpose: this floor knows no schema language. An adapter for protobufjs types is in
 * `src/inspect`; a hand-written object does as well.
 */
import type { ScalarType } from './scalar-type.ts'

/** The names of an enum's numbers. */
export interface EnumDescriptor {
  /** Full name, for example `countries.Region`. */
  readonly name: string
  /** The name of a number, or undefined for one that the enum does not list. */
  valueName(number: number): string | undefined
}

/** One field of a message type. */
export interface FieldDescriptor {
  /** The field number: 1 to 2^29 - 1. */
  readonly number: number
  /** As in the .proto file. */
  readonly name: string
  /** A scalar type, or what the field refers to. */
  readonly type: ScalarType | 'enum' | 'message' | 'group'
  /** True for `repeated` and `map` fields: packable types then may come packed. */
  readonly repeated: boolean
  /** True for a `map` field: its records are entries with key 1 and value 2. */
  readonly map?: boolean
  /** The type of a `message` or `group` field. */
  readonly message?: MessageDescriptor | undefined
  /** The type of an `enum` field. */
  readonly enum?: EnumDescriptor | undefined
}

/** One message type. */
export interface MessageDescriptor {
  /** Full name, for example `countries.CountryResponse`. */
  readonly name: string
  /** The field or extension with this number, or undefined where it is unknown. */
  field(number: number): FieldDescriptor | undefined
}
