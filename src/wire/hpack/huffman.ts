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

/** In the table of transitions: EOS was read. */
const EOS_READ = 0xffffffff

/** The symbols of a transition, and how many there are (0 to 2: the shortest code has five bits). */
const COUNT_SHIFT = 8
const FIRST_SYMBOL_SHIFT = 16
const SECOND_SYMBOL_SHIFT = 24

let transitions: Uint32Array | undefined

/**
 * Decodes octets `start` to `end` of `octets` into `target` at `targetOffset`, and returns where the decoded
 * string ends. `target` must have room for {@link maxDecodedLength} octets.
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
  targetOffset: number,
  blockStart: number,
): number {
  transitions ??= makeTransitions()
  const table = transitions
  let state = 0
  let written = targetOffset
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
  // Five bits a symbol at least; two more for the symbols that are stored ahead.
  return Math.ceil((sizeOctets * 8) / 5) + 2
}

/**
 * How many octets `text` takes Huffman-coded, one character an octet, padding included.
 *
 * @returns -1 if a character is above U+00FF and so is no octet
 */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (character > 0xff) return -1
    bits += codeLengths[character]!
  }
  return (bits + 7) >>> 3
}

/** Appends `text`, whose characters are octets, Huffman-coded and padded with 1-bits. */
export function encodeHuffman(text: string, out: OctetWriter): void {
  // Thirty bits a character at most.
  out.ensure(text.length * 4)
  const { buffer } = out
  let at = out.length
  // `pending` holds the last `count` (0 to 7) bits that do not fill an octet yet.
  let pending = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i)
    const code = codes[symbol]!
    let length = codeLengths[symbol]!
    if (length > 24) {
      // With up to seven pending bits it would not fit 32 bits, so it goes in two parts.
      length -= 16
      pending = (pending << length) | (code >>> 16)
      count += length
      while (count >= 8) {
        count -= 8
        buffer[at++] = pending >>> count
      }
      length = 16
    }
    pending = (pending << length) | (code & ((1 << length) - 1))
    count += length
    while (count >= 8) {
      count -= 8
      buffer[at++] = pending >>> count
    }
  }
  if (count > 0) buffer[at++] = (pending << (8 - count)) | (0xff >>> count)
  out.length = at
}

/** Makes the table of transitions: for each state and octet the next state and the symbols read. */
function makeTransitions(): Uint32Array {
  const children = makeTree()
  const table = new Uint32Array(STATE_COUNT * 256)
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
  return ((symbols << FIRST_SYMBOL_SHIFT) | (count << COUNT_SHIFT) | node) >>> 0
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
