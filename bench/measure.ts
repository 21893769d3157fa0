/** One measurement: a variant of a scenario with one library, in the processes of a sitting. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './bundle.ts'
import { CLIENT_CORE, canPin, type RunningServer, Worker } from './processes.ts'
import type { Plan, Variant } from './scenarios.ts'
import type { Bench, Sitting } from './sitting.ts'
import type { ConnectOptions } from './worker/contender.ts'
import type { LoadTask, Outcome, Sample } from './worker/task.ts'

/** Figures of one measurement, by their names, which carry their units. */
export type Figures = Record<string, number>

const run = promisify(execFile)
const H2LOAD_NAME = 'world'
/** Octets of `Hello world` as a HelloReply with its prefix: what h2load must have got for each call. */
const REPLY_OCTETS = 5 + 2 + `Hello ${H2LOAD_NAME}`.length
/** ghz tells of every call. */
const MAX_OUTPUT_OCTETS = 1 << 28
const GHZ_TIMEOUT_MS = 120_000
const NS_PER_MS = 1e6
/** h2load tells nothing of a run in which no call has ended. */
const MIN_H2LOAD_MS = 500

const optionsOf = (bench: Bench, variant: Variant): ConnectOptions => {
  const { useTls, ...options } = variant.options ?? {}
  return useTls ? { ...options, tls: bench.identity } : options
}

/** CPU time and pauses between two samples, for each operation. */
function costs(
  side: string,
  before: Sample | undefined,
  after: Sample | undefined,
  operations: number,
): Figures {
  if (before === undefined || after === undefined) return {}
  const figures: Figures = { [`${side}CpuUsPerOperation`]: (after.cpuUs - before.cpuUs) / operations }
  if (after.heapOctets > 0) {
    figures[`${side}GcPausesUsPerOperation`] = (after.gcPausesMs * 1000) / operations
    figures[`${side}GcLongestPauseMs`] = after.gcLongestPauseMs
  }
  return figures
}

function figuresOf(outcome: Outcome): Figures {
  const { operations, seconds, latency, largeOperations } = outcome
  return {
    operationsPerSecond: operations / seconds,
    operations,
    ...(latency.maxMs > 0 && latency),
    ...(largeOperations !== undefined && { largeOperationsPerSecond: largeOperations / seconds }),
  }
}

async function measureLoad(
  sitting: Sitting,
  { task, connections = 1, times = 1 }: Plan & { kind: 'load' },
  options: ConnectOptions,
): Promise<Figures> {
  const durationMs = sitting.bench.durationMs * times
  const { library } = sitting.seat
  const server = await sitting.server()
  if (library === 'grpc-go') return measureGoClient(sitting, task, server)
  const client = await sitting.client()
  await client.ask('connect', library, server.port, connections, options)
  await client.ask('load', { ...task, durationMs: sitting.nextWarmUpMs() })
  const before = [await client.ask('sample', false), await server.sample(false)]
  const outcome = await client.ask('load', { ...task, durationMs })
  const after = [await client.ask('sample', false), await server.sample(false)]
  await client.ask('close')
  const operations = outcome.operations + (outcome.largeOperations ?? 0)
  return {
    ...figuresOf(outcome),
    // an open-loop client is busy waiting for the next call
    ...(task.kind !== 'open-loop' && costs('client', before[0], after[0], operations)),
    ...costs('server', before[1], after[1], operations),
  }
}

/** Runs a program to its end on the client's core and returns what it wrote. */
async function runOnClientCore(file: string, args: readonly string[], timeout: number): Promise<string> {
  const pinned = canPin ? ['taskset', '-c', String(CLIENT_CORE), file, ...args] : [file, ...args]
  const env = { ...process.env, GOMAXPROCS: '1' }
  return (await run(pinned[0]!, pinned.slice(1), { timeout, env, maxBuffer: MAX_OUTPUT_OCTETS })).stdout
}

