/**
 * The encoder's dynamic table: one that also finds an entry by name and value.
 *
 * Entries of one name form a chain from the newest to the oldest. A look-up is one search for the name, then
 * comparisons of values: no key is built from name and value, which is what makes repeated fields cheap.
 */
import { DynamicTable } from './dynamic-table.ts'

/** One entry of a {@link SearchableTable} among those of its name. */
export interface ChainLink {
  readonly value: string
  /** Its number: how many entries were added to the table before it. */
  readonly number: number
  newer: ChainLink | undefined
  older: ChainLink | undefined
}

/** The entries of one name. */
export interface Chain {
  newest: ChainLink | undefined
  oldest: ChainLink | undefined
}

/** A dynamic table with a chain of entries for each name in it. */
export class SearchableTable extends DynamicTable {
  private readonly chains: Map<string, Chain> = new Map()

  /** The entries with this name, or undefined if there is none. */
  chain(name: string): Chain | undefined {
    return this.chains.get(name)
  }

  override add(name: string, value: string): void {
    const number = this.added
    super.add(name, value)
    if (this.added === number) return
    let chain = this.chains.get(name)
    if (chain === undefined) {
      chain = { newest: undefined, oldest: undefined }
      this.chains.set(name, chain)
    }
    const link: ChainLink = { value, number, newer: undefined, older: chain.newest }
    if (chain.newest === undefined) chain.oldest = link
    else chain.newest.newer = link
    chain.newest = link
  }

  /** The table is first in, first out, so the entry that leaves is the oldest of its name. */
  protected override evicted(name: string): void {
    const chain = this.chains.get(name)!
    const next = chain.oldest!.newer
    chain.oldest = next
    if (next === undefined) this.chains.delete(name)
    else next.older = undefined
  }
}
