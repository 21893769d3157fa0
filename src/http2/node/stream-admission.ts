/**
 * Which streams of a client may start: no more at a time than the peer's SETTINGS_MAX_CONCURRENT_STREAMS allows
 * (RFC 9113 §5.1.2), the others in the order in which they asked. nghttp2 has such a queue too, but a stream
 * that is reset in it ends only when its turn comes.
 */
import type { NodeStream } from './node-stream.ts'

/** Streams a client opens before it has the peer's SETTINGS (RFC 9113 §6.5.2 recommends no smaller limit). */
const INITIAL_MAX_CONCURRENT_STREAMS = 100

/** The queue of one connection, and the count of streams that Node has. */
export class StreamAdmission {
  readonly #begin: (stream: NodeStream) => void
  #waiting: NodeStream[] = []
  #started = 0
  #maxConcurrentStreams = INITIAL_MAX_CONCURRENT_STREAMS
  #ready = false

  /** @param begin hands a stream to Node */
  constructor(begin: (stream: NodeStream) => void) {
    this.#begin = begin
  }

  /** Streams that Node has, closed ones that it has not let go of included. */
  get started(): number {
    return this.#started
  }

  /** Asks for a stream's turn; `begin` is called now or later. */
  ask(stream: NodeStream): void {
    // the common case, without the queue
    if (this.#ready && this.#waiting.length === 0 && this.#started < this.#maxConcurrentStreams) {
      this.#begin(stream)
    } else this.#waiting.push(stream)
  }

  /** The session is there, or the peer has changed its limit. */
  allow(maxConcurrentStreams = this.#maxConcurrentStreams): void {
    this.#maxConcurrentStreams = maxConcurrentStreams
    this.#ready = true
    this.#advance()
  }

  /** Counts a stream that Node has now. */
  entered(): void {
    this.#started++
  }

  /** Node has let go of a stream. */
  left(): void {
    this.#started--
    this.#advance()
  }

  #advance(): void {
    if (!this.#ready || this.#waiting.length === 0) return
    let begun = 0
    while (begun < this.#waiting.length && this.#started < this.#maxConcurrentStreams) {
      const stream = this.#waiting[begun++] as NodeStream
      if (!stream.isReset) this.#begin(stream)
    }
    this.#waiting.splice(0, begun)
  }

  /** Nothing starts here any more. */
  end(): void {
    this.#waiting = []
    this.#ready = false
  }
}
