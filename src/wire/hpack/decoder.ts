/**
 * HPACK decoder: field blocks to fields (RFC 7541 §3.2, §6). One for each direction of a connection.
 *
 * It does not judge names and values as HTTP does (RFC 9113 §8.2): that is the field section's business.
 * Octets become characters one to one (latin1), so nothing is lost and text in UTF-8 can be restored.
 */
import { compressionError } from './compression-error.ts'
import {
  DEFAULT_MAX_TABLE_SIZE_OCTETS,
  DynamicTable,
  ENTRY_OVERHEAD_OCTETS,
  type HpackTableState,
} from './dynamic-table.ts'
import { decodeHuffman, maxDecodedLength } from './huffman.ts'
import { type BlockCursor, readInteger } from './integer.ts'
import type { HpackBlock, HpackInstruction, Representation } from './representation.ts'
import { STATIC_TABLE_LENGTH, staticNames, staticValues } from './static-table.ts'

/** Limits of an {@link HpackDecoder}. */
export interface HpackDecoderOptions {
  /** Largest dynamic table the peer's encoder may use, in octets; default 4096 (RFC 9113 §6.5.2). */
  maxTableSizeOctets?: number
  /**
   * Largest uncompressed size of the fields of one block, in octets: names, values and 32 for each field
   * (RFC 9113 §6.5.2); default 16384. `Infinity` takes all.
   */
  maxHeaderListSizeOctets?: number
}

const DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS = 16384
const NO_OCTETS = new Uint8Array(0)
const latin1Slice = Buffer.prototype.latin1Slice

/** Where Huffman-coded strings are decoded to, shared by all decoders: nothing in it outlives a string. */
let scratch = Buffer.allocUnsafeSlow(4096)

/**
 * Decodes the field blocks of one direction of a connection, in the order they arrive.
 *
 * After a {@link WireError} the table no longer matches the peer's: the connection must end, and the decoder
 * must not be used again.
 *
 * @example
 * const decoder = new HpackDecoder()
 * decoder.decode(Uint8Array.of(0x82, 0x86)) // [':method', 'GET', ':scheme', 'http']
 */
export class HpackDecoder {
  /** Limit of the uncompressed fields of a block, in octets; may be changed between blocks. */
  maxHeaderListSizeOctets: number
  /**
   * True if the fields of the last block were more than the limit. Those above it were dropped, the dynamic
   * table is in step: only the stream has to be answered (RFC 9113 §10.5.1).
   */
  overflowed: boolean
  /** Uncompressed size of all fields of the last block, dropped ones included (RFC 9113 §6.5.2). */
  headerListSizeOctets: number
  /**
   * Which fields of the last block, counted from 0, must never be indexed; valid until the next block. Pass
   * it to {@link HpackEncoder.encode} when forwarding (RFC 7541 §7.1.3).
   */
  readonly neverIndexed: number[]
  private readonly table: DynamicTable
  /** Maximum that our acknowledged SETTINGS_HEADER_TABLE_SIZE allows. */
  private allowedTableSize: number
  /** The lowest maximum since the last block: its first size update must be within it. */
  private lowestTableSize: number
  private readonly cursor: BlockCursor
  /** The last literal string: where it is, and whether it was Huffman-coded. */
  private source: Uint8Array
  private sourceStart: number
  private sourceEnd: number
  private huffman: boolean

  constructor(options: HpackDecoderOptions = {}) {
    this.allowedTableSize = options.maxTableSizeOctets ?? DEFAULT_MAX_TABLE_SIZE_OCTETS
    this.lowestTableSize = this.allowedTableSize
    this.maxHeaderListSizeOctets = options.maxHeaderListSizeOctets ?? DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS
    this.overflowed = false
    this.headerListSizeOctets = 0
    this.neverIndexed = []
    this.table = new DynamicTable(this.allowedTableSize)
    this.cursor = { octets: NO_OCTETS, start: 0, end: 0, position: 0 }
    this.source = NO_OCTETS
    this.sourceStart = 0
    this.sourceEnd = 0
    this.huffman = false
  }

  /**
   * Decodes one complete field block: octets `start` to `end` of `block`.
   *
   * @returns name, value, name, value in the order sent; the array is the caller's. When
   *   {@link HpackDecoder.overflowed} is true afterwards, only the fields up to the limit.
   * @throws WireError with COMPRESSION_ERROR and scope `connection` if the block breaks RFC 7541
   */
  decode(block: Uint8Array, start = 0, end: number = block.length): string[] {
    const fields: string[] = []
    this.run(block, start, end, fields, undefined)
    return fields
  }

