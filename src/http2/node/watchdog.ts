/**
 * Finds sessions that node:http2 has silently given up.
 *
 * After an illegal frame from the peer nghttp2 sends GOAWAY and neither reads nor writes any more, but Node 20
 * raises no event and keeps the socket for ever, on both sides. What shows it is that the session wants to
 * read nothing: the session's handle in Node (20 to 24) asks nghttp2 that with `hasPendingData`, which costs no
 * octet on the wire. On a Node version without it the watchdog does nothing; Node 24.21 and later close such
 * sessions themselves.
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

/** Knows whether nghttp2 has given a session up. */
export class SessionPulse {
  readonly #session: Http2Session
  readonly #handle: SessionHandle | undefined

  constructor(session: Http2Session) {
    this.#session = session
    this.#handle = handleOf(session)
  }

  /** True if this Node version lets us look. */
  get canTell(): boolean {
    return this.#handle !== undefined
  }

  /** True if the session will never read again. */
  isDead(): boolean {
    return !this.#session.destroyed && this.#handle?.hasPendingData?.() === false
  }
}
