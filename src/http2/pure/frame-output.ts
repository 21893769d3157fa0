/**
 * What a connection wants to send, in order: frames written in place in one buffer, and large payloads that
 * are referenced where they lie.
 *
 * ```
 *   buffer:   [HEADERS DATA-header]        [HEADERS DATA DATA HEADERS ...]
 *   sent as:   part 1               large   part 3                          -> one writev
 * ```
 * A buffer is taken from a pool when the first frame is written and given back when its octets have left, so
 * that an idle connection holds none.
 */
import { OctetWriter } from '../../wire/octets.ts'

/** Size of a pooled buffer, in octets. */
const BUFFER_OCTETS = 65_536
/** Buffers kept for reuse: enough for the connections that write within one turn of the event loop. */
const MAX_POOLED = 16

const pool: Uint8Array[] = []
const NO_BUFFER = new Uint8Array(0)

/** Ordered output of one connection. */
export class FrameOutput {
  /** Where frames are written. Call {@link FrameOutput.open} before, once a turn. */
  readonly writer: OctetWriter = new OctetWriter(0)
  /** Octets in `parts`. */
  #partsOctets = 0
  #parts: Uint8Array[] = []
  /** Where the octets of `writer` that are in no part begin. */
  #start = 0

  /** Octets waiting to be taken. */
  get sizeOctets(): number {
    return this.#partsOctets + this.writer.length - this.#start
  }

  /** True while it holds a buffer. */
  get isOpen(): boolean {
    return this.writer.buffer.length > 0
  }

  /** True for a part that lies in the buffer and will be written over once that is released for reuse. */
  owns(part: Uint8Array): boolean {
    return part.buffer === this.writer.buffer.buffer
  }

  /** Makes sure that there is a buffer to write to. */
  open(): void {
    if (this.writer.buffer.length === 0)
      this.writer.buffer = pool.pop() ?? Buffer.allocUnsafeSlow(BUFFER_OCTETS)
  }

  /** Appends octets `start` to `end` of `octets` without copying them. They must not change any more. */
  reference(octets: Uint8Array, start: number, end: number): void {
    this.#seal()
    this.#parts.push(start === 0 && end === octets.length ? octets : octets.subarray(start, end))
    this.#partsOctets += end - start
  }

  /**
   * Everything that waits, as the parts to be sent one after the other; the output is empty afterwards. The
   * parts stay valid until {@link FrameOutput.release}, before which nothing may be written.
   */
  take(): Uint8Array[] {
    this.#seal()
    const parts = this.#parts
    this.#parts = []
    this.#partsOctets = 0
    return parts
  }

  /**
   * Ends the use of what was taken.
   *
   * @param reusable true if the octets have left already, so that the buffer can be written to again
   */
  release(reusable: boolean): void {
    const { writer } = this
    const { buffer } = writer
    writer.length = 0
    writer.buffer = NO_BUFFER
    this.#start = 0
    if (reusable && buffer.length === BUFFER_OCTETS && pool.length < MAX_POOLED) pool.push(buffer)
  }

  #seal(): void {
    const { writer } = this
    if (writer.length === this.#start) return
    this.#parts.push(writer.buffer.subarray(this.#start, writer.length))
    this.#partsOctets += writer.length - this.#start
    this.#start = writer.length
  }
}
