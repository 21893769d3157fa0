/**
 * Length-Prefixed-Message: how gRPC cuts the octets of HTTP/2 DATA frames into messages.
 *
 * gRPC PROTOCOL-HTTP2, "Length-Prefixed-Message": Compressed-Flag (1 octet), Message-Length (4 octets, big-endian),
 * then the message. DATA frame boundaries mean nothing. Neither compression nor message contents are known here.
 */
import { copyOctets, putUint32, readUint32 } from './octets.ts'
import { WireError } from './wire-error.ts'

const SECTION = 'gRPC PROTOCOL-HTTP2 Length-Prefixed-Message'
const PREFIX_OCTETS = 5
const MAX_LENGTH_OCTETS = 0xffffffff
/** A message up to this size that is cut gets its buffer at once, a larger one when all of it has come. */
const SMALL_MESSAGE_OCTETS = 16384
/** Pieces of a larger message from this size on are kept as they came, the others are copied into blocks. */
const KEPT_PIECE_OCTETS = 4096
const BLOCK_OCTETS = 16384
const NO_OCTETS = new Uint8Array(0)
/** How much of what is no gRPC is quoted in the error. */
const QUOTED_CHARACTERS = 32

/** Receive limit of gRPC where nothing else is said, in octets: 4 MiB. */
export const DEFAULT_MAX_MESSAGE_OCTETS: number = 4 * 1024 * 1024

/**
 * Writes the prefix of a Length-Prefixed-Message: five octets of `octets` from `offset` on.
 *
 * @param compressed the Compressed-Flag: whether the message is compressed with the stream's `grpc-encoding`
 * @param lengthOctets size of the message behind the prefix, at most 2^32 - 1
 * @throws RangeError if `lengthOctets` does not fit, or the prefix lies outside of `octets`
 * @example
 * const octets = Uint8Array.of(0, 0, 0, 0, 0, 0x08, 0x01)
 * writeMessagePrefix(octets, 0, false, 2) // octets: 00 00000002 0801
 */
export function writeMessagePrefix(
  octets: Uint8Array,
  offset: number,
  compressed: boolean,
  lengthOctets: number,
): void {
  if (!(lengthOctets >= 0 && lengthOctets <= MAX_LENGTH_OCTETS)) {
    throw new RangeError(
      `A message of ${lengthOctets} octets can't be sent; Message-Length allows 0 to ${MAX_LENGTH_OCTETS}`,
    )
  }
  if (offset < 0 || offset + PREFIX_OCTETS > octets.length) {
    throw new RangeError(
      `No room for a message prefix at ${offset} of ${octets.length} octets; it takes ${PREFIX_OCTETS}`,
    )
  }
  octets[offset] = compressed ? 1 : 0
  putUint32(octets, offset + 1, lengthOctets)
}

/** What is wrong with the framing: over the limit, ended inside a message, reserved flag bits, or no gRPC at all. */
export type MessageFramingFault = 'too-large' | 'truncated' | 'reserved-flag' | 'not-grpc'

/**
 * The peer's octets are no sequence of messages that may be taken.
 *
 * `fault` tells a program what happened: `too-large` becomes RESOURCE_EXHAUSTED, the others INTERNAL.
 */
export class MessageFramingError extends WireError {
  /** What is wrong, for a program. */
  readonly fault: MessageFramingFault

  constructor(fault: MessageFramingFault, reason: string, offset: number) {
    super(reason, { layer: 'length-prefixed-message', section: SECTION, offset })
    this.fault = fault
  }
}

/** Where a {@link MessageDecoder} tells its messages. */
export interface MessageSink {
  /**
   * One whole message: octets `start` to `end` of `chunk`, which is the chunk pushed, or the decoder's own
   * copy if the message came in pieces. Either may be kept.
   *
   * @returns true to go on, false to stop after this message (back-pressure): `push` then returns early
   */
  onMessage(compressed: boolean, chunk: Uint8Array, start: number, end: number): boolean
}

/**
 * Cuts octets, arriving in any pieces, into messages.
 *
 * A message that lies whole in one chunk is told by its offsets: nothing is copied or allocated. A message that is cut
 * waits in pieces, and is put together when its last octet has come: beyond 16 KiB, what is held is what came, not what
 * was declared.
 * The limit is checked on the prefix, before anything is kept. Between two calls the decoder holds at most one
 * unfinished message, and the chunks that its large pieces lie in: they must not be changed meanwhile.
 *
 * After an error the decoder stays failed and throws it again.
 *
 * @example
 * const decoder = new MessageDecoder(4 * 1024 * 1024)
 * const sink = { onMessage: (compressed, chunk, start, end) => (console.log(end - start), true) }
 * decoder.push(Uint8Array.of(0, 0, 0, 0, 1), 0, 5, sink) // nothing yet
 * decoder.push(Uint8Array.of(42), 0, 1, sink) // prints 1
 * decoder.end()
 */
