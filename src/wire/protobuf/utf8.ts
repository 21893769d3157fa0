/** Tells whether octets are UTF-8 (RFC 3629 §4), which a `string` field has to be. */

/**
 * True if octets `start` to `end` are whole, shortest-form UTF-8 without surrogates.
 *
 * @example
 * isUtf8(Uint8Array.of(0xc3, 0xa9), 0, 2) // true
 * isUtf8(Uint8Array.of(0xc0, 0x80), 0, 2) // false: not the shortest form
 */
export function isUtf8(octets: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = octets[at++]!
    if (lead < 0x80) continue
    const tails = tailOctets(lead)
    if (tails === 0 || at + tails > end) return false
    // RFC 3629 §4: the second octet's range excludes longer forms, surrogates and what is above U+10FFFF.
    const second = octets[at]!
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (const last = at + tails; ++at < last; ) {
      if ((octets[at]! & 0xc0) !== 0x80) return false
    }
  }
  return true
}

/** Octets that follow a lead octet, 0 for what can't lead. */
function tailOctets(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0
  return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
}
