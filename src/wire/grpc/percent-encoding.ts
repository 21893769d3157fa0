/**
 * The value of `grpc-message`: UTF-8 text in a header field, with percent-encoding.
 *
 * gRPC PROTOCOL-HTTP2, "Responses": Status-Message, Percent-Encoded. This is not the encoding of URLs:
 * only what is outside of printable ASCII, and the percent sign, is encoded.
 */

/** Hexadecimal digits in upper case, as the section asks of encoders. */
const HEX = '0123456789ABCDEF'
const PERCENT = 0x25
const SPACE = 0x20

/**
 * Encodes a status message for `grpc-message`.
 *
 * Lone surrogates become U+FFFD. A space at either end is encoded too, although the grammar would let it
 * stand: a field value must not start or end with one (RFC 9113 §8.2.1).
 *
 * @example
 * encodeGrpcMessage('50 % of ☃') // '50 %25 of %E2%98%83'
 */
export function encodeGrpcMessage(text: string): string {
  const last = text.length - 1
  for (let i = 0; i <= last; i++) {
    if (!standsForItself(text.charCodeAt(i), i === 0 || i === last)) return encodeFrom(text, i)
  }
  return text
}

/**
 * Decodes the value of `grpc-message`.
 *
 * Never throws, as the section demands: a percent sign without two hexadecimal digits stays as it is,
 * octets that are no UTF-8 become U+FFFD.
 *
 * @example
 * decodeGrpcMessage('%E2%98%83 100%') // '☃ 100%'
 */
export function decodeGrpcMessage(text: string): string {
  let percent = text.indexOf('%')
  if (percent < 0) return text
  let decoded = ''
  let copied = 0
  // One run of encoded octets after the other: a character of UTF-8 never spreads over two runs.
  while (percent >= 0) {
    let end = percent
    while (isEncodedOctet(text, end)) end += 3
    if (end > percent) {
      const run = text.slice(percent, end).replaceAll('%', '')
      decoded += text.slice(copied, percent) + Buffer.from(run, 'hex').toString('utf8')
      copied = end
    }
    percent = text.indexOf('%', Math.max(end, percent + 1))
  }
  return decoded + text.slice(copied)
}

function standsForItself(code: number, atAnEnd: boolean): boolean {
  return code >= SPACE && code < 0x7f && code !== PERCENT && !(atAnEnd && code === SPACE)
}

function encodeFrom(text: string, first: number): string {
  const octets = Buffer.from(text.slice(first), 'utf8')
  const last = octets.length - 1
  let encoded = text.slice(0, first)
  for (let i = 0; i <= last; i++) {
    const octet = octets[i]!
    encoded += standsForItself(octet, i === last || (first === 0 && i === 0))
      ? String.fromCharCode(octet)
      : `%${HEX[octet >>> 4]}${HEX[octet & 15]}`
  }
  return encoded
}

function isEncodedOctet(text: string, at: number): boolean {
  return text.charCodeAt(at) === PERCENT && isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2))
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}
