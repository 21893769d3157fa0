/**
 * Values of metadata whose name ends in `-bin`: octets as base64 in a header field.
 *
 * gRPC PROTOCOL-HTTP2, "Requests": Custom-Metadata, Binary-Header; base64 is RFC 4648 §4. Sent without padding,
 * received with and without it, and several values may stand in one field, joined by commas.
 */
import { WireError } from '../wire-error.ts'

const SECTION = 'gRPC PROTOCOL-HTTP2 Custom-Metadata, Binary-Header'
const EQUALS_SIGN = 0x3d

/**
 * Encodes a binary value, without padding.
 *
 * @example
 * encodeBinaryValue(Uint8Array.of(1)) // 'AQ'
 */
export function encodeBinaryValue(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64')
  const padding = (3 - (octets.length % 3)) % 3
  return padding === 0 ? text : text.slice(0, -padding)
}

/**
 * Decodes one binary value, with full padding or without any.
 *
 * @throws WireError (layer `grpc`) if the text is no base64: a foreign character, a wrong length, padding
 *   that is not at the end or not complete
 * @example
 * decodeBinaryValue('AQ') // Uint8Array [1]; 'AQ==' is the same
 */
export function decodeBinaryValue(text: string): Uint8Array {
  let digits = text.length
  if (digits % 4 === 0 && digits > 0 && text.charCodeAt(digits - 1) === EQUALS_SIGN) {
    digits -= text.charCodeAt(digits - 2) === EQUALS_SIGN ? 2 : 1
  }
  if (digits % 4 === 1) throw malformed(text, `${digits} digits can't be whole octets`, undefined)
  for (let i = 0; i < digits; i++) {
    if (!isDigit(text.charCodeAt(i))) {
      throw malformed(text, `${JSON.stringify(text.charAt(i))} is no digit of base64`, i)
    }
  }
  return Buffer.from(text, 'base64')
}

/**
 * Decodes the value of a `-bin` field: one or several binary values joined by commas, in order.
 *
 * Whitespace around a comma is left out; an empty piece is a value of no octets.
 *
 * @throws WireError (layer `grpc`) if a piece is no base64
 * @example
 * decodeBinaryValues('AQ, Ag==') // [Uint8Array [1], Uint8Array [2]]
 */
export function decodeBinaryValues(text: string): Uint8Array[] {
  if (!text.includes(',')) return [decodeBinaryValue(text)]
  return text.split(',').map((piece) => decodeBinaryValue(piece.replace(/^[ \t]+|[ \t]+$/g, '')))
}

function isDigit(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  )
}

function malformed(text: string, why: string, offset: number | undefined): WireError {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
  return new WireError(`Invalid binary metadata value ${shown}: ${why}`, {
    layer: 'grpc',
    section: SECTION,
    ...(offset === undefined ? {} : { offset }),
  })
}
