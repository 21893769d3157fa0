/** Runs an example as its reader does: in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Test } from 'tap'

/** How an example ended. */
export interface Outcome {
  exitCode: number | null
  stdout: string
  stderr: string
}

function start(file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import=tsx', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs an example to its end. */
export function runExample(file: string, ...args: string[]): Promise<Outcome> {
  const child = start(file, args)
  return outcomeOf(child)
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const outcome: Outcome = { exitCode: null, stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    outcome.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    outcome.stderr += chunk
  })
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ ...outcome, exitCode }))
  })
}

/** An example that serves. */
export interface Serving {
  /** What it says it listens on. */
  readonly address: string
  /** Asks it to stop, and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>
}

/** Starts an example that serves, and waits until it listens; it is stopped with the test. */
export async function serveExample(t: Test, file: string, ...args: string[]): Promise<Serving> {
  const child = start(file, args)
  const ended = outcomeOf(child)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const address = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      const found = /^listening on (.+)$/m.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
    void ended.then(({ stderr }) => reject(new Error(`${file} ended before it listened: ${stderr}`)))
  })
  return {
    address,
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}
