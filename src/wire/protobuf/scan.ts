/**
 * Reads any message into a tree of records, with or without a schema.
 *
 * Bounded on purpose, for it is pointed at unknown octets: by depth, and by the number of records. Each octet
 * is looked at a fixed number of times for each level of nesting, and each record is kept once.
 */

import { WireError } from '../wire-error.ts'
import type { FieldDescriptor, MessageDescriptor } from './descriptor.ts'
import { type LenKind, rankLen } from './guess.ts'
import { DEFAULT_MAX_DEPTH, ProtobufReader } from './reader.ts'
import { ProtobufRecord } from './record.ts'
import { SCALAR_WIRE_TYPES } from './scalar-type.ts'
import { escapeText } from './text.ts'
import { isUtf8 } from './utf8.ts'
import { varintSizeOctets } from './varint.ts'
import { octetCount } from './violation.ts'
import { isVarints, isWellFormed } from './well-formed.ts'
import { WireType, wireTypeName } from './wire-type.ts'

/** Records that {@link scan} makes unless told otherwise: some 2 MiB of memory. */
const DEFAULT_MAX_RECORDS = 10_000

/** Options of {@link scan}. */
export interface ScanOptions {
  /** First octet of the message; default 0. */
  offset?: number
  /** One past its last octet; default all. */
  end?: number
  /** The message's type; without it everything is guessed. */
  message?: MessageDescriptor | undefined
  /** Messages and groups inside one another that are opened, the outermost included; default 100, at most 1000. */
  maxDepth?: number
  /** Records in the whole tree; default 10000. The scan stops there and says so. */
  maxRecords?: number
  /** True returns what was read before an error, and the error, instead of throwing; default false. */
  partial?: boolean
}

/** What {@link scan} found. */
export interface Scan {
  /** The message's records, in wire order. */
  readonly records: readonly ProtobufRecord[]
  /** Why the scan stopped before the end; only with `partial`. */
  readonly error: WireError | undefined
  /** True if `maxRecords` stopped the scan before the end. */
  readonly truncated: boolean
  /** One past the last octet that was read. */
  readonly end: number
}

/**
 * Reads a message into records, each with its offsets and, for LEN, a ranking of what it can be.
 *
 * @throws WireError where the octets are no message, unless `partial` is set
 * @throws RangeError for a `maxDepth` above 1000
 * @example
 * const { records } = scan(Buffer.from('1a03089601', 'hex'))
 * records[0].fieldNumber // 3
 * records[0].kinds // ['message', 'packed varint', 'octets']
 * records[0].records[0].value // 150n
 */
export function scan(octets: Uint8Array, options: ScanOptions = {}): Scan {
  const { offset = 0, end = octets.length, message, maxDepth = DEFAULT_MAX_DEPTH } = options
  if (maxDepth > 1000) throw new RangeError(`maxDepth is ${maxDepth}, allowed up to 1000`)
  const scanner = new Scanner(octets, maxDepth, options.maxRecords ?? DEFAULT_MAX_RECORDS)
  const reader = new ProtobufReader(octets, offset, end)
  const records: ProtobufRecord[] = []
  let error: WireError | undefined
  try {
    scanner.scanInto(records, reader, message, 1)
  } catch (cause) {
    if (!(options.partial && cause instanceof WireError)) throw cause
    error = cause
  }
  return { records, error, truncated: scanner.truncated, end: error?.offset ?? reader.offset }
}

const NO_KINDS: readonly LenKind[] = Object.freeze([])

/** The kinds of a declared field, shared by all records. */
const AS: Readonly<Record<LenKind, readonly LenKind[]>> = {
  message: Object.freeze<LenKind[]>(['message']),
  text: Object.freeze<LenKind[]>(['text']),
  'packed varint': Object.freeze<LenKind[]>(['packed varint']),
  'packed I32': Object.freeze<LenKind[]>(['packed I32']),
  'packed I64': Object.freeze<LenKind[]>(['packed I64']),
  octets: Object.freeze<LenKind[]>(['octets']),
}

/** The state of one scan. */
class Scanner {
  truncated = false
  readonly #source: Uint8Array
  readonly #maxDepth: number
  #recordsLeft: number

  constructor(source: Uint8Array, maxDepth: number, maxRecords: number) {
    this.#source = source
    this.#maxDepth = maxDepth
    this.#recordsLeft = maxRecords
  }

  /** Appends the records up to the reader's end. */
  scanInto(
    records: ProtobufRecord[],
    reader: ProtobufReader,
    message: MessageDescriptor | undefined,
    depth: number,
  ): void {
    while (reader.offset < reader.end && !this.truncated) {
      if (this.#recordsLeft === 0) {
        this.truncated = true
        return
      }
      this.#recordsLeft--
      reader.next()
      records.push(this.#record(reader, message, depth))
    }
  }

  #record(reader: ProtobufReader, message: MessageDescriptor | undefined, depth: number): ProtobufRecord {
    const declared = message?.field(reader.fieldNumber)
    const field = declared !== undefined && fits(declared, reader.wireType) ? declared : undefined
    const mismatch =
      declared !== undefined && field === undefined
        ? `declared ${declared.type} ${escapeText(declared.name)}, came as ${wireTypeName(reader.wireType)}`
        : ''
    switch (reader.wireType) {
      case WireType.LEN:
        return this.#len(reader, field, mismatch, depth)
      case WireType.SGROUP:
        return this.#group(reader, field, mismatch, depth)
      default:
        return this.#number(reader, field, mismatch)
    }
  }

