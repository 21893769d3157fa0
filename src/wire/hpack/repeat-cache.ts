/**
 * What octets that come again were decoded to: literals such as a credential or the name of a field that is
 * not indexed, and whole field blocks.
 *
 * Only octets seen twice are kept, so values that differ each time cost neither a copy nor an entry. Each
 * decoder has its own caches: nothing is shared between connections.
 *
 * Worth it: without it for literals `decode request, timeout differs` in bench/wire/hpack.ts took 1.6 times as
 * long, without it for blocks `decode trailers` took twice as long.
 */

/** Power of two. */
const SLOT_COUNT = 16

/** Longer octets are not kept; with the number of slots it bounds the memory of a connection. */
const MAX_KEPT_OCTETS = 1024

/** From here on the call of a native comparison is faster than a plain loop. */
const LONG_OCTETS = 64

const compare = Buffer.prototype.compare

/**
 * How often other octets of the same hash must come in a row to take the place of those kept: at first, and
 * at most. It doubles each time that what was kept was never found, so values that keep changing and have the
 * same hash soon cost no copies.
 */
const MIN_PATIENCE = 32
const MAX_PATIENCE = 1 << 20

interface Kept<T> {
  readonly hash: number
  readonly octets: Uint8Array
  readonly decoded: T
  /** How many octets of the same hash were others since these came last. */
  misses: number
  /** How many they may be. */
  patience: number
}

/** Decoded values by their octets, replaced by others of the same slot. */
export class RepeatCache<T> {
  /** Hash of the octets that were last seen and not found, for each slot. */
  private seen: number[] | undefined
  /** Made when there is something to keep: a connection of one call needs none. */
  private kept: (Kept<T> | undefined)[] | undefined

  constructor() {
    this.seen = undefined
    this.kept = undefined
  }

  /**
   * What octets `start` to `end` were decoded to, or undefined if that is not kept.
   *
   * @param hash {@link repeatHash} of the octets, not 0
   */
  find(hash: number, octets: Uint8Array, start: number, end: number): T | undefined {
    const kept = this.kept?.[hash & (SLOT_COUNT - 1)]
    if (kept === undefined || kept.hash !== hash) return undefined
    if (!equal(kept.octets, octets, start, end)) {
      kept.misses++
      return undefined
    }
    kept.misses = 0
    kept.patience = MIN_PATIENCE
    return kept.decoded
  }

  /** Whether octets that were not found should be kept: they have this hash for the second time in a row. */
  isRepeated(hash: number): boolean {
    const slot = hash & (SLOT_COUNT - 1)
    const kept = this.kept?.[slot]
    if (kept !== undefined && kept.hash === hash) return kept.misses > kept.patience
    this.seen ??= new Array<number>(SLOT_COUNT).fill(0)
    if (this.seen[slot] === hash) return true
    this.seen[slot] = hash
    return false
  }

  /** Keeps what the octets were decoded to, in place of what was in their slot. */
  keep(hash: number, octets: Uint8Array, start: number, end: number, decoded: T): void {
    // Not `slice`: on a Buffer that is a view of octets that will change.
    const copy = new Uint8Array(octets.subarray(start, end))
    const slot = hash & (SLOT_COUNT - 1)
    this.kept ??= new Array<Kept<T> | undefined>(SLOT_COUNT).fill(undefined)
    const last = this.kept[slot]
    const patience = last?.hash === hash ? Math.min(last.patience * 2, MAX_PATIENCE) : MIN_PATIENCE
    this.kept[slot] = { hash, octets: copy, decoded, misses: 0, patience }
  }
}

/**
 * A small hash of some of the octets and their number; 0 if there are too many of them to be kept. Only a
 * hint where to look: what is found has been compared octet by octet.
 */
export function repeatHash(octets: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length > MAX_KEPT_OCTETS || length === 0) return 0
  const quarter = length >>> 2
  let hash = length
  hash = Math.imul(hash, 31) + octets[start]!
  hash = Math.imul(hash, 31) + octets[start + quarter]!
  hash = Math.imul(hash, 31) + octets[start + (length >>> 1)]!
  hash = Math.imul(hash, 31) + octets[end - 1 - quarter]!
  hash = Math.imul(hash, 31) + octets[end - 1]!
  return ((hash >>> 4) ^ hash) & 0x3fffffff || 1
}

/** Compares four octets a step, which is a fifth faster here than one (`decode request, same each time`). */
function equal(kept: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (kept.length !== length) return false
  if (length >= LONG_OCTETS) return compare.call(octets, kept, 0, length, start, end) === 0
  let i = 0
  for (; i + 4 <= length; i += 4) {
    const at = start + i
    if (
      kept[i] !== octets[at] ||
      kept[i + 1] !== octets[at + 1] ||
      kept[i + 2] !== octets[at + 2] ||
      kept[i + 3] !== octets[at + 3]
    ) {
      return false
    }
  }
  for (; i < length; i++) if (kept[i] !== octets[start + i]) return false
  return true
}
