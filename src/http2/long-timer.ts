/**
 * A timer of any length. Node counts the milliseconds of a timer in a signed 32-bit integer and takes what is longer
 * than 24.8 days, Infinity too, for one.
 */

/** The longest delay that setTimeout keeps. */
export const MAX_TIMER_MS = 0x7fffffff

/** Calls once after a delay; Infinity is never, and holds nothing. */
export class LongTimer {
  #timer: ReturnType<typeof setTimeout> | undefined = undefined
  #referenced = true

  constructor(delayMs: number, onElapsed: () => void) {
    if (delayMs !== Number.POSITIVE_INFINITY) this.#arm(delayMs, onElapsed)
  }

  #arm(leftMs: number, onElapsed: () => void): void {
    this.#timer =
      leftMs > MAX_TIMER_MS
        ? setTimeout(() => this.#arm(leftMs - MAX_TIMER_MS, onElapsed), MAX_TIMER_MS)
        : setTimeout(onElapsed, Math.max(leftMs, 0))
    if (!this.#referenced) this.#timer.unref()
  }

  /** Keeps the process alive, as a new one does. */
  ref(): this {
    this.#referenced = true
    this.#timer?.ref()
    return this
  }

  /** Lets the process end before it. */
  unref(): this {
    this.#referenced = false
    this.#timer?.unref()
    return this
  }

  /** Forgets it. */
  clear(): void {
    clearTimeout(this.#timer)
  }
}
