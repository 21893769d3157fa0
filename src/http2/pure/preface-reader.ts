/**
 * The first octets of a peer: its connection preface, or something that is no HTTP/2 at all (RFC 9113 §3.4).
 *
 * A client starts with 24 octets of its own, a server with a SETTINGS frame, of which the header is looked at
 * here. What comes after is the frame decoder's.
 */
import { CONNECTION_PREFACE } from '../../wire/frame/connection-preface.ts'
import { FRAME_HEADER_OCTETS } from '../../wire/frame/types.ts'
import { describeFirstOctets } from '../first-octets.ts'

/** What a client that speaks HTTP/1.1 is told, so that its user can read it. */
export const HTTP_1_ANSWER =
  'HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain\r\ncontent-length: 47\r\n' +
  'connection: close\r\n\r\nThis port speaks HTTP/2 (with prior knowledge).'

const NO_OCTETS = new Uint8Array(0)

/** Reads the first octets of one connection, however they are cut. */
export class PrefaceReader {
  /** Who we are: a server expects the client's preface. */
  readonly role: 'client' | 'server'
  /** Set once enough octets have come and are right. */
  complete = false
  /** What the peer speaks instead, in words; undefined while nothing is wrong. */
  words: string | undefined = undefined
  #octets: Uint8Array
  #count = 0

  constructor(role: 'client' | 'server') {
    this.role = role
    this.#octets = new Uint8Array(role === 'server' ? CONNECTION_PREFACE.length : FRAME_HEADER_OCTETS)
  }

  /**
   * Reads octets `start` to `end` of `chunk`, as far as they belong here.
   *
   * @returns where the rest starts
   */
  read(chunk: Uint8Array, start: number, end: number): number {
    const before = this.#count
    let at = start
    while (at < end && this.#count < this.#octets.length) this.#octets[this.#count++] = chunk[at++]!
    this.complete = this.#count === this.#octets.length
    if (this.role === 'server' ? !this.#isPreface() : this.complete) {
      // More of what came makes better words.
      const octets = before === 0 ? chunk.subarray(start, end) : this.#octets.subarray(0, this.#count)
      this.words = describeFirstOctets(octets, this.role)
      if (this.role === 'server') this.words ??= 'the connection preface is wrong'
    }
    if (this.complete && this.role === 'server') this.#octets = NO_OCTETS
    return at
  }

  /** Client: the frame header that was read; it is the decoder's first. Given once. */
  takeFrameHeader(): Uint8Array {
    const octets = this.#octets
    this.#octets = NO_OCTETS
    return octets
  }

  /** True if the peer is an HTTP/1.1 client, which can be answered in its language. */
  get isHttp1Request(): boolean {
    return this.words?.includes('HTTP/1.1 request') ?? false
  }

  #isPreface(): boolean {
    for (let index = 0; index < this.#count; index++) {
      if (this.#octets[index] !== CONNECTION_PREFACE[index]) return false
    }
    return true
  }
}
