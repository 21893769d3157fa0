/**
 * The dynamic table: fields seen before on this connection, newest first (RFC 7541 §2.3.2, §4).
 *
 * A ring of entries: adding and evicting move none of them. It does not search; see
 * `searchable-table.ts` for the encoder's side.
 */

/** What an entry costs besides its name and value (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD_OCTETS = 32

/** Maximum size of the dynamic table until a setting changes it (RFC 9113 §6.5.2). */
export const DEFAULT_MAX_TABLE_SIZE_OCTETS = 4096

/** One entry of a dynamic table. */
export interface HpackTableEntry {
  /** Field name, in lower case. */
  readonly name: string
  /** Field value, one character an octet. */
  readonly value: string
  /** What it costs: its name, its value and 32 octets (RFC 7541 §4.1). */
  readonly sizeOctets: number
}

/** What a dynamic table holds at one moment, newest entry (index 62) first. */
export interface HpackTableState {
  /** Newest first: index 62 is at 0. */
  readonly entries: readonly HpackTableEntry[]
  /** Size as RFC 7541 §4.1 counts it: names, values and 32 octets an entry. */
  readonly sizeOctets: number
  /** The size that entries are evicted to keep (RFC 7541 §4.2). */
  readonly maxSizeOctets: number
}

/** Makes an entry. All are made here, so that all have the same shape. */
export function tableEntry(name: string, value: string): HpackTableEntry {
  return { name, value, sizeOctets: ENTRY_OVERHEAD_OCTETS + name.length + value.length }
}

/** In a slot of the ring that has no entry. */
const NO_ENTRY = tableEntry('', '')
const MIN_SLOTS = 8
/** Of all tables in which nothing has been yet; never written to. */
const NO_SLOTS: HpackTableEntry[] = []

/** A first-in, first-out table of fields bounded by its size in octets. */
export class DynamicTable<Entry extends HpackTableEntry = HpackTableEntry> {
  /** The entry added as number `n` is in slot `n & mask`; none before the first one. */
  private slots: HpackTableEntry[]
  private mask: number
  /** How many entries are in the table. */
  length: number
  /** How many entries were ever added; the newest one has number `added - 1`. */
  added: number
  sizeOctets: number
  maxSizeOctets: number
  /** Counts changes: while it stays the same, every index means the same field. */
  version: number

  constructor(maxSizeOctets: number) {
    this.slots = NO_SLOTS
    this.mask = -1
    this.length = 0
    this.added = 0
    this.sizeOctets = 0
    this.maxSizeOctets = maxSizeOctets
    this.version = 0
  }

  /** The entry that is `age` entries older than the newest; `age` must be below `length`. */
  entry(age: number): Entry {
    return this.slots[(this.added - 1 - age) & this.mask] as Entry
  }

  /**
   * Adds an entry and evicts the oldest ones as needed. One larger than the whole table empties it and is
   * not added, which is no error (RFC 7541 §4.4).
   */
  add(entry: Entry): void {
    if (entry.sizeOctets > this.maxSizeOctets) {
      this.clear()
      return
    }
    this.version++
    this.evictTo(this.maxSizeOctets - entry.sizeOctets)
    if (this.length > this.mask) this.grow()
    this.slots[this.added & this.mask] = entry
    this.added++
    this.length++
    this.sizeOctets += entry.sizeOctets
  }

  /** Sets the maximum size and evicts what no longer fits (RFC 7541 §4.3). */
  setMaxSize(maxSizeOctets: number): void {
    this.version++
    this.maxSizeOctets = maxSizeOctets
    this.evictTo(maxSizeOctets)
  }

  /** Evicts everything. */
  clear(): void {
    this.version++
    this.evictTo(0)
  }

  /** A copy of what the table holds now. */
  state(): HpackTableState {
    const entries: HpackTableEntry[] = []
    for (let age = 0; age < this.length; age++) {
      const { name, value } = this.entry(age)
      entries.push(tableEntry(name, value))
    }
    return { entries, sizeOctets: this.sizeOctets, maxSizeOctets: this.maxSizeOctets }
  }

  /** Evicts the oldest entries until at most `sizeOctets` are used. */
  private evictTo(sizeOctets: number): void {
    while (this.sizeOctets > sizeOctets) {
      const oldest = this.entry(this.length - 1)
      this.slots[(this.added - this.length) & this.mask] = NO_ENTRY
      this.length--
      this.sizeOctets -= oldest.sizeOctets
      this.evicted(oldest)
    }
  }

  /** Called for each entry that has left the table, oldest first. */
  protected evicted(_entry: Entry): void {}

  private grow(): void {
    const capacity = Math.max(MIN_SLOTS, (this.mask + 1) * 2)
    const slots: HpackTableEntry[] = new Array(capacity).fill(NO_ENTRY)
    for (let number = this.added - this.length; number < this.added; number++) {
      slots[number & (capacity - 1)] = this.slots[number & this.mask]!
    }
    this.slots = slots
    this.mask = capacity - 1
  }
}
