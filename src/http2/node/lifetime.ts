/**
 * Keepalive, ping enforcement and connection age (gRFC A8, A9) of a session of node:http2: the policies of
 * `keepalive.ts` and `connection-age.ts` on real time.
 *
 * Node tells nobody when octets arrive, so the socket's count of them is looked at, often enough that silence is
 * noticed within 100 ms; one timer does that for all connections with the same options.
 */
import { performance } from 'node:perf_hooks'
import type { Duplex } from 'node:stream'
import { ConnectionAge, connectionAgeOptions } from '../connection-age.ts'
import { KeepalivePinger, keepaliveOptions, PingEnforcement, pingEnforcementOptions } from '../keepalive.ts'
import type { EngineOptions, ListenOptions } from '../transport.ts'
import { watch } from './watchdog.ts'

/** Looks per shortest time limit, and the bounds of the time between two looks. */
const LOOKS = 20
const MIN_INTERVAL_MS = 5
const MAX_INTERVAL_MS = 100

/** What a {@link Lifetime} has done to its connection. */
export interface LifetimeActs {
  readonly openStreams: number
  /** HEADERS and DATA handed to Node so far. */
  readonly framesSent: number
  /** Sends a PING; its answer is noticed as octets that arrive. */
  sendPing(): void
  /** No sign of life since the PING. */
  keepaliveFailed(timeoutMs: number): void
  /** The client pings more often than allowed. */
  tooManyPings(): void
  /** Graceful end, for age or idleness. */
  close(): void
  /** The grace of the maximum age is over. */
  ageEnded(): void
}

/** Time limits of one open connection. */
export class Lifetime {
  readonly #acts: LifetimeActs
  readonly #socket: Duplex & { readonly bytesRead?: number }
  readonly #pinger: KeepalivePinger
  readonly #age: ConnectionAge | undefined
  readonly #enforcement: PingEnforcement | undefined
  #octetsRead: number
  #framesSent = 0
  #openStreams = 0
  readonly #unwatch: () => void

  /** A lifetime if the options set any limit. */
  static start(
    role: 'client' | 'server',
    options: EngineOptions,
    socket: Duplex,
    acts: LifetimeActs,
  ): Lifetime | undefined {
    const server: ListenOptions = role === 'server' ? options : {}
    const age = connectionAgeOptions(server)
    const enforcement = pingEnforcementOptions(server)
    const { keepaliveTimeMs = Number.POSITIVE_INFINITY } = options
    if (keepaliveTimeMs === Number.POSITIVE_INFINITY && age === undefined && enforcement === undefined) {
      return undefined
    }
    const nowMs = performance.now()
    return new Lifetime(
      acts,
      socket,
      new KeepalivePinger(keepaliveOptions(options), nowMs),
      age && new ConnectionAge(age, nowMs, Math.random()),
      enforcement && new PingEnforcement(enforcement),
      intervalMs(options),
    )
  }

  private constructor(
    acts: LifetimeActs,
    socket: Duplex,
    pinger: KeepalivePinger,
    age: ConnectionAge | undefined,
    enforcement: PingEnforcement | undefined,
    lookEveryMs: number,
  ) {
    this.#acts = acts
    this.#socket = socket
    this.#pinger = pinger
    this.#age = age
    this.#enforcement = enforcement
    this.#octetsRead = this.#socket.bytesRead ?? 0
    // a stream that is no socket counts nothing, but Node reads it by this event
    if (this.#socket.bytesRead === undefined) socket.on('data', () => this.#pinger.onRead(performance.now()))
    this.#unwatch = watch({ check: () => this.#check(performance.now()) }, lookEveryMs)
  }

  /** A PING of the client arrived. */
  onPing(): void {
    const enforcement = this.#enforcement
    if (enforcement === undefined) return
    const { framesSent, openStreams } = this.#acts
    if (framesSent !== this.#framesSent) {
      this.#framesSent = framesSent
      enforcement.onSend()
    }
    if (enforcement.onPing(performance.now(), openStreams)) this.#acts.tooManyPings()
  }

  /** The last open stream ended. */
  onIdle(): void {
    this.#age?.onIdle(performance.now())
  }

  /** The connection is gone. */
  end(): void {
    this.#unwatch()
  }

  #check(nowMs: number): void {
    const { openStreams } = this.#acts
    const octetsRead = this.#socket.bytesRead ?? 0
    if (octetsRead !== this.#octetsRead) {
      this.#octetsRead = octetsRead
      this.#pinger.onRead(nowMs)
    }
    if (openStreams > 0 && this.#openStreams === 0) this.#pinger.onFirstStream(nowMs)
    this.#openStreams = openStreams
    const ping = this.#pinger.poll(nowMs, openStreams)
    if (ping === 'ping') this.#acts.sendPing()
    else if (ping === 'dead') {
      this.#acts.keepaliveFailed(this.#pinger.timeoutMs)
      return
    }
    const age = this.#age?.poll(nowMs, openStreams) ?? 'none'
    if (age === 'end') this.#acts.ageEnded()
    else if (age !== 'none') this.#acts.close()
  }
}

/** How often to look, for the shortest of the limits. */
function intervalMs(options: EngineOptions & ListenOptions): number {
  const {
    keepaliveTimeMs,
    keepaliveTimeoutMs,
    maxConnectionAgeMs,
    maxConnectionAgeGraceMs,
    maxConnectionIdleMs,
  } = options
  const limits = [
    keepaliveTimeMs,
    keepaliveTimeoutMs,
    maxConnectionAgeMs,
    maxConnectionAgeGraceMs,
    maxConnectionIdleMs,
  ]
  const shortestMs = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY))
  return Math.min(Math.max(Math.ceil(shortestMs / LOOKS), MIN_INTERVAL_MS), MAX_INTERVAL_MS)
}
