/**
 * A field block that comes in several frames: HEADERS or PUSH_PROMISE, then CONTINUATION (RFC 9113 §4.3, §6.10).
 *
 * Fragments are put together before decoding, within limits of octets, frames and time, so that a block without
 * end costs little (CVE-2024-27983). That nothing else comes between is the frame decoder's check.
 */
import type { CoreOptions } from './options.ts'

const KEPT_OCTETS = 16_384

const NO_OCTETS = new Uint8Array(0)

/** One field block at a time, put together from fragments. */
export class FieldBlockAssembly {
  /** The stream of the HEADERS or PUSH_PROMISE frame; 0 while none is being put together. */
  streamId = 0
  /** Of PUSH_PROMISE, else 0. */
  promisedStreamId = 0
  endStream = false
  /** When it has to be complete. */
  deadlineMs = Number.POSITIVE_INFINITY
  /** The block's octets are the first `sizeOctets` of `octets`. */
  octets = NO_OCTETS
  sizeOctets = 0
  #continuations = 0
  readonly #options: CoreOptions

  constructor(options: CoreOptions) {
    this.#options = options
  }

  /** Starts with the fragment of the first frame. */
  begin(streamId: number, promisedStreamId: number, endStream: boolean, nowMs: number): void {
    this.streamId = streamId
    this.promisedStreamId = promisedStreamId
    this.endStream = endStream
    this.sizeOctets = 0
    this.#continuations = 0
    this.deadlineMs = nowMs + this.#options.fieldBlockTimeoutMs
  }

  /**
   * Appends a fragment.
   *
   * @returns what is too much, or undefined
   */
  add(chunk: Uint8Array, start: number, end: number): string | undefined {
    const size = this.sizeOctets + end - start
    const { maxFieldBlockOctets } = this.#options
    if (size > maxFieldBlockOctets) {
      return `field block of more than ${maxFieldBlockOctets} octets (limit maxFieldBlockOctets)`
    }
    if (size > this.octets.length) {
      const grown = new Uint8Array(Math.max(size, this.octets.length * 2))
      grown.set(this.octets.subarray(0, this.sizeOctets))
      this.octets = grown
    }
    this.octets.set(chunk.subarray(start, end), this.sizeOctets)
    this.sizeOctets = size
    return undefined
  }

  /** As {@link FieldBlockAssembly.add}, for a CONTINUATION frame, whose number is limited. */
  continue(chunk: Uint8Array, start: number, end: number): string | undefined {
    const { maxContinuations } = this.#options
    if (++this.#continuations > maxContinuations) {
      return `more than ${maxContinuations} CONTINUATION frames in a field block (limit maxContinuations)`
    }
    return this.add(chunk, start, end)
  }

  /** The block has been used. */
  finish(): void {
    this.streamId = 0
    this.deadlineMs = Number.POSITIVE_INFINITY
    if (this.octets.length > KEPT_OCTETS) this.octets = NO_OCTETS
  }
}
