/**
 * The Huffman code of HPACK (RFC 7541 §5.2, Appendix B).
 *
 * The code is canonical: codes of the same length are consecutive in the order of their symbols, and each
 * length starts where the one before ended. So the lengths alone determine it, and the codes are counted here.
 */

/** The symbol that ends a string; it must never be sent (RFC 7541 §5.2). */
export const EOS = 256

/** Length in bits of the code of each octet from 0x00 to 0xff, sixteen a line, and at last of EOS. */
export const codeLengths: Uint8Array = Uint8Array.from(
  `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
  28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
   6 10 10 12 13  6  8 11 10 10  8 11  8  6  6  6
   5  5  5  6  6  6  6  6  6  6  7  8 15  6 12 10
  13  6  7  7  7  7  7  7  7  7  7  7  7  7  7  7
   7  7  7  7  7  7  7  7  8  7  8 13 19 13 14  6
  15  5  6  5  6  5  6  6  6  5  7  7  6  6  6  5
   6  7  6  5  5  6  7  7  7  7  7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
  24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
  21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
  19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
  26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`
    .trim()
    .split(/\s+/)
    .map(Number),
)

/** Code of each octet and of EOS, in the low bits of a 32-bit integer. */
export const codes: Uint32Array = countCodes(codeLengths)

/** Counts the canonical codes: symbols by length, then by value, each code one above the one before. */
function countCodes(lengths: Uint8Array): Uint32Array {
  const counted = new Uint32Array(lengths.length)
  let code = 0
  for (let length = 1; length <= 30; length++) {
    code *= 2
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === length) counted[symbol] = code++
    }
  }
  return counted
}
