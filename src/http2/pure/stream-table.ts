/**
 * The open streams of a connection by their identifiers (RFC 9113 §5.1.1): an open-addressed table in one array.
 *
 * Identifiers only grow, and those that are open at one time are close to each other, so that half the identifier is
 * nearly always the slot itself. Not a `Map`, for the reason that `member-list` gives: deletions would leave a chain of
 * old tables behind, and every stream in them alive.
 */

/** What stands in a {@link StreamTable}. */
interface Identified {
  /** Not 0, and fixed while it stands there. */
  readonly id: number
}

/** Slots of a table with few streams; a power of two, as are all sizes. */
const MIN_SLOTS = 16
/** The one empty slot of all tables in which no stream has been; never written to. */
const NO_SLOTS: undefined[] = [undefined]

/** Streams by identifier. */
export class StreamTable<Stream extends Identified> {
  #slots: (Stream | undefined)[] = NO_SLOTS
  #mask = 0
  #size = 0

  /** How many streams there are. */
  get size(): number {
    return this.#size
  }

  /** The stream with this identifier. */
  get(id: number): Stream | undefined {
    const slots = this.#slots
    const mask = this.#mask
    for (let at = (id >> 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at]
      if (stream === undefined || stream.id === id) return stream
    }
  }

  /** Puts a stream in, which is not there yet. */
  add(stream: Stream): void {
    // At most half full: searches stay short and always meet an empty slot.
    if (++this.#size * 2 > this.#slots.length) this.#resize(Math.max(MIN_SLOTS, this.#slots.length * 2))
    this.#put(stream)
  }

  /** Takes the stream with this identifier out. @returns false if there is none */
  delete(id: number): boolean {
    const slots = this.#slots
    const mask = this.#mask
    let at = (id >> 1) & mask
    for (;;) {
      const stream = slots[at]
      if (stream === undefined) return false
      if (stream.id === id) break
      at = (at + 1) & mask
    }
    slots[at] = undefined
    // Streams behind, up to the next empty slot, may have been put there only because this one was taken.
    for (let next = (at + 1) & mask; slots[next] !== undefined; next = (next + 1) & mask) {
      const stream = slots[next]!
      const home = (stream.id >> 1) & mask
      // Distances are counted around the end of the array.
      if (((next - home) & mask) < ((next - at) & mask)) continue
      slots[at] = stream
      slots[next] = undefined
      at = next
    }
    if (--this.#size * 8 < slots.length && slots.length > MIN_SLOTS) this.#resize(slots.length >> 1)
    return true
  }

  /** All streams of this moment; the array is the caller's. */
  all(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined)
  }

  #put(stream: Stream): void {
    const slots = this.#slots
    const mask = this.#mask
    let at = (stream.id >> 1) & mask
    while (slots[at] !== undefined) at = (at + 1) & mask
    slots[at] = stream
  }

  #resize(length: number): void {
    const before = this.#slots
    this.#slots = emptySlots(length)
    this.#mask = length - 1
    for (const stream of before) if (stream !== undefined) this.#put(stream)
  }
}

function emptySlots<Stream>(length: number): (Stream | undefined)[] {
  return new Array(length).fill(undefined)
}
