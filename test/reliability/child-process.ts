/** Starts programs of this folder as processes of their own, which end with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A program that runs, and the lines that it has printed. */
export class Child {
  readonly process: ChildProcess
  readonly lines: string[] = []
  /** When each line came, in milliseconds. */
  readonly lineMs: number[] = []
  exited = false
  exitMs = Number.NaN
  code: number | null = null
  #rest = ''
  readonly #waiters = new Set<() => void>()

  private constructor(process: ChildProcess) {
    this.process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) {
        this.lines.push(line)
        this.lineMs.push(performance.now())
      }
      this.#wake()
    })
    process.on('exit', (code) => {
      this.exited = true
      this.exitMs = performance.now()
      this.code = code
      this.#wake()
    })
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
  }

  /**
   * @param program file in this folder
   * @param maxDescriptors as `ulimit -n`
   */
  static start(
    t: Pick<Test, 'teardown'>,
    program: string,
    environment: Record<string, string>,
    maxDescriptors?: number,
  ): Child {
    const path = fileURLToPath(new URL(program, import.meta.url))
    const node = [process.execPath, '--import=tsx', path]
    const env = { ...process.env, NODE_OPTIONS: '', ...environment }
    const stdio = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit']
    const started =
      maxDescriptors === undefined
        ? spawn(node[0]!, node.slice(1), { env, stdio })
        : spawn('sh', ['-c', `ulimit -n ${maxDescriptors}; exec "$@"`, 'sh', ...node], { env, stdio })
    const child = new Child(started)
    t.teardown(() => child.kill())
    return child
  }

  /** A line that matches, when it has come; undefined if the process ends without. */
  line(pattern: RegExp, from = 0): Promise<string | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.lines.slice(from).find((line) => pattern.test(line))
        if (found === undefined && !this.exited) return
        this.#waiters.delete(look)
        resolve(found)
      }
      this.#waiters.add(look)
      look()
    })
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (!this.exited) await once(this.process, 'exit')
  }

  /** Ends it at once, frozen or not. */
  async kill(): Promise<void> {
    if (this.exited) return
    this.process.kill('SIGKILL')
    await this.ended()
  }
}
