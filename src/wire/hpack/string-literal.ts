/** String literals of a field block: | H | length (7+) | octets | (RFC 7541 §5.2). Characters are octets. */
import type { OctetWriter } from '../octets.ts'
import { compressionError } from './compression-error.ts'
import { decodeHuffman, encodeHuffman, huffmanLength, maxDecodedLength } from './huffman.ts'
import { type BlockCursor, readInteger, writeInteger } from './integer.ts'
import { latin1 } from './latin1.ts'
import { RepeatCache, repeatHash } from './repeat-cache.ts'

/** Coded strings shorter than this are decoded as fast as they are found again. */
const MIN_REPEATED_OCTETS = 6

/** Shorter strings have their length in one octet (RFC 7541 §5.1: a prefix of seven bits). */
const SHORT_LENGTH = 127

const SCRATCH_OCTETS = 4096

/** A larger scratch is given up by {@link StringReader.release}. */
const MAX_KEPT_SCRATCH_OCTETS = 65536

/** Where Huffman-coded strings are decoded to, shared by all readers: nothing in it outlives a string. */
let scratch: Uint8Array = Buffer.allocUnsafeSlow(SCRATCH_OCTETS)

/**
 * Reads string literals in two steps: {@link StringReader.read} checks and measures the next one, and
 * {@link StringReader.text} makes the string, if it is wanted at all.
 */
export class StringReader {
  /** The last string: whether it was Huffman-coded, and its length in octets when decoded. */
  huffman: boolean
  length: number
  /** Where the last string is in the block, and its hash if it may be kept. */
  private start: number
  private end: number
  private hash: number
  /** Strings that came again, by their octets: the same octets mean another string in the other coding. */
  private readonly repeatedPlain: RepeatCache<string>
  private readonly repeatedHuffman: RepeatCache<string>

  constructor() {
    this.huffman = false
    this.length = 0
    this.start = 0
    this.end = 0
    this.hash = 0
    this.repeatedPlain = new RepeatCache()
    this.repeatedHuffman = new RepeatCache()
  }

  /**
   * Reads the string literal at `cursor.position` and moves past it.
   *
   * @param what name for it in errors
   * @returns the string if it is known from before; else {@link StringReader.text} makes it
   * @throws WireError (RFC 7541 §5.2) if it does not end in the block or its Huffman code is wrong
   */
  read(cursor: BlockCursor, what: string): string | undefined {
    const { octets } = cursor
    const from = cursor.position
    if (from >= cursor.end) {
      throw compressionError(
        `field block ends before the ${what} of a literal`,
        'RFC 7541 §5.2',
        from - cursor.start,
      )
    }
    const first = octets[from]!
    const huffman = first >= 0x80
    let length = first & 0x7f
    if (length < 0x7f) cursor.position = from + 1
    else length = readInteger(cursor, 7)
    const start = cursor.position
    const end = start + length
    if (end > cursor.end) {
      throw compressionError(
        `${what} of ${length} octets, but only ${cursor.end - start} are left in the field block`,
        'RFC 7541 §5.2',
        from - cursor.start,
      )
    }
    cursor.position = end
    this.huffman = huffman
    const hash = length < MIN_REPEATED_OCTETS ? 0 : repeatHash(octets, start, end)
    if (hash !== 0) {
      const repeated = huffman ? this.repeatedHuffman : this.repeatedPlain
      const known = repeated.find(hash, octets, start, end)
      if (known !== undefined) {
        this.length = known.length
        return known
      }
    }
    this.hash = hash
    this.start = start
    this.end = end
    if (!huffman) {
      this.length = length
      return undefined
    }
    const room = maxDecodedLength(length)
    if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room)
    this.length = decodeHuffman(octets, start, end, scratch, cursor.start)
    return undefined
  }

  /** Makes the string that was read last and not known, one character an octet. */
  text(cursor: BlockCursor): string {
    const { octets } = cursor
    const text = this.huffman ? latin1(scratch, 0, this.length) : latin1(octets, this.start, this.end)
    const repeated = this.huffman ? this.repeatedHuffman : this.repeatedPlain
    if (this.hash !== 0 && repeated.isRepeated(this.hash)) {
      repeated.keep(this.hash, octets, this.start, this.end, text)
    }
    return text
  }

  /** Gives memory back after a block with a very long string. */
  release(): void {
    if (scratch.length > MAX_KEPT_SCRATCH_OCTETS) scratch = Buffer.allocUnsafeSlow(SCRATCH_OCTETS)
  }
}

/**
 * Appends `text` as a string literal, Huffman-coded if that is shorter.
 *
 * @param fieldName the field it is of, for errors
 * @throws TypeError if a character is above U+00FF
 */
export function writeString(text: string, fieldName: string, out: OctetWriter): void {
  const { length } = text
  const from = out.length
  if (length < SHORT_LENGTH) {
    // The length fits one octet however it is coded, so it is filled in afterwards: no pass to measure.
    out.reserve(1)
    if (encodeHuffman(text, out, length)) {
      out.buffer[from] = 0x80 | (out.length - from - 1)
      return
    }
  } else {
    const coded = huffmanLength(text)
    if (coded < length) {
      writeInteger(out, 0x80, 7, coded)
      if (encodeHuffman(text, out, length)) return
    }
  }
  out.length = from
  writeInteger(out, 0x00, 7, length)
  out.ensure(length)
  const { buffer } = out
  let at = out.length
  for (let i = 0; i < length; i++) buffer[at++] = octetAt(text, i, fieldName)
  out.length = at
}

/** The octet that a character of a string stands for. Errors leave the string out: it may be a secret. */
function octetAt(text: string, i: number, fieldName: string): number {
  const character = text.charCodeAt(i)
  if (character <= 0xff) return character
  throw new TypeError(
    `Field ${JSON.stringify(fieldName)} has the character U+${character.toString(16).toUpperCase().padStart(4, '0')}, ` +
      `allowed are U+0000 to U+00FF, one for each octet; for UTF-8 give Buffer.from(text).toString('latin1')`,
  )
}
