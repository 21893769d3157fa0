/** Text from a peer, fit for a terminal: no control characters, which could move the cursor or forge a log line. */

/**
 * Replaces control characters by their escapes.
 * @example
 * printable('a\u001b[2Jb\n') // 'a\\x1b[2Jb\\n'
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\r') return '\\r'
    if (character === '\t') return '\\t'
    const code = character.charCodeAt(0).toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code}`
  })
}
