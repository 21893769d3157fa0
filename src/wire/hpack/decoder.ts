/**
 * HPACK decoder: field blocks to fields (RFC 7541 §3.2, §6). One for each direction of a connection.
 *
 * It does not judge names and values as HTTP does (RFC 9113 §8.2): that is the field section's business.
 * Octets become characters one to one (latin1), so nothing is lost and text in UTF-8 can be restored.
 */
import type { WireError } from '../wire-error.ts'
import { compressionError } from './compression-error.ts'
import {
  DEFAULT_MAX_TABLE_SIZE_OCTETS,
  DynamicTable,
  ENTRY_OVERHEAD_OCTETS,
  type HpackTableState,
  tableEntry,
} from './dynamic-table.ts'
import { type BlockCursor, readInteger } from './integer.ts'
import { RepeatCache, repeatHash } from './repeat-cache.ts'
import type { HpackBlock, HpackInstruction, Representation } from './representation.ts'
import { STATIC_TABLE_LENGTH, staticEntries } from './static-table.ts'
import { StringReader } from './string-literal.ts'

/** Limits of an {@link HpackDecoder}. */
export interface HpackDecoderOptions {
  /**
   * Largest dynamic table the peer's encoder may use from the start, in octets; default 4096, as in HTTP/2
   * before any SETTINGS (RFC 9113 §6.5.2). A setting that changes it later goes to
   * {@link HpackDecoder.setMaxTableSize}.
   */
  maxTableSizeOctets?: number | undefined
  /**
   * Largest uncompressed size of the fields of one block, in octets: names, values and 32 for each field
   * (RFC 9113 §6.5.2); default 16384. `Infinity` takes all.
   */
  maxHeaderListSizeOctets?: number | undefined
}

/** What a block that came before was decoded to. */
interface DecodedBlock {
  /** {@link DynamicTable.version} it was decoded with: with another one its indices mean other fields. */
  readonly version: number
  readonly fields: readonly string[]
  readonly headerListSizeOctets: number
  readonly neverIndexed: readonly number[]
}

const DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS = 16384
const FIRST_DYNAMIC_INDEX = STATIC_TABLE_LENGTH + 1
const NO_OCTETS: Uint8Array = Buffer.alloc(0)

