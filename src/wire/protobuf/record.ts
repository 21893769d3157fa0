/**
 * One record of a scanned message: where it is, what it holds, and what is known or guessed of it.
 *
 * Octets and texts are taken from the source when asked for, so a record costs the same for every payload.
 */
import type { FieldDescriptor } from './descriptor.ts'
import type { LenKind } from './guess.ts'
import { textOf } from './text.ts'
import { joinHalves } from './varint.ts'
import type { WireType } from './wire-type.ts'

/**
 * A record. All offsets count from the start of the scanned octets.
 *
 * ```
 *   offset      valueOffset        valueEnd    end
 *   |  tag  (length)  |    payload    |  (EGROUP tag)  |
 * ```
 */
export class ProtobufRecord {
  /** The octets that were scanned. */
  readonly source: Uint8Array
  /** From the tag: 1 to 2^29 - 1. */
  readonly fieldNumber: number
  /** From the tag: VARINT, I64, LEN, SGROUP or I32. */
  readonly wireType: WireType
  /** Where the tag starts. */
  readonly offset: number
  /** Where the payload starts: behind the tag, and behind the length of a LEN. */
  readonly valueOffset: number
  /** One past the payload. */
  readonly valueEnd: number
  /** One past the record: `valueEnd`, or behind the end tag of a group. */
  readonly end: number
  /** Bits 0 to 31 of a VARINT, I32 or I64, unsigned; 0 for others. */
  readonly low: number
  /** Bits 32 to 63 of a VARINT or I64, unsigned; 0 for others. */
  readonly high: number
  /** What a LEN can be, the likeliest first; with a known field what it is declared as. Empty for others. */
  readonly kinds: readonly LenKind[]
  /** Records inside a group, or inside a LEN that is or can be a message. */
  readonly records: readonly ProtobufRecord[] | undefined
  /** The field of the descriptor, where it has one whose type fits this wire type. */
  readonly field: FieldDescriptor | undefined
  /** What is remarkable, for example a declared type that the octets do not fit; else empty. */
  readonly note: string

  constructor(init: Omit<ProtobufRecord, 'value' | 'octets' | 'text'>) {
    this.source = init.source
    this.fieldNumber = init.fieldNumber
    this.wireType = init.wireType
    this.offset = init.offset
    this.valueOffset = init.valueOffset
    this.valueEnd = init.valueEnd
    this.end = init.end
    this.low = init.low
    this.high = init.high
    this.kinds = init.kinds
    this.records = init.records
    this.field = init.field
    this.note = init.note
  }

  /** The 64 bits of a VARINT, I32 or I64 as an unsigned number; 0n for others. */
  get value(): bigint {
    return joinHalves(this.low, this.high)
  }

  /** The payload as a view. */
  get octets(): Uint8Array {
    return this.source.subarray(this.valueOffset, this.valueEnd)
  }

  /** The payload as text; what is no UTF-8 becomes U+FFFD. */
  get text(): string {
    return textOf(this.source, this.valueOffset, this.valueEnd)
  }
}
