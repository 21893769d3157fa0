/**
 * The time limits of a connection: what is due when, and what then happens (RFC 9113 §6.5.3, §10.5; gRFC A8, A9).
 *
 * Time comes in as an argument; deadlines that nobody has set are Infinity. The acts themselves, ending and
 * draining, are the core's.
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import { ConnectionAge } from '../connection-age.ts'
import { StreamError } from '../errors.ts'
import type { ConnectionContext } from './connection-context.ts'
import type { FieldBlockAssembly } from './field-block-assembly.ts'
import type { SettingsExchange } from './settings-exchange.ts'

/** What the clock has the core do. */
export interface TimedActs {
  onHandshakeExpired(): void
  /** A peer was too slow: ends the connection with `code`. */
  onExpired(code: number, section: string, reason: string): void
  /** The round trip of a graceful shutdown took too long. */
  onShutdownExpired(): void
  onKeepalivePing(): void
  onKeepaliveDead(timeoutMs: number): void
  onAgeDrain(): void
  onAgeEnd(): void
}

/** Deadlines of one connection. */
export class ConnectionClock {
  readonly #context: ConnectionContext
  readonly #settings: SettingsExchange
  readonly #assembly: FieldBlockAssembly
  readonly #acts: TimedActs
  readonly #age: ConnectionAge | undefined
  readonly #handshakeDeadlineMs: number

  /** @param random a number from 0 to 1, for the spread of the maximum age */
  constructor(
    context: ConnectionContext,
    settings: SettingsExchange,
    assembly: FieldBlockAssembly,
    acts: TimedActs,
    random: number,
  ) {
    this.#context = context
    this.#settings = settings
    this.#assembly = assembly
    this.#acts = acts
    const { age, handshakeTimeoutMs } = context.options
    this.#age = context.role === 'server' && age ? new ConnectionAge(age, context.nowMs, random) : undefined
    this.#handshakeDeadlineMs =
      handshakeTimeoutMs > 0 ? context.nowMs + handshakeTimeoutMs : Number.POSITIVE_INFINITY
  }

  /** The earliest deadline, Infinity for none. */
  nextMs(): number {
    const context = this.#context
    if (context.ended) return Number.POSITIVE_INFINITY
    const openStreams = context.streams.size
    const { remoteArrived, ackDeadlineMs } = this.#settings
    let at = Math.min(
      ackDeadlineMs,
      this.#assembly.deadlineMs,
      context.shutdownDeadlineMs,
      context.stallCheckMs,
    )
    at = Math.min(at, remoteArrived ? context.keepalive.nextMs(openStreams) : this.#handshakeDeadlineMs)
    return this.#age === undefined ? at : Math.min(at, this.#age.nextMs(openStreams))
  }

  /** The last open stream ended. */
  onIdle(): void {
    this.#age?.onIdle(this.#context.nowMs)
  }

  /** Does what is due at the context's time. */
  run(): void {
    const context = this.#context
    const { nowMs, options } = context
    if (nowMs < this.nextMs()) return
    if (!this.#settings.remoteArrived && nowMs >= this.#handshakeDeadlineMs) {
      this.#acts.onHandshakeExpired()
      return
    }
    if (nowMs >= this.#settings.ackDeadlineMs) {
      const reason = `our SETTINGS were not acknowledged within ${options.settingsTimeoutMs} ms`
      this.#acts.onExpired(ErrorCode.SETTINGS_TIMEOUT, 'RFC 9113 §6.5.3', reason)
      return
    }
    if (nowMs >= this.#assembly.deadlineMs) {
      const reason = `a field block was not complete within ${options.fieldBlockTimeoutMs} ms`
      this.#acts.onExpired(ErrorCode.ENHANCE_YOUR_CALM, 'RFC 9113 §10.5', reason)
      return
    }
    if (nowMs >= context.shutdownDeadlineMs) this.#acts.onShutdownExpired()
    if (nowMs >= context.stallCheckMs) this.#resetStalled()
    if (this.#settings.remoteArrived) this.#pollKeepalive()
    this.#pollAge()
  }

  #pollKeepalive(): void {
    const { keepalive, nowMs, streams } = this.#context
    const action = keepalive.poll(nowMs, streams.size)
    if (action === 'ping') this.#acts.onKeepalivePing()
    else if (action === 'dead') this.#acts.onKeepaliveDead(keepalive.timeoutMs)
  }

  #pollAge(): void {
    const { ended, nowMs, streams } = this.#context
    if (ended || this.#age === undefined) return
    const action = this.#age.poll(nowMs, streams.size)
    if (action === 'end') this.#acts.onAgeEnd()
    else if (action !== 'none') this.#acts.onAgeDrain()
  }

  /** Resets streams whose queued DATA has not moved for too long: a zero-window stall (RFC 9113 §10.5). */
  #resetStalled(): void {
    const context = this.#context
    const { stallTimeoutMs } = context.options
    let next = Number.POSITIVE_INFINITY
    for (const stream of context.streams.all()) {
      if (stream.queuedOctets === 0) continue
      const dueMs = stream.movedMs + stallTimeoutMs
      if (dueMs > context.nowMs) {
        next = Math.min(next, dueMs)
        continue
      }
      const reason =
        `Stream ${stream.id}: ${stream.queuedOctets} octets of DATA could not be sent for ${stallTimeoutMs} ms, ` +
        `its window is ${stream.sendWindow.sizeOctets} and the connection's ${context.sendWindow.sizeOctets} (limit stallTimeoutMs)`
      const code = ErrorCode.CANCEL
      context.resetStream(stream, new StreamError(reason, { code, streamId: stream.id, initiator: 'local' }))
    }
    context.stallCheckMs = next
  }
}
