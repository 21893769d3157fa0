/**
 * The encoder's dynamic table: one that also finds an entry by name and value.
 *
 * All that is known of a name is in one record: its place in the static table, its entries in the dynamic
 * table, how its fields are to be sent. So a field takes one look-up of its name and then comparisons of
 * values; no key is built from name and value, which is what makes repeated fields cheap.
 */
import { DynamicTable } from './dynamic-table.ts'
import { STATIC_TABLE_LENGTH, type StaticName, staticTableByName } from './static-table.ts'

/** How fields of a name enter the dynamic table. */
export type Indexing = 'incremental' | 'without' | 'never'

/** One entry of the dynamic table among those of its name. */
interface Link {
  readonly value: string
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
}

/** A dynamic table with a record for each name that is in it, or that is known beforehand. */
export class SearchableTable extends DynamicTable {
  private readonly records: Map<string, NameRecord>
  private readonly indexing: ReadonlyMap<string, Indexing>

  /** @param indexing how fields of some names are sent; all others are indexed */
  constructor(maxSizeOctets: number, indexing: ReadonlyMap<string, Indexing>) {
    super(maxSizeOctets)
    this.records = new Map()
    this.indexing = indexing
  }

  /** The record of this name. It is kept only while needed: names may come from a peer, without end. */
  record(name: string): NameRecord {
    const known = this.records.get(name)
    if (known !== undefined) return known
    const made: NameRecord = {
      name,
      indexing: this.indexing.get(name) ?? 'incremental',
      staticName: staticTableByName.get(name),
      newest: undefined,
      oldest: undefined,
      nameOctets: undefined,
      lastValue: undefined,
      lastOctets: undefined,
    }
    if (this.isKnownBeforehand(made)) this.records.set(name, made)
    return made
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
    const number = this.added
    this.add(record.name, value)
    if (this.added === number) return
    const link: Link = { value, number, newer: undefined, older: record.newest }
    if (record.newest === undefined) record.oldest = link
    else record.newest.newer = link
    record.newest = link
    this.records.set(record.name, record)
  }

  /** The table is first in, first out, so the entry that leaves is the oldest of its name. */
  protected override evicted(name: string): void {
    const record = this.records.get(name)!
    const next = record.oldest!.newer
    record.oldest = next
    if (next !== undefined) {
      next.older = undefined
      return
    }
    record.newest = undefined
    if (!this.isKnownBeforehand(record)) this.records.delete(name)
  }

  private isKnownBeforehand(record: NameRecord): boolean {
    return record.staticName !== undefined || record.indexing !== 'incremental'
  }
}
