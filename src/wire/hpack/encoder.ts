/**
 * HPACK encoder: fields to field blocks (RFC 7541 §6, §7). One for each direction of a connection.
 *
 * It chooses a representation for each field: an index where a table has the field, a never-indexed literal
 * for secrets, a literal without indexing for what will not come again, and else a literal that enters the
 * dynamic table. Strings are Huffman-coded where that is shorter.
 */
import type { OctetWriter } from '../octets.ts'
import { splitCookieCrumbs } from './cookie-crumbs.ts'
import {
  DEFAULT_MAX_TABLE_SIZE_OCTETS,
  ENTRY_OVERHEAD_OCTETS,
  type HpackTableState,
} from './dynamic-table.ts'
import { sensitiveFieldNames, unindexedFieldNames } from './field-policy.ts'
import { writeInteger } from './integer.ts'
import { type Indexing, type NameRecord, SearchableTable } from './searchable-table.ts'
import { writeString } from './string-literal.ts'

/** Choices of an {@link HpackEncoder}. */
export interface HpackEncoderOptions {
  /** Largest dynamic table to use even if the peer allows more, in octets; default 4096. */
  maxTableSizeOctets?: number | undefined
  /** Names of further fields with secrets, never indexed; always: authorization, proxy-authorization, cookie, set-cookie. */
  sensitiveNames?: Iterable<string> | undefined
  /** Names of further fields that differ each time, not put into the table; always: {@link unindexedFieldNames}. */
  unindexedNames?: Iterable<string> | undefined
  /** True to send each pair of a `cookie` field as a field of its own (RFC 9113 §8.2.3); default false. */
  splitCookies?: boolean | undefined
}

/** Literals longer than this are not kept for the next time. */
const MAX_KEPT_OCTETS = 2048

/** Lists that are known with their octets, at most: the headers and trailers of a few methods. */
const MAX_KNOWN_LISTS = 4
/** Where more lists than that take turns, only one in so many takes the place of another: each costs a copy. */
const REPLACE_EVERY = 64

/** A list that can't change, and its field block while the dynamic table stays the same. */
interface KnownList {
  readonly fields: readonly string[]
  readonly version: number
  readonly octets: Uint8Array
}

const defaultIndexing = indexingByName([], [])

/**
 * Encodes the field blocks of one direction of a connection, in the order they are sent.
 *
 * @example
 * const encoder = new HpackEncoder()
 * const out = new OctetWriter()
 * encoder.encode([':method', 'GET', ':scheme', 'http'], out)
 * out.take() // Uint8Array [0x82, 0x86]
 */
export class HpackEncoder {
  private readonly table: SearchableTable
  private readonly ownMaxTableSize: number
  /** What the peer's settings allow. */
  private peerMaxTableSize: number
  /** The lowest maximum since the last block, -1 if it has not changed (RFC 7541 §4.2). */
  private lowestTableSize: number
  private readonly splitCookies: boolean
  /** Made with the first frozen list that comes again. */
  private known: KnownList[] | undefined
  /** How many lists were not kept for want of a place. */
  private unkept: number

  constructor(options: HpackEncoderOptions = {}) {
    this.ownMaxTableSize = options.maxTableSizeOctets ?? DEFAULT_MAX_TABLE_SIZE_OCTETS
    this.peerMaxTableSize = DEFAULT_MAX_TABLE_SIZE_OCTETS
    const { unindexedNames, sensitiveNames } = options
    const indexing =
      unindexedNames === undefined && sensitiveNames === undefined
        ? defaultIndexing
        : indexingByName(unindexedNames ?? [], sensitiveNames ?? [])
    this.table = new SearchableTable(DEFAULT_MAX_TABLE_SIZE_OCTETS, indexing)
    this.lowestTableSize = -1
    this.splitCookies = options.splitCookies ?? false
    this.known = undefined
    this.unkept = 0
    if (this.ownMaxTableSize < DEFAULT_MAX_TABLE_SIZE_OCTETS) this.setMaxTableSize(this.peerMaxTableSize)
  }

