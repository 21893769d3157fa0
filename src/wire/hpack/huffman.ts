/**
 * Huffman coding of string literals, both ways (RFC 7541 §5.2).
 *
 * The decoder is a state machine that takes a whole octet a step. A state is an inner node of the code's
 * tree: the bits read since the last complete symbol. Its table is made from the code lengths on first use.
 */
import type { OctetWriter } from '../octets.ts'
import { compressionError } from './compression-error.ts'
import { codeLengths, codes, EOS } from './huffman-code.ts'

/** Inner nodes of a binary tree with 257 leaves. */
const STATE_COUNT = 256

/**
 * States in which a string may end. States 0 to 7 are given to the root and the nodes reached by one to
 * seven 1-bits: padding is at most seven bits, all from the start of EOS, which is all ones.
 */
const LAST_FINAL_STATE = 7

/** Codes of up to fifteen bits with their length in the low four bits: one look-up for all usual text. */
const shortCodes = Uint32Array.from(codes, (code, symbol) =>
  codeLengths[symbol]! <= 15 ? (code << 4) | codeLengths[symbol]! : 0,
)

/** Counted for a character that is no octet, so that its string is not Huffman-coded. */
const NO_OCTET_BITS = 64

/** In the table of transitions: EOS was read. No other one has this value, as none has three symbols. */
const EOS_READ = -1

/** The symbols of a transition, and how many there are (0 to 2: the shortest code has five bits). */
const COUNT_SHIFT = 8
const FIRST_SYMBOL_SHIFT = 16
const SECOND_SYMBOL_SHIFT = 24

let transitions: Int32Array | undefined

/**
 * Decodes octets `start` to `end` of `octets` into the start of `target`, which must have room for
 * {@link maxDecodedLength} octets, and returns the length of the decoded string.
 *
 * @param blockStart where the field block starts, for the offset in errors
 * @throws WireError (RFC 7541 §5.2) for EOS in the string, padding of more than seven bits, or padding that
 *   is not the start of EOS
 */
export function decodeHuffman(
  octets: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  blockStart: number,
): number {
  transitions ??= makeTransitions()
  const table = transitions
  let state = 0
  let written = 0
  for (let position = start; position < end; position++) {
    const transition = table[(state << 8) | octets[position]!]!
    if (transition === EOS_READ) {
      throw compressionError('Huffman-coded string contains EOS', 'RFC 7541 §5.2', position - blockStart)
    }
    // Both are stored whether there or not: the next step overwrites what was not. Cheaper than branches.
    target[written] = transition >>> FIRST_SYMBOL_SHIFT
    target[written + 1] = transition >>> SECOND_SYMBOL_SHIFT
    written += (transition >>> COUNT_SHIFT) & 3
    state = transition & 0xff
  }
  if (state > LAST_FINAL_STATE) {
    throw compressionError(
      'Huffman-coded string does not end in at most seven 1-bits of padding',
      'RFC 7541 §5.2',
      end - 1 - blockStart,
    )
  }
  return written
}

/** Room that {@link decodeHuffman} needs for a string of `sizeOctets` coded octets. */
export function maxDecodedLength(sizeOctets: number): number {
  // At least five bits a symbol, so at most 1.6 symbols an octet; and two that are stored ahead. No division.
  return sizeOctets + (sizeOctets >>> 1) + (sizeOctets >>> 3) + 4
}

/** How many octets `text` takes Huffman-coded, one character an octet, padding included. */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i)
    bits += symbol <= 0xff ? codeLengths[symbol]! : NO_OCTET_BITS
  }
  return (bits + 7) >>> 3
}

/**
 * Appends `text` Huffman-coded and padded with 1-bits, if that takes less than `limit` octets.
 *
 * @returns false, with nothing appended, if it does not, or if a character is above U+00FF and so no octet
 */
export function encodeHuffman(text: string, out: OctetWriter, limit: number): boolean {
  // One character more than the limit can be written before it is noticed; a code has at most thirty bits.
  out.ensure(limit + 4)
  const { buffer } = out
  const start = out.length
  const end = start + limit
  let at = start
  // The last `count` (0 to 15) bits of `pending` are not written yet.
  let pending = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i)
    if (symbol > 0xff) return false
    const short = shortCodes[symbol]!
    if (short !== 0) {
      pending = (pending << (short & 15)) | (short >>> 4)
      count += short & 15
    } else {
      // With the pending bits it would not fit 32 bits, so what is above its last sixteen goes first.
      const length = codeLengths[symbol]! - 16
      const code = codes[symbol]!
      pending = (pending << length) | (code >>> 16)
      count += length
      if (count >= 16) {
        count -= 16
        buffer[at++] = pending >>> (count + 8)
        buffer[at++] = pending >>> count
      }
      pending = (pending << 16) | (code & 0xffff)
      count += 16
    }
    if (count >= 16) {
      count -= 16
      buffer[at++] = pending >>> (count + 8)
      buffer[at++] = pending >>> count
      if (at >= end) return false
    }
  }
  if (count >= 8) {
    count -= 8
    buffer[at++] = pending >>> count
  }
  if (count > 0) buffer[at++] = (pending << (8 - count)) | (0xff >>> count)
  if (at >= end) return false
  out.length = at
  return true
}

/** Makes the table of transitions: for each state and octet the next state and the symbols read. */
function makeTransitions(): Int32Array {
  const children = makeTree()
  const table = new Int32Array(STATE_COUNT * 256)
  for (let state = 0; state < STATE_COUNT; state++) {
    for (let octet = 0; octet < 256; octet++) table[(state << 8) | octet] = step(children, state, octet)
  }
  return table
}

/** Follows the eight bits of `octet` from `state` and packs the result for the table. */
function step(children: Int16Array, state: number, octet: number): number {
  let node = state
  let count = 0
  let symbols = 0
  for (let bit = 7; bit >= 0; bit--) {
    const child = children[node * 2 + ((octet >>> bit) & 1)]!
    if (child >= 0) {
      node = child
      continue
    }
    const symbol = -1 - child
    if (symbol === EOS) return EOS_READ
    symbols |= symbol << (8 * count++)
    node = 0
  }
  return (symbols << FIRST_SYMBOL_SHIFT) | (count << COUNT_SHIFT) | node
}

/**
 * Makes the code's tree: at `2 * node + bit` the next node, or `-1 - symbol` at the end of a code. Nodes 0 to
 * 7 are the root and the first seven on the way to EOS.
 */
function makeTree(): Int16Array {
  const children = new Int16Array(STATE_COUNT * 2)
  for (let node = 0; node < LAST_FINAL_STATE; node++) children[node * 2 + 1] = node + 1
  let nodeCount = LAST_FINAL_STATE + 1
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0
    for (let bit = codeLengths[symbol]! - 1; bit > 0; bit--) {
      const branch = node * 2 + ((codes[symbol]! >>> bit) & 1)
      if (children[branch] === 0) children[branch] = nodeCount++
      node = children[branch]!
    }
    children[node * 2 + (codes[symbol]! & 1)] = -1 - symbol
  }
  return children
}
