/** Colours of a terminal, off where nobody sees them (no terminal, or NO_COLOR: no-color.org). */
import type { Writable } from 'node:stream'
import { styleText } from 'node:util'
import type { Terminal } from './terminal.ts'

/** What a piece of text is, not how it looks. */
export interface Styles {
  heading(text: string): string
  name(text: string): string
  error(text: string): string
}

const PLAIN: Styles = { heading: (text) => text, name: (text) => text, error: (text) => text }

// Whether colours are wanted is decided here, so that it does not depend on this process's own streams.
const COLOURED: Styles = {
  heading: (text) => styleText('dim', text, { validateStream: false }),
  name: (text) => styleText('cyan', text, { validateStream: false }),
  error: (text) => styleText('red', text, { validateStream: false }),
}

/** The styles for a stream. */
export function stylesFor(stream: Writable, { env }: Terminal): Styles {
  const isTerminal = (stream as { isTTY?: boolean }).isTTY === true
  return isTerminal && !env.NO_COLOR && env.TERM !== 'dumb' ? COLOURED : PLAIN
}
