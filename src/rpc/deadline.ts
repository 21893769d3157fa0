/** Deadlines: a moment until which a call may take, and timers that reach beyond 24.8 days. */
import { MAX_TIMER_MS } from '../http2/long-timer.ts'

/**
 * How long a call may take: milliseconds from now, or a moment as a Date. Infinity stands for no deadline.
 */
export type Deadline = number | Date

/** Milliseconds since 1970 were past this in 2001: a number of such a size is a moment, not a duration. */
const SURELY_A_MOMENT_MS = 1_000_000_000_000

/**
 * The moment (milliseconds since 1970) at which a call that starts `nowMs` must have ended.
 * @throws TypeError if `deadline` is no such thing
 */
export function deadlineMoment(deadline: Deadline | undefined, nowMs: number): number {
  if (deadline === undefined) return Number.POSITIVE_INFINITY
  const moment = deadline instanceof Date ? deadline.getTime() : nowMs + deadline
  if (typeof moment !== 'number' || Number.isNaN(moment)) {
    throw new TypeError('deadline: give milliseconds from now as a number, or a moment as a valid Date')
  }
  if (
    typeof deadline === 'number' &&
    deadline >= SURELY_A_MOMENT_MS &&
    deadline !== Number.POSITIVE_INFINITY
  ) {
    throw new TypeError(
      `deadline: ${deadline} is read as milliseconds from now; for a moment give new Date(${deadline})`,
    )
  }
  return moment
}

/** A one-shot timer at a moment, however far away. */
export class DeadlineTimer {
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Calls `onExpired` at `momentMs` (milliseconds since 1970), at once in a later turn if that has passed. */
  constructor(momentMs: number, onExpired: () => void) {
    this.#arm(momentMs, onExpired)
  }

  #arm(momentMs: number, onExpired: () => void): void {
    const leftMs = momentMs - Date.now()
    this.#timer =
      leftMs > MAX_TIMER_MS
        ? setTimeout(() => this.#arm(momentMs, onExpired), MAX_TIMER_MS)
        : setTimeout(onExpired, Math.max(0, Math.ceil(leftMs)))
  }

  /** Forgets the timer. */
  clear(): void {
    clearTimeout(this.#timer)
  }
}
