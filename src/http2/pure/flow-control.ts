/**
 * Flow-control windows (RFC 9113 §5.2, §6.9): arithmetic only, no frames.
 *
 * A {@link SendWindow} is the credit the peer gave us; it goes below zero when SETTINGS shrink it. A
 * {@link ReceiveWindow} is the credit we gave the peer; it comes back when the application has consumed,
 * not when octets arrived, and in large steps.
 */

/** The largest flow-control window (RFC 9113 §6.9.1). */
export const MAX_WINDOW_OCTETS = 0x7fffffff

/** Window of every stream and of the connection before any SETTINGS or WINDOW_UPDATE (RFC 9113 §6.9.2). */
export const DEFAULT_WINDOW_OCTETS = 65535

/** What we may still send, on a stream or on the connection. */
export class SendWindow {
  /** Octets we may send now; negative after the peer made its SETTINGS_INITIAL_WINDOW_SIZE smaller. */
  sizeOctets: number

  constructor(sizeOctets: number = DEFAULT_WINDOW_OCTETS) {
    this.sizeOctets = sizeOctets
  }

  /**
   * Adds credit: the increment of WINDOW_UPDATE, or the difference of two SETTINGS_INITIAL_WINDOW_SIZE.
   *
   * @returns false if the window would pass 2^31 - 1 (FLOW_CONTROL_ERROR, RFC 9113 §6.9.1)
   */
  add(octets: number): boolean {
    const size = this.sizeOctets + octets
    if (size > MAX_WINDOW_OCTETS) return false
    this.sizeOctets = size
    return true
  }
}

/**
 * What the peer may still send, on a stream or on the connection.
 *
 * ```
 *   target = available (credit the peer holds) + unconsumed (arrived, held by the application) + owed
 * ```
 * `owed` is given back by one WINDOW_UPDATE when it has grown to half of the target, so a stream of small
 * messages costs one frame for every half window.
 */
export class ReceiveWindow {
  /** Credit the peer holds; never negative while the peer obeys. */
  availableOctets: number
  /** Octets that arrived and that the application has not consumed. */
  unconsumedOctets = 0
  /** The size we want the window to have. */
  targetOctets: number

  /**
   * @param availableOctets credit the peer has from the start: 65535, or SETTINGS_INITIAL_WINDOW_SIZE
   * @param targetOctets the size to grow to by WINDOW_UPDATE; default the same
   */
  constructor(availableOctets: number = DEFAULT_WINDOW_OCTETS, targetOctets: number = availableOctets) {
    this.availableOctets = availableOctets
    this.targetOctets = targetOctets
  }

  /** Takes what a DATA frame costs, padding included. @returns false if the peer sent more than it may */
  receive(octets: number): boolean {
    this.availableOctets -= octets
    this.unconsumedOctets += octets
    return this.availableOctets >= 0
  }

  /**
   * The application is done with `octets`.
   *
   * @returns the increment to send by WINDOW_UPDATE now, 0 for none yet
   */
  consume(octets: number): number {
    this.unconsumedOctets = octets < this.unconsumedOctets ? this.unconsumedOctets - octets : 0
    return this.owed()
  }

  /** Makes the window larger from the next credit on; a smaller size is not taken. */
  grow(targetOctets: number): void {
    if (targetOctets > this.targetOctets) {
      this.targetOctets = Math.min(targetOctets, MAX_WINDOW_OCTETS)
    }
  }

  /** Credit to give now: all that is owed once it is half of the target, else 0. */
  owed(): number {
    const owed = this.targetOctets - this.availableOctets - this.unconsumedOctets
    return owed * 2 < this.targetOctets ? 0 : this.raise()
  }

  /** Credit that takes the window to its target at once, 0 for none. */
  raise(): number {
    const owed = this.targetOctets - this.availableOctets - this.unconsumedOctets
    if (owed <= 0) return 0
    this.availableOctets += owed
    return owed
  }
}
