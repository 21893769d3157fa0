/** What a command has around it: the three streams, the environment, and the signals that ask it to stop. */
import type { Readable, Writable } from 'node:stream'

/** The surroundings of a command; tests bring their own. */
export interface Terminal {
  readonly stdin: Readable
  /** Results, and nothing else. */
  readonly stdout: Writable
  /** Everything else. */
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Calls `listener` at each SIGINT and SIGTERM, which then no longer end the process.
   * @returns a function that stops that
   */
  onStop(listener: () => void): () => void
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    onStop(listener) {
      process.on('SIGINT', listener).on('SIGTERM', listener)
      return () => process.off('SIGINT', listener).off('SIGTERM', listener)
    },
  }
}

/** Writes a line, and waits where the reader is slow. */
export async function writeLine(stream: Writable, line: string): Promise<void> {
  if (stream.destroyed || stream.write(`${line}\n`)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}