  /**
   * Appends the field block for `fields` to `out`. A frozen list that comes again is not encoded again, as long as the
   * dynamic table stays the same (`encode response, frozen` in bench/wire/hpack.ts).
   *
   * @param fields name, value, name, value; each character is one octet, so U+0000 to U+00FF
   * @param neverIndexed fields, counted from 0 in ascending order, that must not be indexed: those that
   *   arrived so ({@link HpackDecoder.neverIndexed}) and are forwarded (RFC 7541 §6.2.3)
   * @throws TypeError if a character is above U+00FF or a value is missing. Nothing is appended then, and the
   *   next block empties the tables, so the connection can go on.
   */
  encode(fields: readonly string[], out: OctetWriter, neverIndexed?: readonly number[]): void {
    if (!Object.isFrozen(fields) || neverIndexed !== undefined || this.lowestTableSize >= 0) {
      this.encodeList(fields, out, neverIndexed)
    } else if (this.known === undefined || !this.writeKnown(fields, out)) {
      const from = out.length
      const { version } = this.table
      // A copy, because the loop below is faster while it meets arrays of one kind only (bench/wire/hpack.ts).
      this.encodeList([...fields], out, undefined)
      if (version === this.table.version) this.keepKnown(fields, out, from)
    }
  }

  private encodeList(
    fields: readonly string[],
    out: OctetWriter,
    neverIndexed: readonly number[] | undefined,
  ): void {
    const from = out.length
    try {
      if (fields.length % 2 !== 0)
        throw new TypeError(`Field ${JSON.stringify(fields.at(-1))} has a name but no value`)
      if (this.lowestTableSize >= 0) this.writeSizeUpdates(out)
      let marked = 0
      for (let i = 0; i < fields.length; i += 2) {
        const name = fields[i]!
        const value = fields[i + 1]!
        const record = this.table.record(name, i >> 1)
        let indexing = record.indexing
        if (neverIndexed !== undefined && neverIndexed[marked] === i >> 1) {
          indexing = 'never'
          marked++
        }
        if (this.splitCookies && name === 'cookie') {
          for (const crumb of splitCookieCrumbs(value)) this.writeField(record, crumb, indexing, out)
        } else {
          this.writeField(record, value, indexing, out)
        }
      }
    } catch (error) {
      out.length = from
      // Entries of this block are in our table but will never be in the peer's: both start again from empty.
      this.table.setMaxSize(0)
      this.lowestTableSize = 0
      throw error
    }
  }

  /**
   * Takes the peer's SETTINGS_HEADER_TABLE_SIZE; to be called when the SETTINGS that we acknowledge say so.
   * The next block starts with the size updates that follow from it (RFC 7541 §4.2, RFC 9113 §4.3.1).
   */
  setMaxTableSize(sizeOctets: number): void {
    const size = Math.min(sizeOctets, this.ownMaxTableSize)
    const lowered = sizeOctets < this.peerMaxTableSize
    this.peerMaxTableSize = sizeOctets
    // A lowered maximum is answered by an update even if our table was smaller anyway.
    if (!lowered && size === this.table.maxSizeOctets) return
    if (this.lowestTableSize < 0 || size < this.lowestTableSize) this.lowestTableSize = size
    this.table.setMaxSize(size)
  }

  /** A copy of the dynamic table. */
  tableState(): HpackTableState {
    return this.table.state()
  }

  private writeKnown(fields: readonly string[], out: OctetWriter): boolean {
    const known = this.known!
    for (let i = 0; i < known.length; i++) {
      const list = known[i]!
      if (list.fields !== fields) continue
      if (list.version !== this.table.version) return false
      out.octets(list.octets)
      return true
    }
    return false
  }

  private keepKnown(fields: readonly string[], out: OctetWriter, from: number): void {
    if (out.length - from > MAX_KEPT_OCTETS) return
    this.known ??= []
    const { known } = this
    const { version } = this.table
    let place = known.findIndex((each) => each.fields === fields)
    if (place < 0) place = known.findIndex((each) => each.version !== version)
    if (place < 0 && known.length < MAX_KNOWN_LISTS) place = known.length
    if (place < 0) {
      if (++this.unkept % REPLACE_EVERY !== 0) return
      place = (this.unkept / REPLACE_EVERY) % MAX_KNOWN_LISTS
    }
    const octets = new Uint8Array(out.buffer.subarray(from, out.length))
    known[place] = { fields, version, octets }
  }