async function measureGoClient({ bench }: Sitting, task: LoadTask, server: RunningServer): Promise<Figures> {
  const args = [
    `-call=127.0.0.1:${server.port}`,
    `-outstanding=${task.outstanding}`,
    `-size=${task.sizeOctets}`,
    `-warm-up=${bench.firstWarmUpMs}ms`,
    `-duration=${bench.durationMs}ms`,
  ]
  const text = await runOnClientCore(bench.tools.go!, args, bench.firstWarmUpMs + bench.durationMs + 30_000)
  const outcome = JSON.parse(text) as Outcome & { cpuUs: number }
  return { ...figuresOf(outcome), clientCpuUsPerOperation: outcome.cpuUs / outcome.operations }
}

async function measureSetUp(
  sitting: Sitting,
  { task }: Plan & { kind: 'set-up' },
  options: ConnectOptions,
): Promise<Figures> {
  const server = await sitting.server()
  const client = await sitting.client()
  const count = Math.ceil(task.count / sitting.bench.scaleDown)
  await client.ask('connect', sitting.seat.library, server.port, 0, options)
  await client.ask('setUp', { ...task, count })
  return figuresOf(await client.ask('setUp', { ...task, count }))
}

/** Memory that grew with what is held, after a first bit of it has loaded and warmed all code. */
async function measureMemory(
  sitting: Sitting,
  { task }: Plan & { kind: 'memory' },
  options: ConnectOptions,
): Promise<Figures> {
  const server = await sitting.server()
  const client = await sitting.client()
  const count = Math.ceil(task.count / sitting.bench.scaleDown)
  await client.ask('connect', sitting.seat.library, server.port, 1, options)
  await client.ask('setUp', { ...task, count: Math.ceil(count / 20) })
  const before = [await client.ask('sample', true), await server.sample(true)]
  await client.ask('setUp', { ...task, count })
  const after = [await client.ask('sample', true), await server.sample(true)]
  await client.ask('close')
  const grown = (side: 0 | 1, field: 'residentOctets' | 'heapOctets') =>
    (after[side]![field] - before[side]![field]) / count
  return {
    residentOctetsEach: grown(0, 'residentOctets') + grown(1, 'residentOctets'),
    heapOctetsEach: grown(0, 'heapOctets') + grown(1, 'heapOctets'),
    clientHeapOctetsEach: grown(0, 'heapOctets'),
    serverHeapOctetsEach: grown(1, 'heapOctets'),
  }
}

/**
 * In client processes of their own, as in that of the sitting the library may be loaded. The first one counts for
 * nothing: it warms up the server.
 */
async function measureFirstCall(sitting: Sitting, options: ConnectOptions): Promise<Figures> {
  const server = await sitting.server()
  let firstCallMs = 0
  for (let time = 0; time < 2; time++) {
    const client = await Worker.start(CLIENT_CORE, sitting.bench.script)
    try {
      firstCallMs = await client.ask('firstCall', sitting.seat.library, server.port, options)
    } finally {
      await client.stop()
    }
  }
  return { firstCallMs }
}

