/**
 * Strings from octets, one character an octet (latin1).
 *
 * A call of `Buffer`'s own method costs the same for 4 octets as for 40, so short strings are made here:
 * `String.fromCharCode` with its arguments written out is three to five times as fast for up to 12 octets
 * (`decode request, timeout differs` in bench/wire/hpack.ts).
 */

/** What `toString('latin1', start, end)` of a Buffer calls; this way it takes any Uint8Array, without a view. */
const latin1Slice: (this: Uint8Array, start: number, end: number) => string = Buffer.prototype.latin1Slice
const from = String.fromCharCode

/** The string of octets `s` to `end` of `o`. */
export function latin1(o: Uint8Array, s: number, end: number): string {
  const length = end - s
  if (length > 12) return latin1Slice.call(o, s, end)
  if (length > 8) {
    return (
      from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!, o[s + 4]!, o[s + 5]!, o[s + 6]!, o[s + 7]!) +
      latin1(o, s + 8, end)
    )
  }
  switch (length) {
    case 0:
      return ''
    case 1:
      return from(o[s]!)
    case 2:
      return from(o[s]!, o[s + 1]!)
    case 3:
      return from(o[s]!, o[s + 1]!, o[s + 2]!)
    case 4:
      return from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!)
    case 5:
      return from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!, o[s + 4]!)
    case 6:
      return from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!, o[s + 4]!, o[s + 5]!)
    case 7:
      return from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!, o[s + 4]!, o[s + 5]!, o[s + 6]!)
    default:
      return from(o[s]!, o[s + 1]!, o[s + 2]!, o[s + 3]!, o[s + 4]!, o[s + 5]!, o[s + 6]!, o[s + 7]!)
  }
}