  #number(reader: ProtobufReader, field: FieldDescriptor | undefined, mismatch: string): ProtobufRecord {
    const { tagOffset, fieldNumber, wireType, offset } = reader
    let low: number
    let high = 0
    let note = mismatch
    if (wireType === WireType.I32) low = reader.fixed32()
    else {
      low = wireType === WireType.VARINT ? reader.varint() : reader.fixed64Low()
      high = reader.high
    }
    const end = reader.offset
    if (wireType === WireType.VARINT && note === '' && end - offset > varintSizeOctets(low, high)) {
      note = `written in ${octetCount(end - offset)}, ${varintSizeOctets(low, high)} would do`
    }
    return new ProtobufRecord({
      source: this.#source,
      fieldNumber,
      wireType,
      offset: tagOffset,
      valueOffset: offset,
      valueEnd: end,
      end,
      low,
      high,
      kinds: NO_KINDS,
      records: undefined,
      field,
      note,
    })
  }

  #len(
    reader: ProtobufReader,
    declared: FieldDescriptor | undefined,
    mismatch: string,
    depth: number,
  ): ProtobufRecord {
    const { tagOffset, fieldNumber, wireType } = reader
    const length = reader.length()
    const start = reader.offset
    const end = start + length
    reader.offset = end
    const source = this.#source
    const declaredKind = declared === undefined ? undefined : declaredAs(declared, source, start, end)
    const field = declaredKind === undefined ? undefined : declared
    const kinds = declaredKind ?? rankLen(source, start, end)
    let note = mismatch
    if (declared !== undefined && field === undefined) {
      note = `declared ${declared.type} ${escapeText(declared.name)}, but the octets are none`
    }
    let records: ProtobufRecord[] | undefined
    if (kinds.includes('message')) {
      if (depth < this.#maxDepth) {
        records = []
        this.scanInto(records, new ProtobufReader(source, start, end), field?.message, depth + 1)
      } else note = `not opened: deeper than ${this.#maxDepth}`
    }
    return new ProtobufRecord({
      source,
      fieldNumber,
      wireType,
      offset: tagOffset,
      valueOffset: start,
      valueEnd: end,
      end,
      low: 0,
      high: 0,
      kinds,
      records,
      field,
      note,
    })
  }

  #group(
    reader: ProtobufReader,
    field: FieldDescriptor | undefined,
    mismatch: string,
    depth: number,
  ): ProtobufRecord {
    const { tagOffset, fieldNumber, wireType, offset } = reader
    const inner = reader.group()
    let records: ProtobufRecord[] | undefined
    let note = mismatch
    if (depth < this.#maxDepth) {
      records = []
      this.scanInto(records, inner, field?.message, depth + 1)
    } else note = `not opened: deeper than ${this.#maxDepth}`
    return new ProtobufRecord({
      source: this.#source,
      fieldNumber,
      wireType,
      offset: tagOffset,
      valueOffset: offset,
      valueEnd: inner.end,
      end: reader.offset,
      low: 0,
      high: 0,
      kinds: NO_KINDS,
      records,
      field,
      note,
    })
  }
}

/** True if a field's records can have this wire type: its own, or LEN for packed numbers. */
function fits(field: FieldDescriptor, wireType: WireType): boolean {
  const own = wireTypeOf(field)
  if (own === wireType) return true
  return wireType === WireType.LEN && field.repeated && own !== WireType.SGROUP
}

/** The wire type of a single value of the field. */
function wireTypeOf(field: FieldDescriptor): WireType {
  switch (field.type) {
    case 'enum':
      return WireType.VARINT
    case 'message':
      return WireType.LEN
    case 'group':
      return WireType.SGROUP
    default:
      return SCALAR_WIRE_TYPES[field.type]
  }
}

/** What a known field's LEN payload is; undefined if the octets can't be that. */
function declaredAs(
  field: FieldDescriptor,
  source: Uint8Array,
  start: number,
  end: number,
): readonly LenKind[] | undefined {
  switch (field.type) {
    case 'bytes':
      return AS.octets
    case 'string':
      return isUtf8(source, start, end) ? AS.text : undefined
    case 'message':
      return isWellFormed(source, start, end) ? AS.message : undefined
    default:
      switch (wireTypeOf(field)) {
        case WireType.I32:
          return (end - start) % 4 === 0 ? AS['packed I32'] : undefined
        case WireType.I64:
          return (end - start) % 8 === 0 ? AS['packed I64'] : undefined
        default:
          return isVarints(source, start, end) ? AS['packed varint'] : undefined
      }
  }
}
