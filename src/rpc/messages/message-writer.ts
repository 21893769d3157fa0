/**
 * protobufjs's writer with two additions: bigint for 64-bit integers, and room for the prefix of a
 * Length-Prefixed-Message in front, so that framing copies nothing.
 */
import protobuf from 'protobufjs'
import { MESSAGE_PREFIX_OCTETS } from '../method.ts'

/** Above this the buffer is not kept for the next message. */
const KEPT_CAPACITY_OCTETS = 65536

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

/** Writes one message after the other into a buffer of its own and hands out exactly the octets written. */
export class MessageWriter extends protobuf.BufferWriter {
  /** True while a message is being written: a getter of the application's may encode another one meanwhile. */
  busy = false

  /** Starts a message behind blank room for its prefix. */
  begin(): this {
    this.busy = true
    this.states = null
    this.buf.fill(0, 0, MESSAGE_PREFIX_OCTETS)
    this.pos = MESSAGE_PREFIX_OCTETS
    return this
  }

  /** The octets written; they belong to the caller. */
  take(): Uint8Array {
    if (this.buf.length > KEPT_CAPACITY_OCTETS) {
      const octets = this.buf.subarray(0, this.pos)
      this.buf = Buffer.allocUnsafe(protobuf.Writer.initialBufferSize)
      this.view = null
      return octets
    }
    const octets = Buffer.allocUnsafe(this.pos)
    octets.set(this.buf.subarray(0, this.pos))
    return octets
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
