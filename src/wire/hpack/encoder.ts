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
import { encodeHuffman, huffmanLength } from './huffman.ts'
import { writeInteger } from './integer.ts'
import { SearchableTable } from './searchable-table.ts'
import { STATIC_TABLE_LENGTH, staticTableByName } from './static-table.ts'

/** Choices of an {@link HpackEncoder}. */
export interface HpackEncoderOptions {
  /** Largest dynamic table to use even if the peer allows more, in octets; default 4096. */
  maxTableSizeOctets?: number
  /** Names of further fields with secrets, never indexed; always: authorization, proxy-authorization, cookie, set-cookie. */
  sensitiveNames?: Iterable<string>
  /** Names of further fields that differ each time, not put into the table; always: {@link unindexedFieldNames}. */
  unindexedNames?: Iterable<string>
  /** True to send each pair of a `cookie` field as a field of its own (RFC 9113 §8.2.3); default false. */
  splitCookies?: boolean
}

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
  private readonly sensitive: Set<string>
  private readonly unindexed: Set<string>
  private readonly splitCookies: boolean

  constructor(options: HpackEncoderOptions = {}) {
    this.ownMaxTableSize = options.maxTableSizeOctets ?? DEFAULT_MAX_TABLE_SIZE_OCTETS
    this.peerMaxTableSize = DEFAULT_MAX_TABLE_SIZE_OCTETS
    this.table = new SearchableTable(DEFAULT_MAX_TABLE_SIZE_OCTETS)
    this.lowestTableSize = -1
    this.sensitive = new Set([...sensitiveFieldNames, ...(options.sensitiveNames ?? [])])
    this.unindexed = new Set([...unindexedFieldNames, ...(options.unindexedNames ?? [])])
    this.splitCookies = options.splitCookies ?? false
    if (this.ownMaxTableSize < DEFAULT_MAX_TABLE_SIZE_OCTETS) this.setMaxTableSize(this.peerMaxTableSize)
  }

  /**
   * Appends the field block for `fields` to `out`.
   *
   * @param fields name, value, name, value; each character is one octet, so U+0000 to U+00FF
   * @param neverIndexed fields, counted from 0 in ascending order, that must not be indexed: those that
   *   arrived so ({@link HpackDecoder.neverIndexed}) and are forwarded (RFC 7541 §6.2.3)
   * @throws TypeError if a character is above U+00FF or a value is missing. Nothing is appended then, and the
   *   next block empties the tables, so the connection can go on.
   */
  encode(fields: readonly string[], out: OctetWriter, neverIndexed?: readonly number[]): void {
    const from = out.length
    try {
      if (fields.length % 2 !== 0) throw new TypeError(`Field ${fields.at(-1)} has a name but no value`)
      if (this.lowestTableSize >= 0) this.writeSizeUpdates(out)
      let marked = 0
      for (let i = 0; i < fields.length; i += 2) {
        const name = fields[i]!
        let never = false
        if (neverIndexed !== undefined && neverIndexed[marked] === i >> 1) {
          never = true
          marked++
        }
        if (this.splitCookies && name === 'cookie') {
          for (const crumb of splitCookieCrumbs(fields[i + 1]!)) this.writeField(name, crumb, never, out)
        } else {
          this.writeField(name, fields[i + 1]!, never, out)
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

  /** Writes the lowest and the final maximum since the last block (RFC 7541 §4.2, §6.3). */
  private writeSizeUpdates(out: OctetWriter): void {
    const size = Math.min(this.peerMaxTableSize, this.ownMaxTableSize)
    this.table.setMaxSize(size)
    if (this.lowestTableSize < size) writeInteger(out, 0x20, 5, this.lowestTableSize)
    writeInteger(out, 0x20, 5, size)
    this.lowestTableSize = -1
  }

  private writeField(name: string, value: string, never: boolean, out: OctetWriter): void {
    let nameIndex = 0
    const sensitive = never || this.sensitive.has(name)
    const known = staticTableByName.get(name)
    if (known !== undefined) {
      nameIndex = known.index
      const at = sensitive ? -1 : known.values.indexOf(value)
      if (at >= 0) {
        writeInteger(out, 0x80, 7, known.index + at)
        return
      }
    }
    const chain = this.table.chain(name)
    if (chain !== undefined) {
      const newestIndex = STATIC_TABLE_LENGTH + this.table.added
      if (!sensitive) {
        for (let link = chain.newest; link !== undefined; link = link.older) {
          if (link.value !== value) continue
          writeInteger(out, 0x80, 7, newestIndex - link.number)
          return
        }
      }
      if (nameIndex === 0) nameIndex = newestIndex - chain.newest!.number
    }
    if (sensitive) {
      writeInteger(out, 0x10, 4, nameIndex)
    } else if (this.unindexed.has(name) || this.isTooLarge(name, value)) {
      writeInteger(out, 0x00, 4, nameIndex)
    } else {
      writeInteger(out, 0x40, 6, nameIndex)
      this.table.add(name, value)
    }
    if (nameIndex === 0) writeString(name, out)
    writeString(value, out)
  }

  /** True for a field that would drive out half of the table or more. */
  private isTooLarge(name: string, value: string): boolean {
    return (ENTRY_OVERHEAD_OCTETS + name.length + value.length) * 2 > this.table.maxSizeOctets
  }
}

/** Appends a string literal (RFC 7541 §5.2), Huffman-coded if that is shorter. */
function writeString(text: string, out: OctetWriter): void {
  const coded = huffmanLength(text)
  if (coded < 0) {
    throw new TypeError(
      `Field name or value ${JSON.stringify(text)} has a character above U+00FF; give octets as characters, ` +
        `for UTF-8: Buffer.from(text).toString('latin1')`,
    )
  }
  if (coded < text.length) {
    writeInteger(out, 0x80, 7, coded)
    encodeHuffman(text, out)
    return
  }
  writeInteger(out, 0x00, 7, text.length)
  out.ensure(text.length)
  const { buffer } = out
  let at = out.length
  for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
  out.length = at
}