/** Where so many blocks in a row were new, because a field differs each time, only some are looked up. */
const MANY_NEW_BLOCKS = 64
const LOOK_EVERY = 16

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
  /** The first `neverCount` of them are of the last block; the list is used again for the next. */
  private readonly neverOrdinals: number[]
  private neverCount: number
  private readonly table: DynamicTable
  /** Maximum that our acknowledged SETTINGS_HEADER_TABLE_SIZE allows. */
  private allowedTableSize: number
  /** The lowest maximum set since the last block, infinite if none was: the peer's table must have been that small. */
  private lowestTableSize: number
  private readonly cursor: BlockCursor
  /** The last block if it had come before. */
  private knownBlock: DecodedBlock | undefined
  private readonly strings: StringReader
  private readonly blocks: RepeatCache<DecodedBlock>
  /** How many blocks in a row had not come before. */
  private newBlocks: number

  constructor(options: HpackDecoderOptions = {}) {
    this.allowedTableSize = options.maxTableSizeOctets ?? DEFAULT_MAX_TABLE_SIZE_OCTETS
    this.lowestTableSize = Number.POSITIVE_INFINITY
    this.maxHeaderListSizeOctets = options.maxHeaderListSizeOctets ?? DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS
    this.overflowed = false
    this.headerListSizeOctets = 0
    this.neverOrdinals = []
    this.neverCount = 0
    this.knownBlock = undefined
    this.table = new DynamicTable(this.allowedTableSize)
    this.cursor = { octets: NO_OCTETS, start: 0, end: 0, position: 0 }
    this.strings = new StringReader()
    this.blocks = new RepeatCache()
    this.newBlocks = 0
  }

  /**
   * Which fields of the last block, counted from 0, must never be indexed. Pass it to
   * {@link HpackEncoder.encode} when forwarding (RFC 7541 §7.1.3).
   */
  get neverIndexed(): readonly number[] {
    return this.knownBlock?.neverIndexed ?? this.neverOrdinals.slice(0, this.neverCount)
  }

  /**
   * Decodes one complete field block: octets `start` to `end` of `block`.
   *
   * A block that comes again while the dynamic table stays the same gives the same list again, so the list
   * must not be changed (it is frozen then), and what was learnt from it can be kept by its identity.
   *
   * @returns name, value, name, value in the order sent. When {@link HpackDecoder.overflowed} is true
   *   afterwards, only the fields up to the limit.
   * @throws WireError with COMPRESSION_ERROR and scope `connection` if the block breaks RFC 7541
   */
  decode(block: Uint8Array, start = 0, end: number = block.length): readonly string[] {
    const { blocks, table } = this
    const seldom = this.newBlocks > MANY_NEW_BLOCKS && this.newBlocks % LOOK_EVERY !== 0
    const hash = seldom ? 0 : repeatHash(block, start, end)
    const known = hash === 0 ? undefined : blocks.find(hash, block, start, end)
    if (
      known !== undefined &&
      known.version === table.version &&
      known.headerListSizeOctets <= this.maxHeaderListSizeOctets
    ) {
      this.overflowed = false
      this.headerListSizeOctets = known.headerListSizeOctets
      this.knownBlock = known
      this.newBlocks = 0
      return known.fields
    }
    this.newBlocks++
    const { version } = table
    const fields: string[] = []
    this.run(block, start, end, fields, undefined)
    if (
      hash !== 0 &&
      version === table.version &&
      !this.overflowed &&
      (known !== undefined || blocks.isRepeated(hash))
    ) {
      blocks.keep(hash, block, start, end, {
        version,
        fields: Object.freeze(fields),
        headerListSizeOctets: this.headerListSizeOctets,
        neverIndexed: Object.freeze(this.neverIndexed),
      })
    }
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
    if (sizeOctets < this.allowedTableSize && sizeOctets < this.lowestTableSize)
      this.lowestTableSize = sizeOctets
    this.allowedTableSize = sizeOctets
    // Blocks that were right before may lack the size update now.
    this.table.version++
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
    const { table, cursor, strings } = this
    cursor.octets = block
    cursor.start = start
    cursor.end = end
    cursor.position = start
    this.overflowed = false
    this.headerListSizeOctets = 0
    this.knownBlock = undefined
    this.neverCount = 0
    if (start < end) this.readSizeUpdates(instructions)
    let { position } = cursor
    while (position < end) {
      const octet = block[position]!
      if (octet >= 0x80) {
        // Indexed field: | 1 | index (7+) | (RFC 7541 §6.1)
        const from = position
        let index = octet & 0x7f
        position++
        if (index === 0x7f) {
          cursor.position = from
          index = readInteger(cursor, 7)
          position = cursor.position
        }
        const age = index - FIRST_DYNAMIC_INDEX
        if (index === 0 || age >= table.length) throw this.noSuchIndex(index, from)
        const entry = age < 0 ? staticEntries[index]! : table.entry(age)
        this.headerListSizeOctets += entry.sizeOctets
        if (this.headerListSizeOctets > this.maxHeaderListSizeOctets) {
          this.overflowed = true
          continue
        }
        fields.push(entry.name, entry.value)
        if (instructions !== undefined) {
          cursor.position = position
          this.record(instructions, from, 'indexed', entry.name, entry.value, index, false, false)
        }
        continue
      }
      cursor.position = position
      if (octet >= 0x40) {
        // Literal with incremental indexing: | 0 1 | index (6+) | (RFC 7541 §6.2.1)
        this.readLiteral('literal-incremental-indexing', 6, fields, instructions)
      } else if (octet >= 0x20) {
        // Dynamic table size update: | 0 0 1 | size (5+) | (RFC 7541 §6.3)
        throw compressionError(
          'dynamic table size update after a field, allowed only at the start of a field block',
          'RFC 7541 §4.2',
          position - start,
        )
      } else if (octet >= 0x10) {
        // Literal never indexed: | 0 0 0 1 | index (4+) | (RFC 7541 §6.2.3)
        this.readLiteral('literal-never-indexed', 4, fields, instructions)
      } else {
        // Literal without indexing: | 0 0 0 0 | index (4+) | (RFC 7541 §6.2.2)
        this.readLiteral('literal-without-indexing', 4, fields, instructions)
      }
      position = cursor.position
    }
    // The block is part of a larger chunk that must not be kept alive.
    cursor.octets = NO_OCTETS
    strings.release()
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
      if (size <= this.lowestTableSize) this.lowestTableSize = Number.POSITIVE_INFINITY
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
        `no dynamic table size update to at most ${this.lowestTableSize} octets at the start of the field ` +
          `block, needed after the maximum was lowered; the table still has ${table.maxSizeOctets}`,
        'RFC 7541 §4.2',
        0,
      )
    }
    this.lowestTableSize = Number.POSITIVE_INFINITY
  }

  /**
   * Reads a literal field whose index has a prefix of `prefixBits` bits (RFC 7541 §6.2).
   *
   * Above the header list limit its strings are checked and counted, and made only for the dynamic table.
   */
  private readLiteral(
    representation: Representation,
    prefixBits: number,
    fields: string[],
    instructions: HpackInstruction[] | undefined,
  ): void {
    const { cursor, table, strings } = this
    const from = cursor.position
    const room = representation === 'literal-incremental-indexing' ? table.maxSizeOctets : 0
    const index = readInteger(cursor, prefixBits)
    let name = ''
    let nameLength: number
    let nameHuffman = false
    if (index === 0) {
      const known = strings.read(cursor, 'name')
      nameHuffman = strings.huffman
      nameLength = strings.length
      const size = nameLength + ENTRY_OVERHEAD_OCTETS
      if (known !== undefined) name = known
      else if (this.headerListSizeOctets + size <= this.maxHeaderListSizeOctets || size <= room) {
        name = strings.text(cursor)
      }
    } else {
      const age = index - FIRST_DYNAMIC_INDEX
      if (age >= table.length) throw this.noSuchIndex(index, from)
      name = age < 0 ? staticEntries[index]!.name : table.entry(age).name
      nameLength = name.length
    }
    let value = strings.read(cursor, 'value')
    const size = nameLength + strings.length
    const fits = this.count(size)
    value ??= fits || size + ENTRY_OVERHEAD_OCTETS <= room ? strings.text(cursor) : ''
    if (representation === 'literal-incremental-indexing') {
      if (size + ENTRY_OVERHEAD_OCTETS <= room) table.add(tableEntry(name, value))
      // One that is larger than the table empties it, which is no error (RFC 7541 §4.4).
      else table.clear()
    }
    if (!fits) return
    if (representation === 'literal-never-indexed') this.neverOrdinals[this.neverCount++] = fields.length >> 1
    fields.push(name, value)
    if (instructions !== undefined) {
      this.record(instructions, from, representation, name, value, index, nameHuffman, strings.huffman)
    }
  }

  /** Counts a field; false if it is above the header list limit. */
  private count(sizeOctets: number): boolean {
    this.headerListSizeOctets += sizeOctets + ENTRY_OVERHEAD_OCTETS
    if (this.headerListSizeOctets <= this.maxHeaderListSizeOctets) return true
    this.overflowed = true
    return false
  }

  private record(
    instructions: HpackInstruction[],
    from: number,
    representation: Representation,
    name: string,
    value: string,
    index: number,
    nameHuffman: boolean,
    valueHuffman: boolean,
  ): void {
    const { start, position } = this.cursor
    instructions.push({
      kind: 'field',
      representation,
      name,
      value,
      index,
      nameHuffman,
      valueHuffman,
      start: from - start,
      end: position - start,
    })
  }

  private noSuchIndex(index: number, from: number): WireError {
    const offset = from - this.cursor.start
    if (index === 0)
      return compressionError('indexed field with index 0, which means nothing', 'RFC 7541 §6.1', offset)
    return compressionError(
      `index ${index}, but static and dynamic table end at ${STATIC_TABLE_LENGTH + this.table.length}`,
      'RFC 7541 §2.3.3',
      offset,
    )
  }
}
