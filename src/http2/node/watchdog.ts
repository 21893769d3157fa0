/**
 * Finds sessions that node:http2 has silently given up.
 *
 * After an illegal frame from the peer nghttp2 sends GOAWAY and neither reads nor writes any more, but Node 20
 * raises no event and keeps the socket for ever, on both sides. What shows it is that the session wants to
 * read nothing: Node's own `hasPendingData` asks nghttp2 that, and costs no octet on the wire. Where a Node
 * version hides it, a WINDOW_UPDATE of one octet that stays in the queue shows the same.
 *
 * One timer for all connections of one interval; it keeps no process alive.
 */
import type { Http2Session } from 'node:http2'

/** What the watchdog looks at. */
export interface Watched {
  /** Called every interval. */
  check(): void
}

class Watchdog {
  readonly #watched = new Set<Watched>()
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  add(watched: Watched): void {
    this.#watched.add(watched)
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#sweep(), this.#intervalMs)
    this.#timer.unref()
  }

  delete(watched: Watched): void {
    if (!this.#watched.delete(watched) || this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #sweep(): void {
    for (const watched of this.#watched) watched.check()
  }
}

const watchdogs = new Map<number, Watchdog>()

/** Has `watched.check` called every `intervalMs` milliseconds (0: never). Returns what ends it. */
export function watch(watched: Watched, intervalMs: number): () => void {
  if (intervalMs <= 0) return () => {}
  let watchdog = watchdogs.get(intervalMs)
  if (watchdog === undefined) {
    watchdog = new Watchdog(intervalMs)
    watchdogs.set(intervalMs, watchdog)
  }
  const chosen = watchdog
  chosen.add(watched)
  return () => chosen.delete(watched)
}

interface SessionHandle {
  hasPendingData?(): boolean
}

/** Node's private handle of a session, where this Node version has one that we understand. */
function handleOf(session: Http2Session): SessionHandle | undefined {
  for (const symbol of Object.getOwnPropertySymbols(session)) {
    if (symbol.description !== 'kHandle') continue
    const handle = (session as unknown as Record<symbol, SessionHandle | undefined>)[symbol]
    return typeof handle?.hasPendingData === 'function' ? handle : undefined
  }
  return undefined
}

/** Finds out whether nghttp2 has given a session up. */
export class SessionPulse {
  readonly #session: Http2Session
  readonly #handle: SessionHandle | undefined
  #windowOctets: number
  #probed = false

  /** @param windowOctets receive window of the connection, which the probe without a handle grows */
  constructor(session: Http2Session, windowOctets: number) {
    this.#session = session
    this.#handle = handleOf(session)
    this.#windowOctets = windowOctets
  }

  /** True if the session will never read again. */
  isDead(): boolean {
    const session = this.#session
    if (session.destroyed) return false
    if (this.#handle !== undefined) return this.#handle.hasPendingData?.() === false
    // a frame submitted at the last check that still waits, on a socket with room: nghttp2 writes no more
    const { outboundQueueSize = 0 } = session.state
    const stuck = this.#probed && outboundQueueSize > 0 && session.socket.writableLength === 0
    if (stuck) return true
    this.#windowOctets += 1
    this.#probed = true
    session.setLocalWindowSize(this.#windowOctets)
    return false
  }
}
