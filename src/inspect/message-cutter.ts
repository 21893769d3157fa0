/**
 * Cuts the DATA of one direction of a stream into Length-Prefixed-Messages and keeps the beginning of each
 * (gRPC PROTOCOL-HTTP2, "Length-Prefixed-Message").
 *
 * Unlike the decoder of calls it takes messages of any size, for it keeps no more than `keptOctets` of one,
 * and it knows at which octet of the connection each message began.
 */
import { MessageDecoder, MessageFramingError } from '../wire/index.ts'
import { readUint32 } from '../wire/octets.ts'

const PREFIX_OCTETS = 5

/** Octets behind a bad prefix that help to tell what was sent instead of a message. */
const QUOTED_OCTETS = 32

/** A message as it was cut out of DATA frames. */
export interface CutMessage {
  /** Of the prefix's first octet, on the connection. */
  readonly offset: number
  readonly compressed: boolean
  readonly lengthOctets: number
  /** The message behind the prefix, or its beginning; a copy. */
  readonly octets: Uint8Array
}

/** The messages of one direction of one stream. */
export class MessageCutter {
  readonly #keptOctets: number
  readonly #prefix = new Uint8Array(PREFIX_OCTETS)
  #prefixOctets = 0
  /** Where the current message's prefix starts on the connection. */
  #offset = 0
  #lengthOctets = 0
  #receivedOctets = 0
  /** Grows as octets come, up to what is kept of the message. */
  #kept: Uint8Array = new Uint8Array(0)

  /** @param keptOctets what is kept of a message at most */
  constructor(keptOctets: number) {
    this.#keptOctets = keptOctets
  }

  /**
   * Takes the data of a DATA frame.
   *
   * @param offset of its first octet, on the connection
   * @returns the messages that it completed
   * @throws MessageFramingError where a prefix is none; nothing can be cut after that
   */
  push(data: Uint8Array, offset: number): CutMessage[] {
    const messages: CutMessage[] = []
    let at = 0
    while (at < data.length) {
      if (this.#prefixOctets < PREFIX_OCTETS) {
        if (this.#prefixOctets === 0) this.#offset = offset + at
        this.#prefix[this.#prefixOctets++] = data[at++]!
        if (this.#prefixOctets === PREFIX_OCTETS) this.#begin(data, at)
      } else {
        const taken = Math.min(data.length - at, this.#lengthOctets - this.#receivedOctets)
        this.#keep(data, at, taken)
        at += taken
      }
      if (this.#prefixOctets === PREFIX_OCTETS && this.#receivedOctets === this.#lengthOctets) {
        messages.push(this.#complete())
      }
    }
    return messages
  }

  /**
   * The stream ended in order.
   *
   * @throws MessageFramingError if it ended inside a message
   */
  end(): void {
    if (this.#prefixOctets === 0) return
    const came =
      this.#prefixOctets < PREFIX_OCTETS
        ? `${this.#prefixOctets} of ${PREFIX_OCTETS} octets of its prefix`
        : `${this.#receivedOctets} of ${this.#lengthOctets} octets`
    throw new MessageFramingError(
      'truncated',
      `The stream ended inside a message, after ${came}`,
      this.#offset,
    )
  }

  #begin(data: Uint8Array, at: number): void {
    if (this.#prefix[0]! > 1) {
      // The decoder of calls knows what text looks like; it throws for such a prefix.
      const seen = Buffer.concat([this.#prefix, data.subarray(at, at + QUOTED_OCTETS)])
      try {
        new MessageDecoder(Number.POSITIVE_INFINITY).push(seen, 0, seen.length, { onMessage: () => true })
      } catch (error) {
        if (!(error instanceof MessageFramingError)) throw error
        throw new MessageFramingError(error.fault, error.reason, this.#offset)
      }
    }
    this.#lengthOctets = readUint32(this.#prefix, 1)
    this.#receivedOctets = 0
    this.#kept = new Uint8Array(0)
  }

  /** Counts octets and keeps those that there is room for. */
  #keep(data: Uint8Array, at: number, count: number): void {
    const before = Math.min(this.#receivedOctets, this.#keptOctets)
    this.#receivedOctets += count
    const after = Math.min(this.#receivedOctets, this.#keptOctets)
    if (after > this.#kept.length) {
      const whole = Math.min(this.#lengthOctets, this.#keptOctets)
      const grown = new Uint8Array(Math.min(whole, Math.max(after, this.#kept.length * 2)))
      grown.set(this.#kept.subarray(0, before))
      this.#kept = grown
    }
    this.#kept.set(data.subarray(at, at + after - before), before)
  }

  #complete(): CutMessage {
    const message: CutMessage = {
      offset: this.#offset,
      compressed: this.#prefix[0] === 1,
      lengthOctets: this.#lengthOctets,
      octets: this.#kept.subarray(0, Math.min(this.#lengthOctets, this.#keptOctets)),
    }
    this.#prefixOctets = 0
    this.#kept = new Uint8Array(0)
    return message
  }
}