async function measureH2load(sitting: Sitting, { streams }: Plan & { kind: 'h2load' }): Promise<Figures> {
  const { bench } = sitting
  const server = await sitting.server()
  const durationMs = Math.max(MIN_H2LOAD_MS, bench.durationMs)
  const folder = mkdtempSync(join(tmpdir(), 'glass-bench-'))
  try {
    const file = join(folder, 'request')
    const name = Buffer.from(H2LOAD_NAME)
    writeFileSync(file, Buffer.from([0, 0, 0, 0, name.length + 2, 0x0a, name.length, ...name]))
    const address = `http://127.0.0.1:${server.port}/helloworld.Greeter/SayHello`
    const common = [
      '-c1',
      `-m${streams}`,
      '-t1',
      '-d',
      file,
      '-H',
      'content-type: application/grpc',
      '-H',
      'te: trailers',
    ]
    const load = (ms: number) =>
      runOnClientCore(bench.tools.h2load!, [...common, '-D', `${ms}ms`, address], ms + 30_000)
    await load(Math.max(MIN_H2LOAD_MS, sitting.nextWarmUpMs()))
    const before = await server.sample(false)
    const text = await load(durationMs)
    const after = await server.sample(false)
    const [, succeeded = 0, failed = 0, errored = 0, timedOut = 0] = (
      /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text) ?? []
    ).map(Number)
    const dataOctets = Number(/\((\d+)\) data/.exec(text)?.[1] ?? 0)
    // calls that were under way at the end have come in part
    const short = succeeded * REPLY_OCTETS - dataOctets
    if (succeeded === 0 || failed + errored + timedOut > 0 || short > 0 || -short > streams * REPLY_OCTETS) {
      throw new Error(`h2load: ${dataOctets} octets of data for ${succeeded} calls; ${text}`)
    }
    const operationsPerSecond = succeeded / (durationMs / 1000)
    return { operationsPerSecond, operations: succeeded, ...costs('server', before, after, succeeded) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface GhzReport {
  count: number
  rps: number
  average: number
  slowest: number
  statusCodeDistribution: Record<string, number>
  latencyDistribution: { percentage: number; latency: number }[]
}

async function measureGhz(sitting: Sitting, { concurrency }: Plan & { kind: 'ghz' }): Promise<Figures> {
  const { bench } = sitting
  const server = await sitting.server()
  const load = async (ms: number): Promise<GhzReport> => {
    const args = [
      '--insecure',
      '--proto',
      join(root, 'proto/helloworld.proto'),
      '--call=helloworld.Greeter.SayHello',
    ]
    args.push(
      '-d',
      JSON.stringify({ name: H2LOAD_NAME }),
      '-c',
      String(concurrency),
      '-z',
      `${ms}ms`,
      '-O',
      'json',
    )
    args.push('--duration-stop=wait', `127.0.0.1:${server.port}`)
    return JSON.parse(await runOnClientCore(bench.tools.ghz!, args, GHZ_TIMEOUT_MS))
  }
  await load(sitting.nextWarmUpMs())
  const before = await server.sample(false)
  const report = await load(bench.durationMs)
  const after = await server.sample(false)
  if (report.statusCodeDistribution.OK !== report.count) {
    throw new Error(`ghz: ${JSON.stringify(report.statusCodeDistribution)}`)
  }
  const at = (percent: number) =>
    (report.latencyDistribution.find(({ percentage }) => percentage === percent)?.latency ?? 0) / NS_PER_MS
  return {
    operationsPerSecond: report.rps,
    operations: report.count,
    p50Ms: at(50),
    p99Ms: at(99),
    ...costs('server', before, after, report.count),
  }
}

/** Heap after each part of the calls, and how much it grew from the second part to the last. */
async function measureSoak(
  sitting: Sitting,
  { calls, parts }: Plan & { kind: 'soak' },
  options: ConnectOptions,
): Promise<Figures> {
  const server = await sitting.server()
  const client = await sitting.client()
  await client.ask('connect', sitting.seat.library, server.port, 1, options)
  const figures: Figures = {}
  const heaps: { client: number; server: number }[] = []
  const operations = Math.ceil(calls / parts / sitting.bench.scaleDown)
  for (let part = 0; part < parts; part++) {
    await client.ask('load', { kind: 'echo', outstanding: 64, sizeOctets: 16, operations })
    const heap = {
      client: (await client.ask('sample', true)).heapOctets,
      server: (await server.sample(true))!.heapOctets,
    }
    heaps.push(heap)
    figures[`heapOctetsAfter${(part + 1) * operations}Calls`] = heap.client + heap.server
  }
  await client.ask('close')
  // the first part compiles and fills caches
  const first = heaps[1]!
  const last = heaps.at(-1)!
  figures.heapOctetsGrownPerCall =
    (last.client + last.server - first.client - first.server) / ((parts - 2) * operations)
  return figures
}

/** Measures once. @throws if a reply is wrong, or anything else is; the sitting is void then */
export function measure(sitting: Sitting, variant: Variant): Promise<Figures> {
  const options = optionsOf(sitting.bench, variant)
  const { plan } = variant
  switch (plan.kind) {
    case 'load':
      return measureLoad(sitting, plan, options)
    case 'set-up':
      return measureSetUp(sitting, plan, options)
    case 'memory':
      return measureMemory(sitting, plan, options)
    case 'first-call':
      return measureFirstCall(sitting, options)
    case 'h2load':
      return measureH2load(sitting, plan)
    case 'ghz':
      return measureGhz(sitting, plan)
    case 'soak':
      return measureSoak(sitting, plan, options)
  }
}
