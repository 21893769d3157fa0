/**
 * What a peer may cost us (RFC 9113 §10.5): a budget for each kind of frame that is cheap to send.
 *
 * A budget is a burst and a rate, and useful work earns it back: pings after data we sent, resets beside calls
 * that ended in order. So an attack runs dry within its burst, and a heavy user is never cut. Time is an argument;
 * nothing here sends: a budget that is used up gives the reason, and the connection ends with ENHANCE_YOUR_CALM.
 */

/** How often something may happen. `{ burst: Infinity, perSecond: 0 }` switches a limit off. */
export interface Budget {
  /** How many may come at once. */
  burst: number
  /** How many come back each second, up to `burst`. */
  perSecond: number
}

/** The budgets of a connection, each with its default. */
export interface AbuseBudgets {
  /**
   * RST_STREAM from the peer within a millisecond of its HEADERS, before we answered (CVE-2023-44487); default
   * 1000 and 33/s. A stream that ends in order earns one back.
   */
  rapidResets?: Budget
  /** Any RST_STREAM from the peer before we answered; default 10000 and 1000/s, one back as above. */
  resets?: Budget
  /** Streams that the peer's errors make us reset or refuse (CVE-2025-8671); default 1000 and 33/s. */
  forcedResets?: Budget
  /** PING (CVE-2019-9512); default 1000 and 100/s. Each HEADERS and DATA we send earns one back. */
  pings?: Budget
  /** SETTINGS frames (CVE-2019-9515); default 100 and 10/s. */
  settings?: Budget
  /** Empty DATA, HEADERS and CONTINUATION fragments that end nothing (CVE-2019-9518); default 1000 and 100/s. */
  emptyFrames?: Budget
  /** WINDOW_UPDATE (CVE-2019-9511); default 10000 and 1000/s. Each HEADERS and DATA we send earns four back. */
  windowUpdates?: Budget
  /** PRIORITY and PRIORITY_UPDATE (CVE-2019-9513); default 1000 and 100/s. A stream opened earns two back. */
  priorities?: Budget
  /** DATA of 1 to 4 octets that ends nothing; default 10000 and 1000/s. Each larger DATA earns one back. */
  smallData?: Budget
  /** Field blocks that change the size of the HPACK table (RFC 7541 §4.2); default 100 and 10/s. */
  tableSizeUpdates?: Budget
  /** Frames of unknown types; default 10000 and 1000/s. */
  unknownFrames?: Budget
}

/** Age below which a reset counts as rapid, in milliseconds: the request had no chance to be worked on. */
const RAPID_MS = 1

/** The largest data of a DATA frame that counts as small: less than the prefix of a gRPC message, in octets. */
const SMALL_DATA_OCTETS = 4

/** A budget being spent. */
export class TokenBucket {
  readonly burst: number
  readonly #perMs: number
  readonly #perWork: number
  #tokens: number
  #atMs = 0
  #work = 0

  /** @param perWork tokens that come back for each unit of work told to {@link TokenBucket.take} */
  constructor(budget: Budget, perWork = 0) {
    this.burst = budget.burst
    this.#perMs = budget.perSecond / 1000
    this.#perWork = perWork
    this.#tokens = budget.burst
  }