  /**
   * Like {@link HpackDecoder.decode}, and tells how each field was represented and how the dynamic table
   * changed. Much slower: for inspectors and tests.
   *
   * @throws WireError as {@link HpackDecoder.decode} does
   */
  inspect(block: Uint8Array, start = 0, end: number = block.length): HpackBlock {
    const tableBefore = this.table.state()
    const fields: string[] = []
    const instructions: HpackInstruction[] = []
    this.run(block, start, end, fields, instructions)
    return {
      instructions,
      fields,
      overflowed: this.overflowed,
      headerListSizeOctets: this.headerListSizeOctets,
      tableBefore,
      tableAfter: this.table.state(),
    }
  }

  /**
   * Sets the largest dynamic table the peer may use; to be called when the peer acknowledges the SETTINGS
   * that said so. If its table is larger, its next block must start with a size update (RFC 7541 §4.2).
   */
  setMaxTableSize(sizeOctets: number): void {
    this.allowedTableSize = sizeOctets
    if (sizeOctets < this.lowestTableSize) this.lowestTableSize = sizeOctets
  }

  /** A copy of the dynamic table. */
  tableState(): HpackTableState {
    return this.table.state()
  }

  private run(
    block: Uint8Array,
    start: number,
    end: number,
    fields: string[],
    instructions: HpackInstruction[] | undefined,
  ): void {
    const { table, cursor } = this
    cursor.octets = block
    cursor.start = start
    cursor.end = end
    cursor.position = start
    this.overflowed = false
    this.headerListSizeOctets = 0
    if (this.neverIndexed.length > 0) this.neverIndexed.length = 0
    if (start < end) this.readSizeUpdates(instructions)
    while (cursor.position < end) {
      const from = cursor.position
      const octet = block[from]!
      if (octet >= 0x80) {
        // Indexed field: | 1 | index (7+) | (RFC 7541 §6.1)
        const index = octet < 0xff ? octet & 0x7f : readInteger(cursor, 7)
        if (octet < 0xff) cursor.position = from + 1
        const age = index - STATIC_TABLE_LENGTH - 1
        if (index === 0 || age >= table.length) throw this.noSuchIndex(index, from)
        const name = age < 0 ? staticNames[index]! : table.name(age)
        const value = age < 0 ? staticValues[index]! : table.value(age)
        if (this.count(name.length + value.length)) {
          fields.push(name, value)
          instructions?.push({
            kind: 'field',
            representation: 'indexed',
            name,
            value,
            index,
            nameHuffman: false,
            valueHuffman: false,
            start: from - start,
            end: cursor.position - start,
          })
        }
      } else if (octet >= 0x40) {
        // Literal with incremental indexing: | 0 1 | index (6+) | (RFC 7541 §6.2.1)
        this.readLiteral('literal-incremental-indexing', 6, fields, instructions)
      } else if (octet >= 0x20) {
        // Size update: | 0 0 1 | size (5+) | (RFC 7541 §6.3)
        throw compressionError(
          'dynamic table size update after a field, allowed only at the start of a field block',
          'RFC 7541 §4.2',
          from - start,
        )
      } else if (octet >= 0x10) {
        // Literal never indexed: | 0 0 0 1 | index (4+) | (RFC 7541 §6.2.3)
        this.readLiteral('literal-never-indexed', 4, fields, instructions)
      } else {
        // Literal without indexing: | 0 0 0 0 | index (4+) | (RFC 7541 §6.2.2)
        this.readLiteral('literal-without-indexing', 4, fields, instructions)
      }
    }
    // The block is part of a larger chunk that must not be kept alive.
    cursor.octets = NO_OCTETS
    this.source = NO_OCTETS
  }

