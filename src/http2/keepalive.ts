/**
 * Keepalive as two pure policies: the client's pings (gRFC A8) and the server's answer to too many (gRFC A9).
 *
 * Time is an argument in milliseconds of any monotonic clock; nothing here sends a frame or sets a timer, so
 * every engine can use it and every test is instant.
 */

import type { EngineOptions, ListenOptions } from './transport.ts'

/** What a server allows between pings unless told otherwise, in milliseconds: 5 minutes (gRFC A9). */
export const DEFAULT_MIN_PING_INTERVAL_MS = 300_000

/** Between pings on a connection without streams where those are not allowed: 2 hours (gRFC A9). */
const IDLE_PING_INTERVAL_MS = 7_200_000

/** Pings that come too early before the connection is ended; one more ends it (gRFC A9). */
const MAX_PING_STRIKES = 2

/** The debug data of the GOAWAY that ends a connection for pings (gRFC A9). */
export const TOO_MANY_PINGS = 'too_many_pings'

/** Options of {@link KeepalivePinger}. */
export interface KeepaliveOptions {
  /** Silence after which a PING is sent, in milliseconds; default Infinity: none. */
  timeMs?: number
  /** Time for the acknowledgement, in milliseconds; default 20000. */
  timeoutMs?: number
  /** Also ping while no stream is open; default false. */
  withoutCalls?: boolean
}

/** What an engine's options say of keepalive. */
export function keepaliveOptions(options: EngineOptions): KeepaliveOptions {
  const { keepaliveTimeMs, keepaliveTimeoutMs, keepaliveWithoutCalls } = options
  return {
    ...(keepaliveTimeMs !== undefined && { timeMs: keepaliveTimeMs }),
    ...(keepaliveTimeoutMs !== undefined && { timeoutMs: keepaliveTimeoutMs }),
    ...(keepaliveWithoutCalls !== undefined && { withoutCalls: keepaliveWithoutCalls }),
  }
}

/** What a {@link KeepalivePinger} wants done. */
export type KeepaliveAction = 'none' | 'ping' | 'dead'

/** Decides when to ping an apparently silent peer, and when to give it up (gRFC A8). */
export class KeepalivePinger {
  readonly timeMs: number
  readonly timeoutMs: number
  readonly withoutCalls: boolean
  #lastReadMs: number
  #pingSentMs = Number.NaN

  constructor(options: KeepaliveOptions, nowMs: number) {
    this.timeMs = options.timeMs ?? Number.POSITIVE_INFINITY
    this.timeoutMs = options.timeoutMs ?? 20_000
    this.withoutCalls = options.withoutCalls ?? false
    this.#lastReadMs = nowMs
  }

  /** Octets arrived, of whatever kind: the peer lives. */
  onRead(nowMs: number): void {
    this.#lastReadMs = nowMs
    this.#pingSentMs = Number.NaN
  }

  /** A stream was opened after there were none: silence counts from here (gRFC A8: no ping at once). */
  onFirstStream(nowMs: number): void {
    if (!this.withoutCalls && Number.isNaN(this.#pingSentMs)) this.#lastReadMs = nowMs
  }

  /**
   * When {@link KeepalivePinger.poll} should be asked next, Infinity for never.
   *
   * @param openStreams how many streams are open now
   */
  nextMs(openStreams: number): number {
    if (!Number.isNaN(this.#pingSentMs)) return this.#pingSentMs + this.timeoutMs
    if (openStreams === 0 && !this.withoutCalls) return Number.POSITIVE_INFINITY
    return this.#lastReadMs + this.timeMs
  }

  /** What to do now; `ping` counts as done. */
  poll(nowMs: number, openStreams: number): KeepaliveAction {
    if (nowMs < this.nextMs(openStreams)) return 'none'
    if (!Number.isNaN(this.#pingSentMs)) return 'dead'
    this.#pingSentMs = nowMs
    return 'ping'
  }
}

/** The interval a client takes after a GOAWAY for too many pings: twice as long (gRFC A8). */
export function doubledKeepaliveTimeMs(timeMs: number): number {
  return timeMs * 2
}

/** Options of {@link PingEnforcement}. */
export interface PingEnforcementOptions {
  /** Shortest time between pings, in milliseconds; default 300000. */
  minIntervalMs?: number
  /** Whether pings are fine while no stream is open; default false. */
  withoutCalls?: boolean
}

/** What a server's options say of pings that come too often; undefined if any pace is fine. */
export function pingEnforcementOptions(options: ListenOptions): PingEnforcementOptions | undefined {
  const { minPingIntervalMs = 0, permitPingsWithoutCalls = false } = options
  if (!(minPingIntervalMs > 0)) return undefined
  return { minIntervalMs: minPingIntervalMs, withoutCalls: permitPingsWithoutCalls }
}

/** Counts pings that come too often; three in a row end the connection with `too_many_pings` (gRFC A9). */
export class PingEnforcement {
  readonly minIntervalMs: number
  readonly withoutCalls: boolean
  #lastPingMs = Number.NEGATIVE_INFINITY
  #strikes = 0

  constructor(options: PingEnforcementOptions = {}) {
    this.minIntervalMs = options.minIntervalMs ?? DEFAULT_MIN_PING_INTERVAL_MS
    this.withoutCalls = options.withoutCalls ?? false
  }

  /** We sent HEADERS or DATA: the peer may measure the connection by a PING after it, so count anew. */
  onSend(): void {
    this.#strikes = 0
    this.#lastPingMs = Number.NEGATIVE_INFINITY
  }

  /**
   * A PING without ACK arrived.
   *
   * @returns true if it is one too many
   */
  onPing(nowMs: number, openStreams: number): boolean {
    const allowedMs = openStreams === 0 && !this.withoutCalls ? IDLE_PING_INTERVAL_MS : this.minIntervalMs
    const tooEarly = nowMs - this.#lastPingMs < allowedMs
    this.#lastPingMs = nowMs
    if (!tooEarly) return false
    this.#strikes++
    return this.#strikes > MAX_PING_STRIKES
  }
}
