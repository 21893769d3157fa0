/**
 * What octets that come again were decoded to: literals such as a credential or the name of a field that is
 * not indexed, and whole field blocks.
 *
 * Only octets seen twice are kept, so values that differ each time cost neither a copy nor an entry. Each
 * decoder has its own caches: nothing is shared between connections.
 *
 * Worth it: `decode request, timeout differs` in bench/wire/hpack.ts takes twice as long without it for
 * literals, `decode trailers` five times as long without it for blocks.
 */

/** Power of two. */
const SLOT_COUNT = 16

/** Longer octets are not kept; with the number of slots it bounds the memory of a connection. */
const MAX_KEPT_OCTETS = 1024

/** From here on the call of a native comparison is faster than a plain loop. */
const LONG_OCTETS = 64

const compare = Buffer.prototype.compare

/** How often other octets of the same hash must come in a row to take the place of those kept. */
const MAX_MISSES = 32

interface Kept<T> {
  readonly hash: number
  readonly octets: Uint8Array
  readonly decoded: T
  /** How many octets of the same hash were others since these came last. */
  misses: number
}

/** Decoded values by their octets, replaced by others of the same slot. */
export class RepeatCache<T> {
  /** Hash of the octets that were last seen and not found, for each slot. */
  private readonly seen: number[]
  private readonly kept: (Kept<T> | undefined)[]

  constructor() {
    this.seen = new Array(SLOT_COUNT).fill(0)
    this.kept = new Array(SLOT_COUNT).fill(undefined)
  }

  /**
   * What octets `start` to `end` were decoded to, or undefined if that is not kept.
   *
   * @param hash {@link repeatHash} of the octets, not 0
   */
  find(hash: number, octets: Uint8Array, start: number, end: number): T | undefined {
    const kept = this.kept[hash & (SLOT_COUNT - 1)]
    if (kept === undefined || kept.hash !== hash) return undefined
    if (!equal(kept.octets, octets, start, end)) {
      kept.misses++
      return undefined
    }
    kept.misses = 0
    return kept.decoded
  }

  /** Whether octets that were not found should be kept: they have this hash for the second time in a row. */
  isRepeated(hash: number): boolean {
    const slot = hash & (SLOT_COUNT - 1)
    const kept = this.kept[slot]
    if (kept !== undefined && kept.hash === hash) return kept.misses > MAX_MISSES
    if (this.seen[slot] === hash) return true
    this.seen[slot] = hash
    return false
  }

  /** Keeps what the octets were decoded to, in place of what was in their slot. */
  keep(hash: number, octets: Uint8Array, start: number, end: number, decoded: T): void {
    // Not `slice`: on a Buffer that is a view of octets that will change.
    const copy = new Uint8Array(octets.subarray(start, end))
    this.kept[hash & (SLOT_COUNT - 1)] = { hash, octets: copy, decoded, misses: 0 }
  }
}

/**
 * A small hash of some of the octets and their number; 0 if there are too many of them to be kept.
 *
 * @param salt 0 to 255, for values that differ in more than their octets
 */
export function repeatHash(octets: Uint8Array, start: number, end: number, salt: number): number {
  const length = end - start
  if (length > MAX_KEPT_OCTETS || length === 0) return 0
  const quarter = length >>> 2
  let hash = length + salt
  hash = Math.imul(hash, 31) + octets[start]!
  hash = Math.imul(hash, 31) + octets[start + quarter]!
  hash = Math.imul(hash, 31) + octets[start + (length >>> 1)]!
  hash = Math.imul(hash, 31) + octets[end - 1 - quarter]!
  hash = Math.imul(hash, 31) + octets[end - 1]!
  return ((hash >>> 4) ^ hash) & 0x3fffffff || 1
}

function equal(kept: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (kept.length !== length) return false
  if (length >= LONG_OCTETS) return compare.call(octets, kept, 0, length, start, end) === 0
  for (let i = 0; i < length; i++) if (kept[i] !== octets[start + i]) return false
  return true
}
