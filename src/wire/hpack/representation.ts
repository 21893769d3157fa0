/** What a field block is made of, for inspectors and tests (RFC 7541 §6). Plain decoding builds none of it. */
import type { HpackTableState } from './dynamic-table.ts'

/** How a field is represented in a field block (RFC 7541 §6.1, §6.2). */
export type Representation =
  /** Name and value by their index (§6.1). */
  | 'indexed'
  /** A literal that also enters the dynamic table (§6.2.1). */
  | 'literal-incremental-indexing'
  /** A literal that leaves the dynamic table alone (§6.2.2). */
  | 'literal-without-indexing'
  /** A literal that no intermediary may index either (§6.2.3). */
  | 'literal-never-indexed'

/** One field of a field block with how it was represented. */
export interface HpackField {
  readonly kind: 'field'
  /** How the field was written. */
  readonly representation: Representation
  /** Field name. */
  readonly name: string
  /** Field value, one character an octet. */
  readonly value: string
  /** Index of the field, or of its name; 0 if the name is a literal. */
  readonly index: number
  /** True if the literal name is Huffman-coded. */
  readonly nameHuffman: boolean
  /** True if the literal value is Huffman-coded. */
  readonly valueHuffman: boolean
  /** Octets of its representation, from the start of the block. */
  readonly start: number
  /** End of its representation, in octets from the start of the block. */
  readonly end: number
}

/** A dynamic table size update in a field block (RFC 7541 §6.3). */
export interface HpackSizeUpdate {
  readonly kind: 'size-update'
  /** The new maximum size of the dynamic table. */
  readonly maxSizeOctets: number
  /** Octets of its representation, from the start of the block. */
  readonly start: number
  /** End of its representation, in octets from the start of the block. */
  readonly end: number
}

/** One step of a field block. */
export type HpackInstruction = HpackField | HpackSizeUpdate

/** A field block taken apart. */
export interface HpackBlock {
  /** Every step, fields above the header list limit excepted. */
  readonly instructions: readonly HpackInstruction[]
  /** The fields alone: name, value, name, value. */
  readonly fields: readonly string[]
  /** True if the fields were more than the header list limit; those above it are left out. */
  readonly overflowed: boolean
  /** Uncompressed size of all fields as RFC 9113 §6.5.2 counts it. */
  readonly headerListSizeOctets: number
  /** The dynamic table before and after the block. */
  readonly tableBefore: HpackTableState
  /** The dynamic table after the block. */
  readonly tableAfter: HpackTableState
}
