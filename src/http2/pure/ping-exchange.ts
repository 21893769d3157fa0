/**
 * PING of both directions (RFC 9113 §6.7): answers, round trips measured for callers, and the connection's own
 * pings for keepalive, bandwidth and graceful shutdown.
 */

import { PING_OCTETS, writePing } from '../../wire/frame/ping.ts'
import { type OctetWriter, putUint32, readUint32 } from '../../wire/octets.ts'

/** What a PING of ours is for. */
export const PingPurpose = { caller: 1, keepalive: 2, bandwidth: 3, shutdown: 4 } as const

/** One of {@link PingPurpose}. */
export type PingPurpose = (typeof PingPurpose)[keyof typeof PingPurpose]

/** Called with the end of a ping: its round trip, or why there is none. */
export type PingResult = (error: Error | undefined, roundTripMs: number) => void

interface Ping {
  readonly purpose: PingPurpose
  readonly sentMs: number
  readonly onResult: PingResult | undefined
}

/** Pings of ours under way. */
export class PingExchange {
  readonly #underWay = new Map<number, Ping>()
  readonly #data = new Uint8Array(PING_OCTETS)
  #next = 1

  /** Writes a PING of ours. */
  send(out: OctetWriter, purpose: PingPurpose, nowMs: number, onResult?: PingResult): void {
    const number = this.#next
    this.#next = number === 0xffffffff ? 1 : number + 1
    // The purpose makes the octets readable in a trace; the number finds the ping again.
    putUint32(this.#data, 0, purpose)
    putUint32(this.#data, 4, number)
    this.#underWay.set(number, { purpose, sentMs: nowMs, onResult })
    writePing(out, false, this.#data)
  }

  /** Answers the peer's PING with its own octets. */
  answer(out: OctetWriter, chunk: Uint8Array, start: number): void {
    writePing(out, true, chunk, start)
  }

  /**
   * An acknowledgement arrived; one that answers nothing is ignored.
   *
   * @returns what the ping was for, undefined if it is none of ours
   */
  onAck(chunk: Uint8Array, start: number, nowMs: number): PingPurpose | undefined {
    const number = readUint32(chunk, start + 4)
    const ping = this.#underWay.get(number)
    if (ping === undefined || readUint32(chunk, start) !== ping.purpose) return undefined
    this.#underWay.delete(number)
    tell(ping, undefined, nowMs - ping.sentMs)
    return ping.purpose
  }

  /** The connection ended: nothing will be answered. */
  fail(error: Error): void {
    const pings = [...this.#underWay.values()]
    this.#underWay.clear()
    for (const ping of pings) tell(ping, error, 0)
  }
}

function tell(ping: Ping, error: Error | undefined, roundTripMs: number): void {
  try {
    ping.onResult?.(error, roundTripMs)
  } catch {
    // An exception of the caller's own function is not the connection's business.
  }
}