  /** Writes the lowest and the final maximum since the last block (RFC 7541 §4.2, §6.3). */
  private writeSizeUpdates(out: OctetWriter): void {
    const size = Math.min(this.peerMaxTableSize, this.ownMaxTableSize)
    this.table.setMaxSize(size)
    if (this.lowestTableSize < size) writeInteger(out, 0x20, 5, this.lowestTableSize)
    writeInteger(out, 0x20, 5, size)
    this.lowestTableSize = -1
  }

  private writeField(record: NameRecord, value: string, indexing: Indexing, out: OctetWriter): void {
    if (indexing !== 'never') {
      const index = this.table.findField(record, value)
      if (index > 0) {
        // Indexed field: | 1 | index (7+) | (RFC 7541 §6.1)
        writeInteger(out, 0x80, 7, index)
        return
      }
    }
    if (indexing === 'incremental' && this.isWorthAnEntry(record.name, value)) {
      // Literal with incremental indexing: | 0 1 | index (6+) | (RFC 7541 §6.2.1)
      this.writeLiteral(0x40, 6, record, value, out)
      this.table.addTo(record, value)
    } else if (
      indexing === record.indexing &&
      this.table.findName(record) === (record.staticName?.index ?? 0)
    ) {
      this.writeRepeatableLiteral(record, value, out)
    } else {
      this.writeLiteral(indexing === 'never' ? 0x10 : 0x00, 4, record, value, out)
    }
  }

  /**
   * Writes a literal that leaves the table alone and names nothing in it: its octets stay the same, so those
   * of a repeated value, such as a credential, are kept from its second time on.
   *
   * To copy them takes a fraction of coding them (`encode request` in bench/wire/hpack.ts).
   */
  private writeRepeatableLiteral(record: NameRecord, value: string, out: OctetWriter): void {
    const repeated = value === record.lastValue
    if (repeated && record.lastOctets !== undefined) {
      out.octets(record.lastOctets)
      return
    }
    const from = out.length
    // Never indexed: | 0 0 0 1 | index (4+) | (RFC 7541 §6.2.3), without indexing: | 0 0 0 0 | … (§6.2.2)
    this.writeLiteral(record.indexing === 'never' ? 0x10 : 0x00, 4, record, value, out)
    record.lastValue = value
    record.lastOctets =
      repeated && out.length - from <= MAX_KEPT_OCTETS
        ? new Uint8Array(out.buffer.subarray(from, out.length))
        : undefined
  }

  private writeLiteral(
    pattern: number,
    prefixBits: number,
    record: NameRecord,
    value: string,
    out: OctetWriter,
  ): void {
    const nameIndex = this.table.findName(record)
    writeInteger(out, pattern, prefixBits, nameIndex)
    if (nameIndex === 0) {
      if (record.nameOctets !== undefined) out.octets(record.nameOctets)
      else this.writeName(record, out)
    }
    writeString(value, record.name, out)
  }

  /** Writes a literal name, and keeps its octets if it will never get into the table. */
  private writeName(record: NameRecord, out: OctetWriter): void {
    const from = out.length
    writeString(record.name, record.name, out)
    if (record.indexing !== 'incremental')
      record.nameOctets = new Uint8Array(out.buffer.subarray(from, out.length))
  }

  /** False for a field that would drive out half of the table or more. */
  private isWorthAnEntry(name: string, value: string): boolean {
    return (ENTRY_OVERHEAD_OCTETS + name.length + value.length) * 2 <= this.table.maxSizeOctets
  }
}

/** How fields of some names are sent; a sensitive one is never indexed whatever else is said of it. */
function indexingByName(
  unindexedNames: Iterable<string>,
  sensitiveNames: Iterable<string>,
): Map<string, Indexing> {
  const indexing = new Map<string, Indexing>()
  for (const name of unindexedFieldNames) indexing.set(name, 'without')
  for (const name of unindexedNames) indexing.set(name, 'without')
  for (const name of sensitiveFieldNames) indexing.set(name, 'never')
  for (const name of sensitiveNames) indexing.set(name, 'never')
  return indexing
}
