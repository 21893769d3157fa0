/**
 * Text that came from a peer: read from octets, and made safe to print, so that no octet of it can move a
 * terminal's cursor, change its colours or turn the reading direction around.
 */

/** Octets `start` to `end` as text; what is no UTF-8 becomes U+FFFD. */
export function textOf(octets: Uint8Array, start: number, end: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset + start, end - start).toString('utf8')
}

// Controls (C0, DEL, C1), invisible and direction-changing characters, line separators, lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const UNSAFE_OR_QUOTE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}"\\]/gu
const SHORT: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
}

/**
 * `text` in double quotes, with everything escaped that does not print as itself.
 *
 * @example
 * quoteText('a\u001b[2J') // '"a\\u{1b}[2J"'
 */
export function quoteText(text: string): string {
  return `"${text.replace(UNSAFE_OR_QUOTE, escapeCharacter)}"`
}

/**
 * `text` without quotes, with everything escaped that does not print as itself; quotes and backslashes stay.
 *
 * @example
 * escapeText('a "b"\u001b[2J') // 'a "b"\\u{1b}[2J'
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

function escapeCharacter(char: string): string {
  return SHORT[char] ?? `\\u{${char.codePointAt(0)!.toString(16)}}`
}
