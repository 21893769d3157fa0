/**
 * Estimates the bandwidth-delay product, to size receive windows by it (the idea of gRPC's BDP estimation).
 *
 * A sample is a PING and the octets that arrive before its acknowledgement: what the peer sent in one round
 * trip. If that is most of the present estimate, the window is what limits the peer, and doubles. Time is an
 * argument; the connection sends the PING and applies the result.
 */

/**
 * A sample above this part of the estimate says that the window limits the peer. Credit is given back at half of
 * the window, so a peer that always waits for credit sends about half a window in a round trip.
 */
const FULL = 0.45
/** The weight of a new round trip in the average. */
const ROUND_TRIP_WEIGHT = 0.1

/** Measures what arrives in a round trip. */
export class BandwidthEstimator {
  /** Window that the bandwidth seems to want, in octets. */
  estimateOctets: number
  /** The largest estimate. */
  readonly limitOctets: number
  /** True between the PING and its acknowledgement. */
  sampling = false
  #sampleOctets = 0
  #startedMs = 0
  #roundTripMs = 0
  #bandwidth = 0

  constructor(initialOctets: number, limitOctets: number) {
    this.estimateOctets = initialOctets
    this.limitOctets = limitOctets
  }

  /** True if a sample could still make the estimate larger and none is under way. */
  get wantsSample(): boolean {
    return !this.sampling && this.estimateOctets < this.limitOctets
  }

  /** The PING of a sample goes out now. */
  start(nowMs: number): void {
    this.sampling = true
    this.#sampleOctets = 0
    this.#startedMs = nowMs
  }

  /** Counts octets of DATA. */
  count(octets: number): void {
    if (this.sampling) this.#sampleOctets += octets
  }

  /**
   * The PING was acknowledged.
   *
   * @returns true if `estimateOctets` grew
   */
  finish(nowMs: number): boolean {
    this.sampling = false
    // Loopback round trips are below a millisecond; a floor keeps the bandwidth finite.
    const roundTripMs = Math.max(nowMs - this.#startedMs, 0.01)
    this.#roundTripMs =
      this.#roundTripMs === 0
        ? roundTripMs
        : this.#roundTripMs + (roundTripMs - this.#roundTripMs) * ROUND_TRIP_WEIGHT
    const bandwidth = this.#sampleOctets / this.#roundTripMs
    const grewFaster = bandwidth > this.#bandwidth
    if (grewFaster) this.#bandwidth = bandwidth
    if (!grewFaster || this.#sampleOctets < this.estimateOctets * FULL) return false
    this.estimateOctets = Math.min(this.estimateOctets * 2, this.limitOctets)
    return true
  }
}
