/**
 * A set of objects that come and go quickly, such as the calls under way: each member knows its place in one array.
 *
 * Not a `Set`: V8 gives a Set a new table after every so many deletions, and each old table goes on pointing to the
 * next one. Once one of them has been promoted to the old generation, all tables after it and every member they ever
 * had survive young collections although they are dead, and collecting takes a quarter of a busy server's time
 * (bench/micro/churn.ts). An array that members are swapped out of leaves nothing behind.
 */

/** What a member has to have; the field belongs to its list. */
export interface Member {
  /** Place in the list, -1 outside; an object can be in one list at a time. */
  place: number
}

/** Members in no particular order; adding and deleting take one step each. */
export class MemberList<Element extends Member> {
  readonly #members: Element[] = []

  /** How many there are. */
  get size(): number {
    return this.#members.length
  }

  /** Adds a member, unless it is one already. */
  add(member: Element): void {
    if (member.place >= 0) return
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Takes a member out. @returns false if it was none */
  delete(member: Element): boolean {
    const { place } = member
    if (place < 0) return false
    const last = this.#members.pop()!
    if (last !== member) {
      this.#members[place] = last
      last.place = place
    }
    member.place = -1
    return true
  }

  /** All members of this moment; the array is the caller's. */
  all(): Element[] {
    return this.#members.slice()
  }
}