export class MessageDecoder {
  readonly #maxMessageOctets: number
  /** The prefix that is cut, or of the message that is; made when there is one. */
  #prefix: Uint8Array = NO_OCTETS
  #prefixOctets = 0
  #compressed = false
  #lengthOctets = 0
  /** The buffer of a small message that is cut. */
  #message: Uint8Array | undefined = undefined
  /** A large message that is cut, as far as it has come, but for what is in the block. */
  #pieces: Uint8Array[] | undefined = undefined
  #block: Uint8Array = NO_OCTETS
  #blockStart = 0
  #blockEnd = 0
  #messageOctets = 0
  #totalOctets = 0
  #failure: MessageFramingError | undefined = undefined

  /** @param maxMessageOctets largest message taken, without its prefix; default 4 MiB, `Infinity` for no limit */
  constructor(maxMessageOctets: number = DEFAULT_MAX_MESSAGE_OCTETS) {
    this.#maxMessageOctets = maxMessageOctets
  }

  /** Octets held of a message, or a prefix, that is not whole yet. */
  get pendingOctets(): number {
    return this.#prefixOctets < PREFIX_OCTETS ? this.#prefixOctets : PREFIX_OCTETS + this.#messageOctets
  }

  /**
   * Takes octets `start` to `end` of `chunk` and tells `sink` each message that is whole.
   *
   * @returns where it stopped: `end`, or less if the sink answered false. Then the rest is pushed again,
   *   from there, when the application wants more.
   * @throws MessageFramingError on a message over the limit, reserved flag bits, or what is no gRPC
   */
  push(chunk: Uint8Array, start: number, end: number, sink: MessageSink): number {
    if (this.#failure !== undefined) throw this.#failure
    let at = start
    if (this.#prefixOctets > 0) {
      at = this.#resume(chunk, start, end)
      if (this.#prefixOctets < PREFIX_OCTETS || this.#messageOctets < this.#lengthOctets) return at
      const message = this.#message ?? this.#join()
      this.#message = undefined
      this.#prefixOctets = 0
      this.#messageOctets = 0
      this.#totalOctets += PREFIX_OCTETS + this.#lengthOctets
      if (!sink.onMessage(this.#compressed, message, 0, this.#lengthOctets)) return at
    }
    while (end - at >= PREFIX_OCTETS) {
      const flag = chunk[at]!
      const lengthOctets = readUint32(chunk, at + 1)
      if (flag > 1 || lengthOctets > this.#maxMessageOctets) this.#refuse(chunk, at, end)
      const messageStart = at + PREFIX_OCTETS
      if (end - messageStart < lengthOctets) break
      at = messageStart + lengthOctets
      this.#totalOctets += PREFIX_OCTETS + lengthOctets
      if (!sink.onMessage(flag === 1, chunk, messageStart, at)) return at
    }
    return at < end ? this.#resume(chunk, at, end) : at
  }

  /**
   * The stream ended in order.
   *
   * @throws MessageFramingError if it ended inside a message or its prefix
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#prefixOctets === 0) return
    if (this.#prefixOctets < PREFIX_OCTETS) {
      if (this.#prefix[0]! > 1) this.#refuse(this.#prefix, 0, this.#prefixOctets)
      this.#fail(
        'truncated',
        `The stream ended after ${this.#prefixOctets} of ${PREFIX_OCTETS} octets of a message prefix`,
      )
    }
    const came = `${this.#messageOctets} of ${this.#lengthOctets} octets`
    this.#fail('truncated', `The stream ended inside a message, after ${came}`)
  }

  /** Takes what the started prefix or message still lacks; returns where that ends. */
  #resume(chunk: Uint8Array, start: number, end: number): number {
    let at = start
    if (this.#prefix.length === 0) this.#prefix = new Uint8Array(PREFIX_OCTETS)
    while (this.#prefixOctets < PREFIX_OCTETS) {
      if (at === end) return at
      this.#prefix[this.#prefixOctets++] = chunk[at++]!
      if (this.#prefixOctets === PREFIX_OCTETS) this.#startMessage(chunk, at, end)
    }
    const taken = Math.min(end - at, this.#lengthOctets - this.#messageOctets)
    if (taken === 0) return at
    if (this.#message === undefined) this.#keep(chunk, at, at + taken)
    else copyOctets(chunk, at, at + taken, this.#message, this.#messageOctets)
    this.#messageOctets += taken
    return at + taken
  }

  #startMessage(chunk: Uint8Array, at: number, end: number): void {
    const prefix = this.#prefix
    const lengthOctets = readUint32(prefix, 1)
    if (prefix[0]! > 1 || lengthOctets > this.#maxMessageOctets) {
      this.#refuse(Buffer.concat([prefix, chunk.subarray(at, Math.min(end, at + QUOTED_CHARACTERS))]), 0)
    }
    this.#compressed = prefix[0] === 1
    this.#lengthOctets = lengthOctets
    this.#messageOctets = 0
    if (lengthOctets <= SMALL_MESSAGE_OCTETS) this.#message = Buffer.allocUnsafe(lengthOctets)
    else this.#pieces = []
  }

  /** Keeps a piece of a large message, so that single octets take no more room than their number. */
  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (end - start >= KEPT_PIECE_OCTETS) {
      this.#sealBlock()
      this.#pieces!.push(chunk.subarray(start, end))
      return
    }
    if (this.#block.length - this.#blockEnd < end - start) {
      this.#sealBlock()
      this.#block = Buffer.allocUnsafeSlow(BLOCK_OCTETS)
      this.#blockStart = 0
      this.#blockEnd = 0
    }
    copyOctets(chunk, start, end, this.#block, this.#blockEnd)
    this.#blockEnd += end - start
  }

  /** What the block has got since the last piece becomes one. */
  #sealBlock(): void {
    if (this.#blockStart === this.#blockEnd) return
    this.#pieces!.push(this.#block.subarray(this.#blockStart, this.#blockEnd))
    this.#blockStart = this.#blockEnd
  }

  /** The large message in one buffer, copied once (bench/wire/length-prefixed-message.ts). */
  #join(): Uint8Array {
    this.#sealBlock()
    const message = Buffer.allocUnsafeSlow(this.#lengthOctets)
    let at = 0
    for (const piece of this.#pieces!) {
      message.set(piece, at)
      at += piece.length
    }
    this.#dropPieces()
    return message
  }

  #dropPieces(): void {
    this.#pieces = undefined
    this.#block = NO_OCTETS
    this.#blockStart = 0
    this.#blockEnd = 0
  }

  /** Says what is wrong with the prefix at `at`: text instead of gRPC, reserved bits, or the limit. */
  #refuse(chunk: Uint8Array, at: number, end: number = chunk.length): never {
    const flag = chunk[at]!
    const text = recogniseText(chunk, at, end)
    if (flag > 1) {
      if (text !== undefined) this.#fail('not-grpc', `${text}, not a gRPC message`)
      this.#fail('reserved-flag', `Compressed-Flag is ${flag}, allowed 0 or 1 (the other bits are reserved)`)
    }
    const lengthOctets = readUint32(chunk, at + 1)
    const hint = text === undefined ? '' : `; ${text}`
    this.#fail(
      'too-large',
      `Received message larger than max (${lengthOctets} vs ${this.#maxMessageOctets})${hint}`,
    )
  }

  #fail(fault: MessageFramingFault, reason: string): never {
    this.#failure = new MessageFramingError(fault, reason, this.#totalOctets)
    this.#message = undefined
    this.#dropPieces()
    throw this.#failure
  }
}

/** What starts which kind of text, in lower case, with and without the octet taken as Compressed-Flag. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^\s*(<!--|<!doc|<html|<head|<body|<h\d|<p>|!doc|html|head|body)/i, 'HTML'],
  [/^\s*<?\?xml/i, 'XML'],
  [/^\s*(http|ttp)\//i, 'an HTTP/1 response'],
  [/^\s*(get|post|put|head|options|pri) [/*]/i, 'an HTTP request'],
  [/^\s*[{[]\s*["{[\]}\d]/, 'JSON'],
  [/^\s*(event|data|id|retry): ?/i, 'an event stream'],
]

/** Names the text that stands where a message should start, or undefined if it is none. */
function recogniseText(chunk: Uint8Array, at: number, end: number): string | undefined {
  // A flag of 0 or 1 can only be followed by text: the length is what reads as ASCII.
  const start = chunk[at]! > 1 ? at : at + 1
  let stop = start
  const limit = Math.min(end, start + QUOTED_CHARACTERS)
  while (stop < limit && isText(chunk[stop]!)) stop++
  if (stop < Math.min(end, at + PREFIX_OCTETS)) return undefined
  const text = Buffer.from(chunk.buffer, chunk.byteOffset + start, stop - start).toString('latin1')
  const kind = BEGINNINGS.find(([beginning]) => beginning.test(text))?.[1] ?? 'text'
  return `the peer sent ${kind} (${JSON.stringify(text)})`
}

function isText(octet: number): boolean {
  return (octet >= 0x20 && octet < 0x7f) || octet === 0x0a || octet === 0x0d || octet === 0x09
}
