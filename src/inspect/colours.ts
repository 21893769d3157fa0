/** Colours of a terminal, used only where they are wanted: on a terminal, and without NO_COLOR (no-color.org). */

/** What a piece of output is; each has its colour. */
export type Style = 'dim' | 'client' | 'server' | 'heading' | 'good' | 'bad' | 'name'

const CODES: Readonly<Record<Style, string>> = {
  dim: '2',
  client: '36',
  server: '35',
  heading: '1',
  good: '32',
  bad: '31',
  name: '33',
}

/** Colours text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** Leaves text as it is. */
export const plain: Paint = (_style, text) => text

/** Colours text with the escape sequences of ECMA-48 §8.3.117. */
export const coloured: Paint = (style, text) => (text === '' ? '' : `\u001b[${CODES[style]}m${text}\u001b[0m`)

/**
 * Colours for an output: only if it is a terminal and NO_COLOR is not set to anything.
 *
 * @example
 * const paint = paintFor(process.stdout)
 */
export function paintFor(output: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  return output.isTTY === true && !env.NO_COLOR ? coloured : plain
}
