/**
 * protobufjs's writer with two additions: bigint for 64-bit integers, and room for the prefix of a
 * Length-Prefixed-Message in front, so that framing copies nothing.
 */
import protobuf from 'protobufjs'
import { MESSAGE_PREFIX_OCTETS } from '../method.ts'

/** Messages are written one behind the other into buffers of this size. */
const SLAB_OCTETS = 16384
/** With less room than this at its end, a buffer is left alone. */
const LEAST_ROOM_OCTETS = 512

/** A 64-bit integer as the encoder's checks leave it; map keys are decimal text. */
type Int64 = number | bigint | string

/** protobufjs takes anything with two halves of 32 bits for a 64-bit integer. */
type Halves = Parameters<protobuf.Writer['int64']>[0]
const halves = { low: 0, high: 0, unsigned: false }
const scratch = new DataView(new ArrayBuffer(8))

/** A 64-bit integer as protobufjs takes it; the result is valid until the next call. */
function split(value: Int64): Halves {
  if (typeof value === 'number') return value
  scratch.setBigInt64(0, typeof value === 'bigint' ? value : BigInt(value))
  halves.high = scratch.getInt32(0)
  halves.low = scratch.getInt32(4)
  return halves as Halves
}

/**
 * Writes one message behind the other into a common buffer and hands out each as a view of it.
 *
 * Neither a buffer nor a copy a message: a small message, its checks included, takes no longer than with bare protobufjs
 * (`bench/micro/messages.ts`). A buffer is never written twice, so a view stays what it is.
 */
export class MessageWriter extends protobuf.BufferWriter {
  /** True while a message is being written: a getter of the application's may encode another one meanwhile. */
  busy = false
  #start = 0

  constructor() {
    super()
    this.#newBuffer(SLAB_OCTETS)
  }

  /** Starts a message behind blank room for its prefix. */
  begin(): this {
    this.busy = true
    this.states = null
    if (this.buf.length - this.pos < LEAST_ROOM_OCTETS || this.buf.length > SLAB_OCTETS)
      this.#newBuffer(SLAB_OCTETS)
    this.#start = this.pos
    for (let i = 0; i < MESSAGE_PREFIX_OCTETS; i++) this.buf[this.pos++] = 0
    return this
  }

  /** Ends the message; its octets belong to the caller. */
  take(): Uint8Array {
    this.busy = false
    return this.buf.subarray(this.#start, this.pos)
  }

  /** Gives the message up. */
  abandon(): void {
    this.busy = false
    this.pos = this.#start
  }

  /** Makes room for more octets; called by every method of protobufjs that writes. */
  _reserve(sizeOctets: number): void {
    const needed = this.pos + sizeOctets
    if (needed <= this.buf.length) return
    // Positions stay as they are, because protobufjs remembers where lengths belong.
    const full = this.buf
    this.buf = Buffer.allocUnsafeSlow(Math.max(needed, this.#start + (full.length - this.#start) * 2))
    this.buf.set(full.subarray(this.#start, this.pos), this.#start)
    this.view = null
  }

  #newBuffer(sizeOctets: number): void {
    this.buf = Buffer.allocUnsafeSlow(sizeOctets)
    this.pos = 0
    this.view = null
  }

  override int64(value: Int64 | Halves): this {
    super.int64(split(value as Int64))
    return this
  }

  override uint64(value: Int64 | Halves): this {
    super.uint64(split(value as Int64))
    return this
  }

  override sint64(value: Int64 | Halves): this {
    super.sint64(split(value as Int64))
    return this
  }

  override fixed64(value: Int64 | Halves): this {
    super.fixed64(split(value as Int64))
    return this
  }

  override sfixed64(value: Int64 | Halves): this {
    super.sfixed64(split(value as Int64))
    return this
  }

  override int64s(values: ArrayLike<Int64 | Halves>): this {
    return this.#packed(values, this.int64)
  }

  override uint64s(values: ArrayLike<Int64 | Halves>): this {
    return this.#packed(values, this.uint64)
  }

  override sint64s(values: ArrayLike<Int64 | Halves>): this {
    return this.#packed(values, this.sint64)
  }

  override fixed64s(values: ArrayLike<Int64 | Halves>): this {
    return this.#packed(values, this.fixed64)
  }

  override sfixed64s(values: ArrayLike<Int64 | Halves>): this {
    return this.#packed(values, this.sfixed64)
  }

  #packed(values: ArrayLike<Int64 | Halves>, write: (value: Int64 | Halves) => this): this {
    this.fork()
    for (let i = 0; i < values.length; i++) write.call(this, values[i]!)
    this.ldelim()
    return this
  }
}
