/**
 * `npm run bench -- [SCENARIO …] [--standard] [--quick] [--json] [--rounds N]`: measures, each library in turn.
 *
 * Every measurement has fresh processes, the server on one core and the client on another. The order of the
 * libraries is turned around with each round, so that what drifts hits all alike.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { bundleWorkers, makeDescriptorSet, makeIdentity, root } from './bundle.ts'
import { type Bench, measure } from './measure.ts'
import { startProgress } from './progress.ts'
import { newResults, type Results, type Series } from './results.ts'
import { type Scenario, scenarios, type Variant } from './scenarios.ts'
import { renderTable } from './table.ts'
import { findTools, type Tools } from './tools.ts'
import { writeReport } from './write-report.ts'

interface Flags {
  standard?: boolean
  quick?: boolean
  json?: boolean
  write: boolean
  rounds?: number
  libraries?: string[]
  warmUp?: number
  duration?: number
}

/** A measurement that is to be made once a round. */
interface Job {
  scenario: Scenario
  variant: Variant
  library: string
  series: Series
}

const QUICK = { warmUpMs: 100, durationMs: 100, rounds: 1, scaleDown: 50 }
const FULL = { warmUpMs: 800, durationMs: 1200, rounds: 5, scaleDown: 1 }
/** Variants that a quick run leaves out: they run the same code as others, for longer. */
const SLOW = new Set([
  'connections 1000',
  'unary 8',
  'unary 512',
  'sizes 1 KiB',
  'latency 1000 a second',
  'latency 2000 a second',
])
/** Libraries that a quick run has in the standard set only. */
const SECOND_PEERS = new Set(['nice-grpc', 'connect-node'])
/** Tries of a measurement that fails: a port or a process may be short for a moment. */
const TRIES = 2
const FAILURE_LENGTH = 600

function positive(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.')
  return Number(text)
}

function chosen(names: readonly string[], flags: Flags): { scenario: Scenario; variant: Variant }[] {
  for (const name of names) {
    if (!scenarios.some((each) => each.name === name)) {
      throw new InvalidArgumentError(
        `${name} is no scenario; there are ${scenarios.map((s) => s.name).join(', ')}`,
      )
    }
  }
  return scenarios
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .flatMap((scenario) => scenario.variants.map((variant) => ({ scenario, variant })))
    .filter(({ variant }) => !flags.standard || variant.standard)
    .filter(({ scenario, variant }) => !flags.quick || !SLOW.has(`${scenario.name} ${variant.name}`))
}

/** What a variant with a library needs beside this repository. */
function needsOf({ plan, server }: Variant, library: string): string[] {
  const needs: string[] = [library, server ?? library].filter(
    (name) => name === 'grpc-go' || name === 'Python',
  )
  if (plan.kind === 'h2load' || plan.kind === 'ghz') needs.push(plan.kind)
  return needs
}

const has = (tools: Tools, need: string): boolean =>
  ({ 'grpc-go': tools.go, Python: tools.python, h2load: tools.h2load, ghz: tools.ghz })[need] !== undefined

/** Measures, and notes what fails instead of ending a long run. */
async function measureJob(
  bench: Bench,
  failures: Map<string, string>,
  { variant, library, series, scenario }: Job,
): Promise<void> {
  for (let left = TRIES; ; ) {
    try {
      series.rounds.push(await measure(bench, variant, library))
      return
    } catch (cause) {
      if (--left > 0) continue
      const name = `${scenario.name}, ${variant.name}, with ${library}`
      failures.set(name, cause instanceof Error ? cause.message.slice(0, FAILURE_LENGTH) : String(cause))
      return
    }
  }
}

async function runAll(names: readonly string[], flags: Flags): Promise<Results> {
  const sizes = flags.quick ? QUICK : FULL
  const variants = chosen(names, flags)
  const pairs = variants.flatMap(({ scenario, variant }) =>
    variant.libraries
      .filter((library) => flags.libraries === undefined || flags.libraries.includes(library))
      .filter((library) => !flags.quick || variant.standard || !SECOND_PEERS.has(library))
      .map((library) => ({ scenario, variant, library })),
  )
  const tools = await findTools(new Set(pairs.flatMap(({ variant, library }) => needsOf(variant, library))))
  await makeDescriptorSet()
  const bench: Bench = {
    script: await bundleWorkers('current'),
    tools,
    identity: await makeIdentity(),
    ...sizes,
    ...(flags.warmUp !== undefined && { warmUpMs: flags.warmUp }),
    ...(flags.duration !== undefined && { durationMs: flags.duration }),
  }
  const results = newResults(bench.durationMs, bench.warmUpMs, tools.missing)
  const jobs: Job[] = pairs
    .filter(({ variant, library }) => needsOf(variant, library).every((need) => has(tools, need)))
    .map(({ scenario, variant, library }) => {
      const series: Series = { scenario: scenario.name, variant: variant.name, library, rounds: [] }
      results.series.push(series)
      return { scenario, variant, library, series }
    })
  const rounds = flags.rounds ?? sizes.rounds
  // a soak is one long look, not a figure with a spread
  const once = (job: Job, round: number) => job.variant.plan.kind !== 'soak' || round === 0
  const total = Array.from({ length: rounds }, (_, round) => jobs.filter((job) => once(job, round)).length)
  const progress = startProgress(total.reduce((sum, count) => sum + count, 0))
  const failures = new Map<string, string>()
  for (let round = 0; round < rounds; round++) {
    const inOrder = jobs.filter((job) => once(job, round))
    for (const job of round % 2 === 0 ? inOrder : inOrder.reverse()) {
      progress.step(`round ${round + 1}: ${job.scenario.name}, ${job.variant.name}, ${job.library}`)
      await measureJob(bench, failures, job)
    }
  }
  progress.end(failures.size === 0 ? 'measured' : 'measured, with failures')
  for (const [name, why] of failures) {
    results.missing.push(`${name}: failed`)
    process.stderr.write(`${name}: ${why}\n`)
    process.exitCode = 1
  }
  return results
}

async function main(names: readonly string[], flags: Flags): Promise<void> {
  const results = await runAll(names, flags)
  process.stdout.write(flags.json ? `${JSON.stringify(results, null, 2)}\n` : renderTable(results))
  if (flags.quick || !flags.write) return
  const name = flags.standard ? 'standard' : names.length === 0 ? 'all' : names.join('-')
  const folder = join(root, 'bench/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`)
  await writeReport()
}

const program = new Command('npm run bench --')
  .description(`Measures. Scenarios: ${scenarios.map(({ name }) => name).join(', ')}.`)
  .argument('[scenario...]', 'what to measure; everything if none is named')
  .option('--standard', 'only what the README shows')
  .option('--quick', 'a look whether everything runs, in under 3 minutes; writes no results')
  .option('--json', 'print all figures as JSON')
  .option('--no-write', 'keep bench/results, its charts and the README as they are')
  .option('--rounds <number>', 'rounds (default: 5)', positive)
  .option('--libraries <names>', 'only these, with commas between', (text: string) => text.split(','))
  .option('--warm-up <ms>', 'time before each measurement (default: 800)', positive)
  .option('--duration <ms>', 'time of each measurement (default: 1200)', positive)
  .action(main)

await program.parseAsync()
process.exit()
