/**
 * What is remembered of streams that closed by RST_STREAM (RFC 9113 §5.1, §5.4.2).
 *
 * Frames that were under way when we reset a stream are ignored; frames after the peer's reset are a stream
 * error. Of streams that ended in order nothing is remembered: every identifier not known here and not open did.
 * The memory is bounded: the oldest is forgotten first.
 */
import { StreamState } from './stream-state.ts'

/** Streams remembered: more than a peer has under way in a round trip. */
const MAX_REMEMBERED = 4096

/** Numbers kept of passed-over ranges, two for each; no real peer has any. */
const MAX_SKIPPED = 32

/** Closed streams of one connection by how they closed. */
export class ClosedStreams {
  #states: Map<number, StreamState> | undefined
  /** First and last of identifiers that were passed over, newest last. */
  #skipped: number[] | undefined

  /** Remembers a stream that was reset. */
  remember(streamId: number, state: StreamState): void {
    this.#states ??= new Map()
    const states = this.#states
    if (states.size >= MAX_REMEMBERED) {
      // A Map keeps the order of insertion, so the first key is the oldest.
      for (const oldest of states.keys()) {
        states.delete(oldest)
        break
      }
    }
    states.set(streamId, state)
  }

  /** The identifiers from `first` to `last` were passed over: idle streams that closed (RFC 9113 §5.1.1). */
  skip(first: number, last: number): void {
    this.#skipped ??= []
    if (this.#skipped.length >= MAX_SKIPPED) this.#skipped.splice(0, 2)
    this.#skipped.push(first, last)
  }

  /** True for an identifier that is known to have been passed over. */
  wasSkipped(streamId: number): boolean {
    const skipped = this.#skipped
    if (skipped === undefined) return false
    for (let i = 0; i < skipped.length; i += 2) {
      if (streamId >= skipped[i]! && streamId <= skipped[i + 1]!) return true
    }
    return false
  }

  /** The closed state of a stream that is known to have closed. */
  stateOf(streamId: number): StreamState {
    return this.#states?.get(streamId) ?? StreamState.closedInOrder
  }
}
