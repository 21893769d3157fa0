/**
 * How long a server keeps a connection: maximum age, grace and idle time (gRFC A9), as a pure policy.
 *
 * Time is an argument in milliseconds of any monotonic clock. The connection does what the policy says:
 * `drain` is a graceful GOAWAY, `end` closes whatever is still open.
 */
import type { ListenOptions } from './transport.ts'

/** Options of {@link ConnectionAge}; each is off (Infinity) unless set. */
export interface ConnectionAgeOptions {
  /** Age at which the connection is drained, in milliseconds, spread by 10 % either way. */
  maxAgeMs?: number
  /** Time from there until open streams are cut, in milliseconds. */
  maxAgeGraceMs?: number
  /** Time without open streams after which the connection is drained, in milliseconds. */
  maxIdleMs?: number
}

/** What a server's options say of the life of a connection; undefined if it has no limit. */
export function connectionAgeOptions(options: ListenOptions): ConnectionAgeOptions | undefined {
  const never = Number.POSITIVE_INFINITY
  const {
    maxConnectionAgeMs: maxAgeMs = never,
    maxConnectionAgeGraceMs: maxAgeGraceMs = never,
    maxConnectionIdleMs: maxIdleMs = never,
  } = options
  return maxAgeMs === never && maxIdleMs === never ? undefined : { maxAgeMs, maxAgeGraceMs, maxIdleMs }
}

/** What a {@link ConnectionAge} wants done, with the reason for debug data. */
export type AgeAction = 'none' | 'drain-for-age' | 'drain-for-idleness' | 'end'

/** Part of the maximum age by which it is spread, so that connections do not all end together (gRFC A9). */
const JITTER = 0.1

/** Decides when a connection has lived long enough. */
export class ConnectionAge {
  readonly maxIdleMs: number
  readonly maxAgeGraceMs: number
  #ageAtMs: number
  #endAtMs = Number.POSITIVE_INFINITY
  #idleSinceMs: number
  #draining = false

  /**
   * @param startMs when the connection began
   * @param random a number from 0 to 1 for the spread; an argument so that tests decide it
   */
  constructor(options: ConnectionAgeOptions, startMs: number, random: number) {
    const { maxAgeMs = Number.POSITIVE_INFINITY } = options
    this.maxIdleMs = options.maxIdleMs ?? Number.POSITIVE_INFINITY
    this.maxAgeGraceMs = options.maxAgeGraceMs ?? Number.POSITIVE_INFINITY
    this.#ageAtMs = startMs + maxAgeMs * (1 + JITTER * (2 * random - 1))
    this.#idleSinceMs = startMs
  }

  /** The last open stream ended. */
  onIdle(nowMs: number): void {
    this.#idleSinceMs = nowMs
  }

  /** When {@link ConnectionAge.poll} should be asked next, Infinity for never. */
  nextMs(openStreams: number): number {
    if (this.#draining) return this.#endAtMs
    const idleAtMs = openStreams === 0 ? this.#idleSinceMs + this.maxIdleMs : Number.POSITIVE_INFINITY
    return Math.min(this.#ageAtMs, idleAtMs)
  }

  /** What to do now; each action is told once. */
  poll(nowMs: number, openStreams: number): AgeAction {
    if (nowMs < this.nextMs(openStreams)) return 'none'
    if (this.#draining) {
      this.#endAtMs = Number.POSITIVE_INFINITY
      return 'end'
    }
    this.#draining = true
    this.#endAtMs = nowMs + this.maxAgeGraceMs
    return nowMs >= this.#ageAtMs ? 'drain-for-age' : 'drain-for-idleness'
  }
}
