/**
 * Growable output of octets, with big-endian integers, reserving and filling in afterwards.
 *
 * All writers of this floor append to an {@link OctetWriter}: a frame leaves its length blank, writes its
 * payload in place and fills the length in at the end, so that nothing is copied between layers.
 */

const DEFAULT_CAPACITY_OCTETS = 4096
const encoder = new TextEncoder()

/** Reads an unsigned 16-bit big-endian integer at `offset`. */
export function readUint16(octets: Uint8Array, offset: number): number {
  return (octets[offset]! << 8) | octets[offset + 1]!
}

/** Reads an unsigned 24-bit big-endian integer at `offset`. */
export function readUint24(octets: Uint8Array, offset: number): number {
  return (octets[offset]! << 16) | (octets[offset + 1]! << 8) | octets[offset + 2]!
}

/** Reads an unsigned 32-bit big-endian integer at `offset`. */
export function readUint32(octets: Uint8Array, offset: number): number {
  return (
    octets[offset]! * 0x1000000 +
    ((octets[offset + 1]! << 16) | (octets[offset + 2]! << 8) | octets[offset + 3]!)
  )
}

/** Writes `value` as an unsigned 32-bit big-endian integer at `offset` of `octets`. */
export function putUint32(octets: Uint8Array, offset: number, value: number): void {
  octets[offset] = value >>> 24
  octets[offset + 1] = value >>> 16
  octets[offset + 2] = value >>> 8
  octets[offset + 3] = value
}

/** Up to here a loop is faster than `set`: for a whole array, and for a part, which needs a view (bench/micro/copy.ts). */
const LOOP_WHOLE_OCTETS = 16
const LOOP_PART_OCTETS = 64

/** Copies octets `start` to `end` of `from` to `at` of `to`. */
export function copyOctets(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  const sizeOctets = end - start
  const isWhole = sizeOctets === from.length
  if (sizeOctets <= (isWhole ? LOOP_WHOLE_OCTETS : LOOP_PART_OCTETS)) {
    for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]!
  } else {
    to.set(isWhole ? from : from.subarray(start, end), at)
  }
}

/**
 * One growable output buffer with a write position.
 *
 * `buffer` and `length` are public on purpose: hot loops write `buffer[length++]` themselves after
 * one {@link OctetWriter.ensure}. `buffer` is replaced when it grows, so never keep it across a call.
 *
 * @example
 * const out = new OctetWriter()
 * out.uint24(5); out.uint8(0)
 * out.take() // Uint8Array [0, 0, 5, 0]
 */
export class OctetWriter {
  /** What has been written, and spare room; replaced by a larger one when full. */
  buffer: Uint8Array
  /** Octets written. */
  length = 0

  /** @param capacityOctets octets reserved at the start; default 4096, grows by doubling */
  constructor(capacityOctets: number = DEFAULT_CAPACITY_OCTETS) {
    this.buffer = Buffer.allocUnsafeSlow(capacityOctets)
  }

  /** Makes room for `sizeOctets` more octets. */
  ensure(sizeOctets: number): void {
    const needed = this.length + sizeOctets
    if (needed <= this.buffer.length) return
    let capacity = this.buffer.length * 2 || DEFAULT_CAPACITY_OCTETS
    while (capacity < needed) capacity *= 2
    const grown = Buffer.allocUnsafeSlow(capacity)
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
  }

  /** Appends 8 bits. */
  uint8(value: number): void {
    this.ensure(1)
    this.buffer[this.length++] = value
  }

  /** Appends 16 bits, big-endian. */
  uint16(value: number): void {
    this.ensure(2)
    this.buffer[this.length++] = value >>> 8
    this.buffer[this.length++] = value
  }

  /** Appends 24 bits, big-endian. */
  uint24(value: number): void {
    this.ensure(3)
    this.buffer[this.length++] = value >>> 16
    this.buffer[this.length++] = value >>> 8
    this.buffer[this.length++] = value
  }

  /** Appends 32 bits, big-endian. */
  uint32(value: number): void {
    this.ensure(4)
    putUint32(this.buffer, this.length, value)
    this.length += 4
  }

  /** Appends `octets`, or the part of them from `start` to `end`. */
  octets(octets: Uint8Array, start = 0, end: number = octets.length): void {
    const size = end - start
    this.ensure(size)
    copyOctets(octets, start, end, this.buffer, this.length)
    this.length += size
  }

  /** Appends the UTF-8 octets of `text`. */
  text(text: string): void {
    // One UTF-16 code unit becomes at most three octets.
    this.ensure(text.length * 3)
    this.length += encoder.encodeInto(text, this.buffer.subarray(this.length)).written
  }

  /** Leaves `sizeOctets` octets blank and returns where they start, to be filled in afterwards. */
  reserve(sizeOctets: number): number {
    this.ensure(sizeOctets)
    const start = this.length
    this.length += sizeOctets
    return start
  }

  /** Everything written so far as a view (valid until the next write). */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** Everything written so far as a copy; the writer is empty afterwards and keeps its buffer. */
  take(): Uint8Array {
    // Not `slice`: on a Buffer that is a view, and the next write would change it.
    const taken = new Uint8Array(this.buffer.subarray(0, this.length))
    this.length = 0
    return taken
  }

  /** Forgets everything written so far. */
  clear(): void {
    this.length = 0
  }
}
