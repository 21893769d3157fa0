/**
 * How many columns of a terminal text takes, and text broken into lines of so many.
 *
 * After Unicode's East Asian Width (UAX #11) in the part that matters here: ideographs, Hangul, kana, full-width
 * forms and emoji take two columns, marks and joiners none, everything else one.
 */

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u

/** A break at a space is preferred if it does not leave more than this part of the line empty. */
const LONGEST_GAP = 0.4

/** Columns that one character takes: 0, 1 or 2. */
function columnsOfCharacter(character: string): number {
  if (character >= ' ' && character <= '~') return 1
  if (ZERO.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/**
 * Columns that text takes.
 *
 * @example
 * columnsOf('대한민국') // 8
 */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOfCharacter(character)
  return columns
}

/**
 * Text in lines of at most `columns` columns, broken at spaces where they are near the end.
 *
 * @param columns at least 2
 * @example
 * wrapColumns('one two three', 8) // ['one two', 'three']
 */
export function wrapColumns(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const character of text) {
    const width = columnsOfCharacter(character)
    if (used + width > columns) {
      const space = line.lastIndexOf(' ')
      const rest = space >= columns * (1 - LONGEST_GAP) ? line.slice(space + 1) : ''
      lines.push(rest === '' ? line : line.slice(0, space))
      line = rest
      used = columnsOf(rest)
    }
    line += character
    used += width
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines.map((part) => part.trimEnd())
}

/** Text cut to `columns` columns, with an ellipsis where something is missing. */
export function cutColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let cut = ''
  let used = 0
  for (const character of text) {
    used += columnsOfCharacter(character)
    if (used > columns - 1) break
    cut += character
  }
  return `${cut}…`
}
