/**
 * The encoder's dynamic table: one that also finds an entry by name and value.
 *
 * All that is known of a name is in one record: its place in the static table, its entries in the dynamic
 * table, how its fields are to be sent. So a field takes one look-up of its name and then comparisons of
 * values; no key is built from name and value, which is what makes repeated fields cheap.
 */
import { DynamicTable, ENTRY_OVERHEAD_OCTETS, type HpackTableEntry } from './dynamic-table.ts'
import { STATIC_TABLE_LENGTH, type StaticName, staticTableByName } from './static-table.ts'

/** For how many fields of a list the record of the list before is remembered. */
const MAX_RECENT = 32

/** How fields of a name enter the dynamic table. */
export type Indexing = 'incremental' | 'without' | 'never'

/** An entry among those of its name. */
interface Link extends HpackTableEntry {
  readonly record: NameRecord
  /** How many entries were added to the table before it. */
  readonly number: number
  newer: Link | undefined
  older: Link | undefined
}

/** What is known of a name. */
export interface NameRecord {
  readonly name: string
  readonly indexing: Indexing
  readonly staticName: StaticName | undefined
  /** Its entries in the dynamic table. */
  newest: Link | undefined
  oldest: Link | undefined
  /** Octets of the name as a literal, once it was sent so. */
  nameOctets: Uint8Array | undefined
  /** The last literal sent with this name, without indexing: its value, and its octets once it was repeated. */
  lastValue: string | undefined
  lastOctets: Uint8Array | undefined
  /** False once it is forgotten, with the last entry of a name that is not known beforehand. */
  isKept: boolean
}

/** A dynamic table with a record for each name that is in it, or that is known beforehand. */
export class SearchableTable extends DynamicTable<Link> {
  private readonly records: Map<string, NameRecord>
  /** The records of the first fields of the lists before, by their place. */
  private readonly recent: (NameRecord | undefined)[]
  private readonly indexing: ReadonlyMap<string, Indexing>

  /** @param indexing how fields of some names are sent; all others are indexed */
  constructor(maxSizeOctets: number, indexing: ReadonlyMap<string, Indexing>) {
    super(maxSizeOctets)
    this.records = new Map()
    this.recent = []
    this.indexing = indexing
  }

  /**
   * The record of this name. It is kept only while needed: names may come from a peer, without end.
   *
   * @param ordinal place of the field in its list. The field at this place of the list before often has the
   *   same name, and to compare with it is faster than to look the name up.
   */
  record(name: string, ordinal: number): NameRecord {
    const before = this.recent[ordinal]
    if (before !== undefined && before.name === name && before.isKept) return before
    const record = this.records.get(name) ?? this.makeRecord(name)
    if (ordinal < MAX_RECENT) this.recent[ordinal] = record
    return record
  }

  private makeRecord(name: string): NameRecord {
    const made: NameRecord = {
      name,
      indexing: this.indexing.get(name) ?? 'incremental',
      staticName: staticTableByName.get(name),
      newest: undefined,
      oldest: undefined,
      nameOctets: undefined,
      lastValue: undefined,
      lastOctets: undefined,
      isKept: false,
    }
    if (this.isKnownBeforehand(made)) this.keep(made)
    return made
  }

  private keep(record: NameRecord): void {
    record.isKept = true
    this.records.set(record.name, record)
  }

  /** Index of the field with this value, 0 if no table has it (RFC 7541 §2.3.3). */
  findField(record: NameRecord, value: string): number {
    const { staticName } = record
    if (staticName !== undefined) {
      for (let i = 0; i < staticName.values.length; i++) {
        if (staticName.values[i] === value) return staticName.index + i
      }
    }
    for (let link = record.newest; link !== undefined; link = link.older) {
      if (link.value === value) return STATIC_TABLE_LENGTH + this.added - link.number
    }
    return 0
  }

  /** Index of a field with this name, 0 if there is none. */
  findName(record: NameRecord): number {
    if (record.staticName !== undefined) return record.staticName.index
    return record.newest === undefined ? 0 : STATIC_TABLE_LENGTH + this.added - record.newest.number
  }

  /** Adds an entry as {@link DynamicTable.add} does, so that it will be found. */
  addTo(record: NameRecord, value: string): void {
    const { name } = record
    const sizeOctets = ENTRY_OVERHEAD_OCTETS + name.length + value.length
    const link: Link = {
      name,
      value,
      sizeOctets,
      record,
      number: this.added,
      newer: undefined,
      older: undefined,
    }
    this.add(link)
    if (this.added === link.number) return
    // Only now, as others of the name may have been evicted.
    link.older = record.newest
    if (record.newest === undefined) record.oldest = link
    else record.newest.newer = link
    record.newest = link
    if (!record.isKept) this.keep(record)
  }

  /** The table is first in, first out, so the entry that leaves is the oldest of its name. */
  protected override evicted({ record, newer }: Link): void {
    record.oldest = newer
    if (newer !== undefined) {
      newer.older = undefined
      return
    }
    record.newest = undefined
    if (this.isKnownBeforehand(record)) return
    record.isKept = false
    this.records.delete(record.name)
  }

  private isKnownBeforehand(record: NameRecord): boolean {
    return record.staticName !== undefined || record.indexing !== 'incremental'
  }
}
