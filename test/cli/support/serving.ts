/** A `glass serve` that runs inside of a test. */
import type { Test } from 'tap'
import { run } from '../../../src/cli/program.ts'
import { FakeTerminal } from './fake-terminal.ts'

/** A running server. */
export interface Serving {
  readonly terminal: FakeTerminal
  /** Its real address. */
  readonly address: string
  /** Sends a signal, and waits for the exit code. */
  stop(): Promise<number>
}

/** Starts `glass serve` on a free port; it is stopped with the test. */
export async function serving(t: Test, ...flags: string[]): Promise<Serving> {
  const terminal = new FakeTerminal()
  const ended = run(['serve', '--listen', '127.0.0.1:0', ...flags], terminal)
  t.teardown(async () => {
    terminal.stop()
    terminal.stop()
    await ended
  })
  const address = await Promise.race([
    terminal.shows(/^(?:listening on |\{"listening":")([^\s"]+)/m),
    ended.then((exitCode) => {
      throw new Error(`glass serve ended with ${exitCode}: ${terminal.printed.stderr}`)
    }),
  ])
  return {
    terminal,
    address,
    stop() {
      terminal.stop()
      return ended
    },
  }
}
