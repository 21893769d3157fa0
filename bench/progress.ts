/** How far a run is: a bar on a terminal, a line for each measurement elsewhere; on standard error. */
import { progress } from '@clack/prompts'

/** Tells of progress. */
export interface Progress {
  step(text: string): void
  end(text: string): void
}

/**
 * @param title what is begun
 * @param steps how many there will be
 */
export function startProgress(title: string, steps: number): Progress {
  const { stderr } = process
  stderr.write(`${title}\n`)
  if (!stderr.isTTY) {
    let done = 0
    return {
      step: (text) => void stderr.write(`${++done}/${steps} ${text}\n`),
      end: (text) => void stderr.write(`${text}\n`),
    }
  }
  const bar = progress({ max: steps, output: stderr })
  bar.start('starting')
  return { step: (text) => bar.advance(1, text), end: (text) => bar.stop(text) }
}
