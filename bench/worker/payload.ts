/** Bodies of messages, the same in every process, and the check of those that come back. */

const made = new Map<number, Buffer>()

/** A body of that size: octets without a pattern that a compressor would fold to nothing, nor random ones. */
export function bodyOf(sizeOctets: number): Buffer {
  let body = made.get(sizeOctets)
  if (body === undefined) {
    body = Buffer.allocUnsafe(sizeOctets)
    let state = 0x2545f491
    for (let i = 0; i < sizeOctets; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      body[i] = 32 + ((state >>> 16) & 31)
    }
    made.set(sizeOctets, body)
  }
  return body
}

/** @throws Error unless `got` is `expected`, octet for octet */
export function verify(got: Uint8Array | undefined, expected: Uint8Array): void {
  if (got?.length === expected.length && Buffer.compare(got, expected) === 0) return
  throw new Error(
    `a reply of ${got?.length} octets is not the one expected, of ${expected.length} octets: the run is void`,
  )
}
