/**
 * Ranks what a LEN payload can be when no schema tells: message, UTF-8 text, packed numbers, or octets
 * (Protobuf Encoding, "Length-Delimited Records": all of them look the same on the wire).
 *
 * A ranking is a guess: short payloads are often well-formed in several ways (`hi` is also a message with
 * field 13). Each rule below says what speaks for it; `octets` is always possible and never left out.
 */
import { doubleFromBits, floatFromBits } from './bits.ts'
import { isUtf8 } from './utf8.ts'
import { highestFieldNumber, isVarints } from './well-formed.ts'

/** What the payload of a LEN record can be. */
export type LenKind = 'message' | 'text' | 'packed varint' | 'packed I32' | 'packed I64' | 'octets'

const KINDS: readonly LenKind[] = ['message', 'text', 'packed varint', 'packed I32', 'packed I64', 'octets']

/** An empty payload is an empty message, an empty text, or empty octets; an empty list is never written. */
const EMPTY: readonly LenKind[] = Object.freeze<LenKind[]>(['message', 'text', 'octets'])

/** The score of each of `KINDS`, in their order, for the payload at hand; 0 for what it can't be. */
const scores = new Float64Array(KINDS.length)

/** Rankings that came up; there are few, so payloads share them and a guess allocates nothing. */
const rankings = new Map<number, readonly LenKind[]>()

/** Sizes of UUIDs and common digests: octets of such a length rather are one than a list of numbers. */
const DIGEST_SIZES = new Set([16, 20, 28, 32, 48, 64])

/** Higher field numbers are possible, but seldom meant. */
const USUAL_FIELD_NUMBER = 65_535

/** A printable payload below this size can be a message by chance or a text by chance. */
const SHORT_OCTETS = 8

/**
 * The kinds that octets `start` to `end` can be, the likeliest first; `octets` is always among them.
 *
 * @example
 * rankLen(Uint8Array.of(0x08, 0x96, 0x01), 0, 3)[0] // 'message'
 */
export function rankLen(octets: Uint8Array, start: number, end: number): readonly LenKind[] {
  if (start === end) return EMPTY
  const highest = highestFieldNumber(octets, start, end)
  const message = highest > 0
  const i32 = i32Score(octets, start, end)
  scores[0] = message ? (highest <= USUAL_FIELD_NUMBER ? 0.8 : 0.35) : 0
  scores[1] = textScore(octets, start, end, message)
  scores[2] = varintScore(octets, start, end)
  scores[3] = i32
  scores[4] = i64Score(octets, start, end, i32)
  scores[5] = DIGEST_SIZES.has(end - start) ? 0.5 : 0.3
  return ranking()
}

/** The kinds of `scores` by falling score. */
function ranking(): readonly LenKind[] {
  let key = 0
  for (;;) {
    let best = 0
    for (let kind = 1; kind < scores.length; kind++) if (scores[kind]! > scores[best]!) best = kind
    if (scores[best] === 0) break
    scores[best] = 0
    key = key * 8 + best + 1
  }
  let kinds = rankings.get(key)
  if (kinds === undefined) {
    kinds = Object.freeze([...key.toString(8)].map((digit) => KINDS[Number(digit) - 1]!))
    rankings.set(key, kinds)
  }
  return kinds
}

/** Printable UTF-8 is text, unless it is short, well-formed as a message, and odd as a text. */
function textScore(octets: Uint8Array, start: number, end: number, message: boolean): number {
  if (!isUtf8(octets, start, end)) return 0
  let spaces = 0
  let odd = 0
  for (let at = start; at < end; at++) {
    const octet = octets[at]!
    if (octet < 0x20 || octet === 0x7f) {
      if (octet !== 0x09 && octet !== 0x0a && octet !== 0x0d) return 0.1
      spaces++
    } else if (octet < 0x80 && !isWordOctet(octet) && !(octet === 0x20 && at > start)) odd++
  }
  if (message && (spaces > 0 || (odd > 0 && end - start < SHORT_OCTETS))) return 0.6
  return 0.9
}

function isWordOctet(octet: number): boolean {
  return (
    (octet >= 0x61 && octet <= 0x7a) ||
    (octet >= 0x41 && octet <= 0x5a) ||
    (octet >= 0x30 && octet <= 0x39) ||
    octet === 0x2d ||
    octet === 0x2e ||
    octet === 0x5f
  )
}

/** Whole varints; needlessly long ones and ones beyond 35 bits are seldom meant. */
function varintScore(octets: Uint8Array, start: number, end: number): number {
  if (!isVarints(octets, start, end)) return 0
  let size = 0
  for (let at = start; at < end; at++) {
    const octet = octets[at]!
    size++
    if (octet >= 0x80) continue
    if (size > 5 || (octet === 0 && size > 1)) return 0.2
    size = 0
  }
  return 0.4
}

/** Fours that are all small integers or floats of a usual size; one of four random ones is such a float. */
function i32Score(octets: Uint8Array, start: number, end: number): number {
  if ((end - start) % 4 !== 0) return 0
  let chance = 1
  for (let at = start; at < end; at += 4) {
    const bits = bitsAt(octets, at)
    if (bits >= 0x1000000 && !isUsual(floatFromBits(bits))) return 0.05
    chance *= 0.25
  }
  return 0.6 * (1 - chance)
}

/** Eights that are all small integers or doubles of a usual size; pairs of floats look like that as well. */
function i64Score(octets: Uint8Array, start: number, end: number, i32: number): number {
  if ((end - start) % 8 !== 0) return 0
  let chance = 1
  let roundValues = true
  for (let at = start; at < end; at += 8) {
    const low = bitsAt(octets, at)
    const high = bitsAt(octets, at + 4)
    if (high !== 0 && !isUsual(doubleFromBits(low, high))) return 0.05
    if (low !== 0 && high !== 0) roundValues = false
    chance *= 0.06
  }
  const likely = (1 - chance) * 0.66
  return i32 > 0.4 && !roundValues ? Math.min(likely, i32 - 0.01) : likely
}

/** Zero, or of a size that people's numbers have. */
function isUsual(value: number): boolean {
  const size = Math.abs(value)
  return size === 0 || (size > 1e-6 && size < 1e12)
}

function bitsAt(octets: Uint8Array, at: number): number {
  return (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16)) + octets[at + 3]! * 0x1000000
}
