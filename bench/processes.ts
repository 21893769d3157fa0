/** Processes that are measured: pinned to a core each where `taskset` is, and gone when the benchmark is. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { root } from './bundle.ts'
import type { Commands } from './worker/main.ts'
import type { Sample } from './worker/task.ts'

const STOP_MS = 2000
const LISTEN_MS = 30_000
/** How long one command may take before its process counts as hung. */
const COMMAND_MS = 120_000
const TICKS_PER_SECOND = 100

/** The core of each side. */
export const SERVER_CORE = 0
export const CLIENT_CORE = 1

/** Whether a program is on the machine. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${name}`))
}

/** Whether processes can be pinned: each side needs a core of its own. */
export const canPin = hasProgram('taskset') && availableParallelism() > 1

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Starts a program on a core. `ipc`: with a channel for messages to it, if it is Node. */
export function startPinned(
  core: number,
  file: string,
  args: readonly string[],
  options: { ipc?: boolean; env?: Record<string, string> } = {},
): ChildProcess {
  const pinned = canPin ? ['taskset', '-c', String(core), file, ...args] : [file, ...args]
  const child = spawn(pinned[0]!, pinned.slice(1), {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: options.ipc ? ['ignore', 'ignore', 'inherit', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

/** Ends a process and waits for that. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise((settle) => child.once('close', settle))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await closed
  clearTimeout(timer)
}

/** A Node process with the workers' script. */
export class Worker {
  readonly #child: ChildProcess
  #settle: ((answer: unknown) => void) | undefined
  #fail: ((error: Error) => void) | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: { answer?: unknown; failure?: string }) => {
      if (message.failure === undefined) this.#settle?.(message.answer)
      else this.#fail?.(new Error(message.failure))
    })
    child.on('error', (error) => this.#fail?.(error))
    child.on('exit', (code, signal) => this.#fail?.(new Error(`a worker has ended (${code ?? signal})`)))
  }

  /** @param flags for Node, such as `--cpu-prof` */
  static async start(core: number, script: string, flags: readonly string[] = []): Promise<Worker> {
    const worker = new Worker(
      startPinned(core, process.execPath, ['--expose-gc', ...flags, script], { ipc: true }),
    )
    await worker.#answer()
    return worker
  }

  #answer(): Promise<unknown> {
    return new Promise((settle, fail) => {
      const timer = setTimeout(() => fail(new Error(`a worker does not answer`)), COMMAND_MS)
      this.#settle = (answer) => {
        clearTimeout(timer)
        settle(answer)
      }
      this.#fail = (error) => {
        clearTimeout(timer)
        fail(error)
      }
    })
  }

  /** One command at a time. */
  ask<Name extends keyof Commands>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): ReturnType<Commands[Name]> {
    const answer = this.#answer()
    this.#child.send({ command, args })
    return answer as ReturnType<Commands[Name]>
  }

  /** Lets the process end by itself, so that profiles are written, then by force. */
  async stop(): Promise<void> {
    // not `close`: where this side has disconnected, that may never come
    const exited = new Promise((settle) => this.#child.once('exit', settle))
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    if (this.#child.exitCode === null && this.#child.signalCode === null) await exited
    clearTimeout(timer)
  }
}

/** A server in any language, as load needs it. */
export interface RunningServer {
  readonly port: number
  sample(settled: boolean): Promise<Sample | undefined>
  stop(): Promise<void>
}

/** Octets of a memory page, as /proc counts. */
const pageOctets = hasProgram('getconf')
  ? Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))
  : 4096

/** CPU time and memory of a process of any language, from Linux; undefined elsewhere. */
function sampleProcess(pid: number): Sample | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const cpuUs = ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND
  const residentOctets = Number(fields[21]) * pageOctets
  return { cpuUs, residentOctets, heapOctets: 0, gcPausesMs: 0, gcLongestPauseMs: 0 }
}

/** Starts a program that says `listening 127.0.0.1:PORT`. */
export async function startServerProgram(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<RunningServer> {
  const child = startPinned(SERVER_CORE, file, args, { env })
  let errors = ''
  child.stderr!.on('data', (chunk) => {
    errors += chunk
  })
  const port = await new Promise<number>((settle, fail) => {
    const failed = (why: string) => fail(new Error(`${file} ${why}\n${errors}`))
    const timer = setTimeout(() => failed('does not listen'), LISTEN_MS)
    child.on('error', (error) => failed(error.message))
    child.on('close', (code) => failed(`ended with code ${code}`))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const match = /listening \S+:(\d+)/.exec(line)
      if (match === null) return
      clearTimeout(timer)
      settle(Number(match[1]))
    })
  })
  return { port, sample: async () => sampleProcess(child.pid!), stop: () => stop(child) }
}

/** Starts a server of one of the libraries. */
export async function startServerWorker(
  script: string,
  contender: string,
  options: Parameters<Commands['serve']>[1],
  flags: readonly string[] = [],
): Promise<RunningServer> {
  const worker = await Worker.start(SERVER_CORE, script, flags)
  const port = await worker.ask('serve', contender, options)
  return { port, sample: (settled) => worker.ask('sample', settled), stop: () => worker.stop() }
}
