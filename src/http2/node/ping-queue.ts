/**
 * Round trips on one session. Node cancels pings above its limit of outstanding ones; here they wait their turn,
 * and each is answered exactly once.
 */
import type { Http2Session } from 'node:http2'

/** Pings on the wire at a time. */
export const MAX_OUTSTANDING_PINGS = 10

/** Told once: the round trip, or why there is none. */
export type PingListener = (error: Error | undefined, roundTripMs: number) => void

/** The pings of one session: waiting, and on the wire. */
export class PingQueue {
  readonly #waiting: PingListener[] = []
  readonly #sent = new Set<PingListener>()

  add(onResult: PingListener): void {
    this.#waiting.push(onResult)
  }

  /** Sends what waits, as far as the limit allows. */
  send(session: Http2Session): void {
    while (!session.destroyed && this.#waiting.length > 0 && this.#sent.size < MAX_OUTSTANDING_PINGS) {
      const onResult = this.#waiting.shift() as PingListener
      this.#sent.add(onResult)
      const answered = (error: Error | null, roundTripMs: number) => {
        // cancelled by Node because the session ends: `end` tells why
        if (error !== null || !this.#sent.delete(onResult)) return
        onResult(undefined, roundTripMs)
        this.send(session)
      }
      // Node sends no PING once a session is closing; SETTINGS are acknowledged too (RFC 9113 §6.5.3)
      if (session.closed)
        session.settings({}, (error, _settings, roundTripMs) => answered(error, roundTripMs))
      else session.ping(answered)
    }
  }

  /** The session is gone: answers all that is open. */
  end(error: Error): void {
    const open = [...this.#sent, ...this.#waiting]
    this.#sent.clear()
    this.#waiting.length = 0
    for (const onResult of open) onResult(error, 0)
  }
}