  /** Reads the size updates that a block may start with (RFC 7541 §4.2, §6.3). */
  private readSizeUpdates(instructions: HpackInstruction[] | undefined): void {
    const { cursor, table } = this
    while (cursor.position < cursor.end && (cursor.octets[cursor.position]! & 0xe0) === 0x20) {
      const from = cursor.position
      const size = readInteger(cursor, 5)
      if (size > this.allowedTableSize) {
        throw compressionError(
          `dynamic table size update to ${size} octets, allowed ${this.allowedTableSize}`,
          'RFC 7541 §6.3',
          from - cursor.start,
        )
      }
      if (size <= this.lowestTableSize) this.lowestTableSize = this.allowedTableSize
      table.setMaxSize(size)
      instructions?.push({
        kind: 'size-update',
        maxSizeOctets: size,
        start: from - cursor.start,
        end: cursor.position - cursor.start,
      })
    }
    if (table.maxSizeOctets > this.lowestTableSize) {
      throw compressionError(
        `no dynamic table size update to at most ${this.lowestTableSize} octets at the start of the field block ` +
          `after the maximum was lowered; the table may still use ${table.maxSizeOctets}`,
        'RFC 7541 §4.2',
        0,
      )
    }
    this.lowestTableSize = this.allowedTableSize
  }

  /** Reads a literal field whose index has a prefix of `prefixBits` bits (RFC 7541 §6.2). */
  private readLiteral(
    representation: Representation,
    prefixBits: number,
    fields: string[],
    instructions: HpackInstruction[] | undefined,
  ): void {
    const { cursor, table } = this
    const from = cursor.position
    const index = readInteger(cursor, prefixBits)
    let name: string
    let nameHuffman = false
    if (index === 0) {
      this.readString('name')
      name = this.text()
      nameHuffman = this.huffman
    } else {
      const age = index - STATIC_TABLE_LENGTH - 1
      if (age >= table.length) throw this.noSuchIndex(index, from)
      name = age < 0 ? staticNames[index]! : table.name(age)
    }
    this.readString('value')
    const ordinal = fields.length >> 1
    const fits = this.count(name.length + this.sourceEnd - this.sourceStart)
    const indexing = representation === 'literal-incremental-indexing'
    if (!fits && !indexing) return
    const value = this.text()
    if (indexing) table.add(name, value)
    if (!fits) return
    if (representation === 'literal-never-indexed') this.neverIndexed.push(ordinal)
    fields.push(name, value)
    instructions?.push({
      kind: 'field',
      representation,
      name,
      value,
      index,
      nameHuffman,
      valueHuffman: this.huffman,
      start: from - cursor.start,
      end: cursor.position - cursor.start,
    })
  }

  /** Counts a field; false if it is above the header list limit. */
  private count(sizeOctets: number): boolean {
    this.headerListSizeOctets += sizeOctets + ENTRY_OVERHEAD_OCTETS
    if (this.headerListSizeOctets > this.maxHeaderListSizeOctets) this.overflowed = true
    return !this.overflowed
  }

  /** Reads a string literal (RFC 7541 §5.2): | H | length (7+) | octets |. {@link text} makes the string. */
  private readString(what: string): void {
    const { cursor } = this
    const from = cursor.position
    if (from >= cursor.end) {
      throw compressionError(
        `field block ends before the ${what} of a literal`,
        'RFC 7541 §5.2',
        from - cursor.start,
      )
    }
    this.huffman = cursor.octets[from]! >= 0x80
    const length = readInteger(cursor, 7)
    const start = cursor.position
    const end = start + length
    if (end > cursor.end) {
      throw compressionError(
        `${what} of ${length} octets, but only ${cursor.end - start} are left in the field block`,
        'RFC 7541 §5.2',
        from - cursor.start,
      )
    }
    cursor.position = end
    if (this.huffman) {
      const room = maxDecodedLength(length)
      if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room)
      this.source = scratch
      this.sourceStart = 0
      this.sourceEnd = decodeHuffman(cursor.octets, start, end, scratch, 0, cursor.start)
    } else {
      this.source = cursor.octets
      this.sourceStart = start
      this.sourceEnd = end
    }
  }

  /** The string that {@link readString} found, one character an octet. */
  private text(): string {
    return latin1Slice.call(this.source, this.sourceStart, this.sourceEnd)
  }

  private noSuchIndex(index: number, from: number): Error {
    const offset = from - this.cursor.start
    if (index === 0) return compressionError('index 0, which is not used', 'RFC 7541 §6.1', offset)
    return compressionError(
      `index ${index}, but static and dynamic table end at ${STATIC_TABLE_LENGTH + this.table.length}`,
      'RFC 7541 §2.3.3',
      offset,
    )
  }
}