  /**
   * Takes one token.
   *
   * @param work units of useful work done so far, counted by the caller
   * @returns false if there was none
   */
  take(nowMs: number, work = 0): boolean {
    const earned = (nowMs - this.#atMs) * this.#perMs + (work - this.#work) * this.#perWork
    this.#atMs = nowMs
    this.#work = work
    const tokens = Math.min(this.burst, this.#tokens + earned)
    if (tokens < 1) {
      this.#tokens = tokens
      return false
    }
    this.#tokens = tokens - 1
    return true
  }
}

/** How many kinds of abuse are counted. */
const BUCKETS = 11

/**
 * Counts what the peer of one connection does. Each `on…` method returns the reason to end the connection, or
 * undefined while the budget lasts. Buckets are made when first needed: most connections need none.
 */
export class AbuseLimits {
  /** Streams that ended in order; added to by the connection. */
  streamsCompleted = 0
  /** Streams the peer opened; added to by the connection. */
  streamsOpened = 0
  /** HEADERS and DATA frames we sent; added to by the connection. */
  framesSent = 0
  #largeData = 0
  readonly #budgets: AbuseBudgets
  readonly #buckets: (TokenBucket | undefined)[] = new Array(BUCKETS).fill(undefined)

  constructor(budgets: AbuseBudgets = {}) {
    this.#budgets = budgets
  }

  /** The peer reset a stream that was `ageMs` old; `answered` if we had sent HEADERS on it. */
  onPeerReset(nowMs: number, ageMs: number, answered: boolean): string | undefined {
    if (answered) return undefined
    const work = this.streamsCompleted
    if (ageMs < RAPID_MS && !this.#bucket(0, this.#budgets.rapidResets, 1000, 33, 1).take(nowMs, work)) {
      return this.#reason(0, 'streams reset right after they were opened', 'rapidResets')
    }
    if (!this.#bucket(1, this.#budgets.resets, 10_000, 1000, 1).take(nowMs, work)) {
      return this.#reason(1, 'streams reset before they were answered', 'resets')
    }
    return undefined
  }

  /** The peer made us reset or refuse a stream. */
  onForcedReset(nowMs: number): string | undefined {
    if (this.#bucket(2, this.#budgets.forcedResets, 1000, 33, 0).take(nowMs)) return undefined
    return this.#reason(2, 'streams that had to be reset or refused', 'forcedResets')
  }

  /** PING without ACK. */
  onPing(nowMs: number): string | undefined {
    if (this.#bucket(3, this.#budgets.pings, 1000, 100, 1).take(nowMs, this.framesSent)) return undefined
    return this.#reason(3, 'PING frames', 'pings')
  }

  /** SETTINGS without ACK. */
  onSettings(nowMs: number): string | undefined {
    if (this.#bucket(4, this.#budgets.settings, 100, 10, 0).take(nowMs)) return undefined
    return this.#reason(4, 'SETTINGS frames', 'settings')
  }

  /** A DATA, HEADERS or CONTINUATION frame without content that ends nothing. */
  onEmptyFrame(nowMs: number): string | undefined {
    if (this.#bucket(5, this.#budgets.emptyFrames, 1000, 100, 0).take(nowMs)) return undefined
    return this.#reason(5, 'empty frames', 'emptyFrames')
  }

  /** WINDOW_UPDATE of a stream or of the connection. */
  onWindowUpdate(nowMs: number): string | undefined {
    if (this.#bucket(6, this.#budgets.windowUpdates, 10_000, 1000, 4).take(nowMs, this.framesSent))
      return undefined
    return this.#reason(6, 'WINDOW_UPDATE frames', 'windowUpdates')
  }

  /** PRIORITY or PRIORITY_UPDATE. */
  onPriority(nowMs: number): string | undefined {
    if (this.#bucket(7, this.#budgets.priorities, 1000, 100, 2).take(nowMs, this.streamsOpened))
      return undefined
    return this.#reason(7, 'PRIORITY frames', 'priorities')
  }

  /** A DATA frame with `octets` (at least 1) of data and no END_STREAM. */
  onData(nowMs: number, octets: number): string | undefined {
    if (octets > SMALL_DATA_OCTETS) {
      this.#largeData++
      return undefined
    }
    if (this.#bucket(8, this.#budgets.smallData, 10_000, 1000, 1).take(nowMs, this.#largeData))
      return undefined
    return this.#reason(8, `DATA frames of at most ${SMALL_DATA_OCTETS} octets`, 'smallData')
  }

  /** A field block that starts with a dynamic table size update. */
  onTableSizeUpdate(nowMs: number): string | undefined {
    if (this.#bucket(9, this.#budgets.tableSizeUpdates, 100, 10, 0).take(nowMs)) return undefined
    return this.#reason(9, 'HPACK table size updates', 'tableSizeUpdates')
  }

  /** A frame of unknown type. */
  onUnknownFrame(nowMs: number): string | undefined {
    if (this.#bucket(10, this.#budgets.unknownFrames, 10_000, 1000, 0).take(nowMs)) return undefined
    return this.#reason(10, 'frames of unknown type', 'unknownFrames')
  }

  #bucket(
    index: number,
    budget: Budget | undefined,
    burst: number,
    perSecond: number,
    perWork: number,
  ): TokenBucket {
    const bucket = this.#buckets[index]
    if (bucket !== undefined) return bucket
    const made = new TokenBucket(budget ?? { burst, perSecond }, perWork)
    this.#buckets[index] = made
    return made
  }

  #reason(index: number, what: string, option: string): string {
    return `too many ${what}: more than ${this.#buckets[index]!.burst} at once (limit ${option})`
  }
}
