/** How long to wait before the next attempt to connect (gRPC connection-backoff). No clock, no timer. */

/** Figures of the backoff; the defaults are those of gRPC connection-backoff. */
export interface BackoffOptions {
  /** Wait after the first failure, in milliseconds; default 1000. */
  initialBackoffMs?: number
  /** Longest wait before jitter, in milliseconds; default 120000. */
  maxBackoffMs?: number
}

const MULTIPLIER = 1.6
const JITTER = 0.2

/**
 * Exponential backoff with jitter.
 *
 * @example
 * const backoff = new Backoff()
 * backoff.next(0.5) // 1000
 * backoff.next(0.5) // 1600
 */
export class Backoff {
  readonly #initialMs: number
  readonly #maxMs: number
  #currentMs: number

  constructor(options: BackoffOptions = {}) {
    this.#initialMs = options.initialBackoffMs ?? 1000
    this.#maxMs = Math.max(this.#initialMs, options.maxBackoffMs ?? 120_000)
    this.#currentMs = this.#initialMs
  }

  /** The next wait in milliseconds; `random` (0 to 1) chooses within the jitter of 20 % around it. */
  next(random: number): number {
    const waitMs = this.#currentMs * (1 + JITTER * (2 * random - 1))
    this.#currentMs = Math.min(this.#currentMs * MULTIPLIER, this.#maxMs)
    return waitMs
  }

  /** Starts anew, after a connection was established. */
  reset(): void {
    this.#currentMs = this.#initialMs
  }
}
