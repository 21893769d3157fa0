/** A terminal for commands that run inside of a test: texts instead of streams. */
import { PassThrough } from 'node:stream'
import { run } from '../../../src/cli/program.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'

/** What a command printed so far, and how it ended. */
export interface Printed {
  stdout: string
  stderr: string
}

/** A terminal whose user is the test. */
export class FakeTerminal implements Terminal {
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  readonly stderr: PassThrough & { isTTY?: boolean } = new PassThrough()
  readonly env: Record<string, string | undefined>
  readonly printed: Printed = { stdout: '', stderr: '' }
  readonly #stopListeners = new Set<() => void>()
  #watchers: (() => void)[] = []
  #listening: () => void = () => {}
  /** Resolves when a command listens for signals. */
  readonly listens: Promise<void> = new Promise((resolve) => {
    this.#listening = resolve
  })

  constructor(env: Record<string, string | undefined> = {}) {
    this.env = env
    for (const name of ['stdout', 'stderr'] as const) {
      this[name].setEncoding('utf8').on('data', (text: string) => {
        this.printed[name] += text
        for (const watcher of this.#watchers) watcher()
      })
    }
  }

  onStop(listener: () => void): () => void {
    this.#stopListeners.add(listener)
    this.#listening()
    return () => this.#stopListeners.delete(listener)
  }

  /** Sends a signal. */
  stop(): void {
    for (const listener of [...this.#stopListeners]) listener()
  }

  /** Waits until an output matches; gives the first group, or all of the match. */
  async shows(pattern: RegExp, output: keyof Printed = 'stdout'): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.printed[output])
      if (found !== null) return found[1] ?? found[0]
      await new Promise<void>((resolve) => {
        this.#watchers = [...this.#watchers, resolve]
      })
    }
  }
}

/** Runs a command to its end; `input` is all of its standard input. */
export async function glass(
  args: readonly string[],
  input: string | undefined = undefined,
  terminal = new FakeTerminal(),
): Promise<Printed & { exitCode: number }> {
  if (input !== undefined) terminal.stdin.end(input)
  const exitCode = await run(args, terminal)
  // what was written last is told in a later turn
  await new Promise((resolve) => setImmediate(resolve))
  return { exitCode, ...terminal.printed }
}
