/**
 * The dynamic table: fields seen before on this connection, newest first (RFC 7541 §2.3.2, §4).
 *
 * A ring of names and values: adding and evicting move no entry. It does not search; see
 * `searchable-table.ts` for the encoder's side.
 */

/** What an entry costs besides its name and value (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD_OCTETS = 32

/** Maximum size of the dynamic table until a setting changes it (RFC 9113 §6.5.2). */
export const DEFAULT_MAX_TABLE_SIZE_OCTETS = 4096

/** One entry of a dynamic table, as inspectors see it. */
export interface HpackTableEntry {
  /** Field name, in lower case. */
  readonly name: string
  /** Field value, one character an octet. */
  readonly value: string
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

/** A first-in, first-out table of fields bounded by its size in octets. */
export class DynamicTable {
  /** Names and values by slot; the entry added as number `n` is in slot `n & mask`. */
  private names: string[]
  private values: string[]
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
    this.names = ['', '', '', '', '', '', '', '']
    this.values = ['', '', '', '', '', '', '', '']
    this.mask = 7
    this.length = 0
    this.added = 0
    this.sizeOctets = 0
    this.maxSizeOctets = maxSizeOctets
    this.version = 0
  }

  /** Name of the entry that is `age` entries older than the newest; `age` must be below `length`. */
  name(age: number): string {
    return this.names[(this.added - 1 - age) & this.mask]!
  }

  /** Value of the entry that is `age` entries older than the newest; `age` must be below `length`. */
  value(age: number): string {
    return this.values[(this.added - 1 - age) & this.mask]!
  }

  /**
   * Adds an entry and evicts the oldest ones as needed. One larger than the whole table empties it and is
   * not added, which is no error (RFC 7541 §4.4).
   */
  add(name: string, value: string): void {
    const entrySize = ENTRY_OVERHEAD_OCTETS + name.length + value.length
    this.version++
    this.evictTo(this.maxSizeOctets - entrySize)
    if (entrySize > this.maxSizeOctets) return
    if (this.length > this.mask) this.grow()
    const slot = this.added & this.mask
    this.names[slot] = name
    this.values[slot] = value
    this.added++
    this.length++
    this.sizeOctets += entrySize
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
    for (let age = 0; age < this.length; age++) entries.push({ name: this.name(age), value: this.value(age) })
    return { entries, sizeOctets: this.sizeOctets, maxSizeOctets: this.maxSizeOctets }
  }

  /** Evicts the oldest entries until at most `sizeOctets` are used, or none is left. */
  private evictTo(sizeOctets: number): void {
    while (this.sizeOctets > sizeOctets && this.length > 0) {
      const slot = (this.added - this.length) & this.mask
      const name = this.names[slot]!
      this.sizeOctets -= ENTRY_OVERHEAD_OCTETS + name.length + this.values[slot]!.length
      this.length--
      this.evicted(name)
      this.names[slot] = ''
      this.values[slot] = ''
    }
  }

  /** Called for each entry that leaves the table, oldest first. */
  protected evicted(_name: string): void {}

  private grow(): void {
    const capacity = (this.mask + 1) * 2
    const names: string[] = new Array(capacity).fill('')
    const values: string[] = new Array(capacity).fill('')
    for (let number = this.added - this.length; number < this.added; number++) {
      names[number & (capacity - 1)] = this.names[number & this.mask]!
      values[number & (capacity - 1)] = this.values[number & this.mask]!
    }
    this.names = names
    this.values = values
    this.mask = capacity - 1
  }
}
