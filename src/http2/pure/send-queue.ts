/**
 * The order in which streams send DATA: by urgency, in turns within it (RFC 9218 §10).
 *
 * Only streams that have octets and a positive stream window stand here, so that finding the next one costs
 * a few steps however many streams wait. Within an urgency two kinds share the turns one to one:
 *
 * ```
 *   ring: a -> b -> c -> a …   streams that said nothing or `i`: one frame each, then to the back
 *   line: d, e, f              streams that said not incremental: the lowest identifier until it is done
 * ```
 *
 * Links live in the streams themselves, so that queueing allocates nothing. No octets, no windows here.
 */
import { MAX_URGENCY } from './priority.ts'

/** What stands in a {@link SendQueue}; the link fields belong to the queue. */
export interface Sendable {
  readonly id: number
  /** 0 to 7; must not change while queued. */
  urgency: number
  /** True to be sent to its end before the next of its kind; must not change while queued. */
  sequential: boolean
  /** True while it stands in a queue. */
  queued: boolean
  nextQueued: this | undefined
  previousQueued: this | undefined
}

const NO_HEADS: undefined[] = []

/** Streams that can send now. */
export class SendQueue<Stream extends Sendable> {
  // Heads of circular lists, one ring and one line for each urgency.
  #rings: (Stream | undefined)[] = NO_HEADS
  #lines: (Stream | undefined)[] = NO_HEADS
  /** Bit u is set while the next turn of urgency u is the line's. */
  #lineIsNext = 0
  /** Bit u is set while urgency u has streams. */
  #levels = 0

  /** True if nothing stands here. */
  get isEmpty(): boolean {
    return this.#levels === 0
  }

  /** Puts a stream at the end of its kind. */
  add(stream: Stream): void {
    if (stream.queued) return
    stream.queued = true
    const { urgency } = stream
    if (this.#rings === NO_HEADS) {
      // Made here, because the streams of most connections never have to wait.
      this.#rings = new Array(MAX_URGENCY + 1).fill(undefined)
      this.#lines = new Array(MAX_URGENCY + 1).fill(undefined)
    }
    this.#levels |= 1 << urgency
    const heads = stream.sequential ? this.#lines : this.#rings
    const head = heads[urgency]
    if (head === undefined) {
      stream.nextQueued = stream
      stream.previousQueued = stream
      heads[urgency] = stream
      return
    }
    let before = head.previousQueued!
    if (stream.sequential) {
      // Mostly the newest stream, so look from the end.
      while (before.id > stream.id && before !== head) before = before.previousQueued!
      if (before.id > stream.id) {
        heads[urgency] = stream
        before = before.previousQueued!
      }
    }
    const after = before.nextQueued!
    before.nextQueued = stream
    after.previousQueued = stream
    stream.previousQueued = before
    stream.nextQueued = after
  }

  /** Takes a stream out, wherever it stands. */
  remove(stream: Stream): void {
    if (!stream.queued) return
    stream.queued = false
    const { urgency } = stream
    const heads = stream.sequential ? this.#lines : this.#rings
    const next = stream.nextQueued!
    if (next === stream) {
      heads[urgency] = undefined
      if (this.#rings[urgency] === undefined && this.#lines[urgency] === undefined)
        this.#levels &= ~(1 << urgency)
    } else {
      const previous = stream.previousQueued!
      previous.nextQueued = next
      next.previousQueued = previous
      if (heads[urgency] === stream) heads[urgency] = next
    }
    stream.nextQueued = undefined
    stream.previousQueued = undefined
  }

  /** The stream whose turn it is to send one frame, moved on to its next turn; undefined if none can. */
  next(): Stream | undefined {
    if (this.#levels === 0) return undefined
    // The lowest bit set is the most urgent level.
    const urgency = 31 - Math.clz32(this.#levels & -this.#levels)
    const ring = this.#rings[urgency]
    const line = this.#lines[urgency]
    if (ring === undefined || (line !== undefined && (this.#lineIsNext & (1 << urgency)) !== 0)) {
      this.#lineIsNext &= ~(1 << urgency)
      return line
    }
    this.#lineIsNext |= 1 << urgency
    this.#rings[urgency] = ring.nextQueued
    return ring
  }
}
