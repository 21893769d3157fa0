/**
 * protobufjs's reader with what it lacks: octets by offsets, bigint for 64-bit integers, a limit on
 * over-long varints of unknown fields, and no small value that keeps a large chunk alive.
 */
import protobuf from 'protobufjs'
import { copyOctets } from '../../wire/octets.ts'

const NOTHING = Buffer.alloc(0)
/** Octets of the longest varint (protobuf encoding guide, "Base 128 Varints"). */
const MAX_VARINT_OCTETS = 10
/** Up to here a loop is faster than `toString`, which leaves JavaScript (`bench/micro/messages.ts`). */
const SHORT_TEXT_OCTETS = 8
const REPLACEMENT_CHARACTER = '\ufffd'
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

type Long = ReturnType<protobuf.Reader['int64']>

/** Reads one message after the other. */
export class MessageReader extends protobuf.Reader {
  declare buf: Buffer

  constructor() {
    super(NOTHING)
    // Set on the instance, so that nobody else's use of protobufjs changes.
    this.discardUnknown = false
  }

  /** Starts to read octets `start` to `end` of `chunk`. */
  begin(chunk: Uint8Array, start: number, end: number): this {
    this.buf = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    this.pos = start
    this.len = end
    this.view = null
    return this
  }

  /** Lets go of the chunk. */
  finish(): void {
    this.buf = NOTHING
    this.pos = 0
    this.len = 0
    this.view = null
  }

  // The types of protobufjs know 64-bit integers as Long only; what is given here is seen by nobody but plain-objects.ts.
  override int64(): Long {
    this.#varint64()
    return scratch.getBigInt64(0) as unknown as Long
  }

  override uint64(): Long {
    this.#varint64()
    return scratch.getBigUint64(0) as unknown as Long
  }

  override sint64(): Long {
    this.#varint64()
    const zigZag = scratch.getBigUint64(0)
    return ((zigZag >> 1n) ^ -(zigZag & 1n)) as unknown as Long
  }

  override fixed64(): Long {
    this.#fixed64()
    return scratch.getBigUint64(0) as unknown as Long
  }

  override sfixed64(): Long {
    this.#fixed64()
    return scratch.getBigInt64(0) as unknown as Long
  }

  /** Text of a field that need not be UTF-8 (proto2). */
  override string(): string {
    const end = this.#endOfLengthDelimited()
    const start = this.pos
    this.pos = end
    return this.buf.toString('utf8', start, end)
  }

  /** Text of a field that must be UTF-8 (proto3). */
  override stringVerify(): string {
    const end = this.#endOfLengthDelimited()
    const start = this.pos
    this.pos = end
    if (end - start <= SHORT_TEXT_OCTETS) {
      const text = shortAscii(this.buf, start, end)
      if (text !== undefined) return text
    }
    const text = this.buf.toString('utf8', start, end)
    // Only what holds U+FFFD can have been invalid: most text needs no second look.
    if (text.includes(REPLACEMENT_CHARACTER)) verifyUtf8(this.buf.subarray(start, end))
    return text
  }

  /** A view where the value makes up most of the chunk, otherwise a copy: it must not keep the chunk alive. */
  override bytes(): Uint8Array {
    const end = this.#endOfLengthDelimited()
    const start = this.pos
    this.pos = end
    const { buf } = this
    if ((end - start) * 2 >= buf.length) return buf.subarray(start, end)
    const copy = Buffer.allocUnsafe(end - start)
    copyOctets(buf, start, end, copy, 0)
    return copy
  }

  override skip(lengthOctets?: number): this {
    if (lengthOctets !== undefined) {
      super.skip(lengthOctets)
      return this
    }
    for (let i = 0; i < MAX_VARINT_OCTETS; i++) {
      if (this.pos >= this.len) throw outOfRange(this, 1)
      if (this.buf[this.pos++]! < 0x80) return this
    }
    throw new Error('invalid varint encoding')
  }

  #endOfLengthDelimited(): number {
    const size = this.size()
    const end = this.pos + size
    if (end > this.len) throw outOfRange(this, size)
    return end
  }

  #varint64(): void {
    let low = 0
    let high = 0
    for (let i = 0; i < MAX_VARINT_OCTETS; i++) {
      if (this.pos >= this.len) throw outOfRange(this, 1)
      const octet = this.buf[this.pos++]!
      const bits = octet & 0x7f
      if (i < 4) low |= bits << (7 * i)
      else if (i === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * i - 32)
      if (octet < 0x80) {
        scratch.setInt32(0, high)
        scratch.setInt32(4, low)
        return
      }
    }
    throw new Error('invalid varint encoding')
  }

  #fixed64(): void {
    if (this.pos + 8 > this.len) throw outOfRange(this, 8)
    scratch.setInt32(4, this.buf.readInt32LE(this.pos))
    scratch.setInt32(0, this.buf.readInt32LE(this.pos + 4))
    this.pos += 8
  }
}

/** ASCII by four characters at a time, or undefined if it is more than that. */
function shortAscii(octets: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  let at = start
  for (; at + 3 < end; at += 4) {
    const a = octets[at]!
    const b = octets[at + 1]!
    const c = octets[at + 2]!
    const d = octets[at + 3]!
    if ((a | b | c | d) > 0x7f) return undefined
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < end; at++) {
    const octet = octets[at]!
    if (octet > 0x7f) return undefined
    text += String.fromCharCode(octet)
  }
  return text
}

function verifyUtf8(octets: Uint8Array): void {
  try {
    strictUtf8.decode(octets)
  } catch {
    throw new Error('string is not valid UTF-8')
  }
}

function outOfRange(reader: protobuf.Reader, sizeOctets: number): RangeError {
  return new RangeError(`index out of range: ${reader.pos} + ${sizeOctets} > ${reader.len}`)
}
