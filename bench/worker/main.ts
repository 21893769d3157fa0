/** A process of a benchmark, server or client: does what its parent says and answers, one command at a time. */
import { PerformanceObserver } from 'node:perf_hooks'
import type { Connection, ConnectOptions, Contender, ServeOptions } from './contender.ts'
import { contenders } from './contenders.ts'
import { load } from './load.ts'
import { callOnce, inBatches, setUp } from './set-up.ts'
import type { LoadTask, Outcome, Sample, SetUpTask } from './task.ts'

/** What a parent may ask for, each with its answer. */
export interface Commands {
  serve(contender: string, options: ServeOptions): Promise<number>
  /** Loads the library, connects, calls once; the time for all of it in milliseconds. */
  firstCall(contender: string, port: number, options: ConnectOptions): Promise<number>
  connect(contender: string, port: number, count: number, options: ConnectOptions): Promise<void>
  load(task: LoadTask): Promise<Outcome>
  setUp(task: SetUpTask): Promise<Outcome>
  /** `settled` collects garbage before, so that memory is what is still needed. */
  sample(settled: boolean): Promise<Sample>
  /** Closes all connections and collects what they leave behind, for the next measurement. */
  close(): Promise<void>
}

const SETTLE_MS = 50
const held: Connection[] = []
let gcPausesMs = 0
let gcLongestPauseMs = 0
let client: { contender: Contender; port: number; options: ConnectOptions } | undefined

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    gcPausesMs += duration
    gcLongestPauseMs = Math.max(gcLongestPauseMs, duration)
  }
}).observe({ entryTypes: ['gc'] })

async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((settle) => setTimeout(settle, SETTLE_MS))
  }
}

const commands: Commands = {
  async serve(contender, options) {
    return (await contenders[contender]!()).serve(options)
  },
  async firstCall(contender, port, options) {
    const startedAt = performance.now()
    const connection = await (await contenders[contender]!()).connect(port, options)
    await callOnce(connection)
    held.push(connection)
    return performance.now() - startedAt
  },
  async connect(name, port, count, options) {
    const contender = await contenders[name]!()
    client = { contender, port, options }
    await inBatches(count, async () => held.push(await contender.connect(port, options)))
  },
  load: (task) => load(held, task),
  setUp: (task) => setUp(client!.contender, client!.port, client!.options, task, held),
  async sample(settled) {
    const { user, system } = process.cpuUsage()
    // entries of the last collections may still be on their way to the observer
    await new Promise((settle) => setTimeout(settle, 1))
    const pauses = { gcPausesMs, gcLongestPauseMs }
    if (settled) await collectGarbage()
    const { rss, heapUsed, external } = process.memoryUsage()
    gcPausesMs = 0
    gcLongestPauseMs = 0
    return { cpuUs: user + system, residentOctets: rss, heapOctets: heapUsed + external, ...pauses }
  },
  async close() {
    await Promise.all(held.splice(0).map((connection) => connection.close()))
    globalThis.gc?.()
  },
}

interface Question {
  command: keyof Commands
  args: unknown[]
}

process.on('message', async ({ command, args }: Question) => {
  try {
    const run = commands[command] as (...args: unknown[]) => Promise<unknown>
    process.send!({ answer: await run(...args) })
  } catch (error) {
    process.send!({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ answer: 'ready' })
