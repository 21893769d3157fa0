/**
 * `npm run bench -- [SCENARIO …] [--quick] [--json] [--rounds N] [--libraries NAMES]`: measures, each library in turn.
 *
 * Each library has its own processes in each round, the server on one core and the client on another, and load to warm
 * up before each measurement; where memory is measured they are fresh. The order is turned around with each round, so
 * that what drifts hits all alike.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { bundleWorkers, cacheFolder, makeDescriptorSet, makeIdentity, root } from './bundle.ts'
import { measure } from './measure.ts'
import { estimateSeconds, type Group, groupsOf, type Job, jobsOf, orderOf } from './plan.ts'
import { startProgress } from './progress.ts'
import { newResults, type Results, type Series } from './results.ts'
import { scenarios } from './scenarios.ts'
import { type Bench, Sitting } from './sitting.ts'
import { renderTable } from './table.ts'
import { findTools, type Tools } from './tools.ts'
import { writeReport } from './write-report.ts'

interface Flags {
  quick?: boolean
  json?: boolean
  write: boolean
  rounds?: number
  libraries?: string[]
  warmUp?: number
  duration?: number
}

const QUICK = { firstWarmUpMs: 50, warmUpMs: 30, durationMs: 50, rounds: 1, scaleDown: 50 }
const FULL = { firstWarmUpMs: 4000, warmUpMs: 400, durationMs: 700, rounds: 5, scaleDown: 1 }
/** Tries of a measurement that fails: a port or a process may be short for a moment. */
const TRIES = 2
const FAILURE_LENGTH = 600

function positive(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.')
  return Number(text)
}

function checkNames(kind: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new InvalidArgumentError(`${unknown} is no ${kind}; there are ${known.join(', ')}.`)
}

/** What a job needs beside this repository. */
function needsOf({ variant: { plan, server }, library }: Job): string[] {
  const needs: string[] = [library, server ?? library].filter(
    (name) => name === 'grpc-go' || name === 'Python',
  )
  if (plan.kind === 'h2load' || plan.kind === 'ghz') needs.push(plan.kind)
  return needs
}

const has = (tools: Tools, need: string): boolean =>
  ({ 'grpc-go': tools.go, Python: tools.python, h2load: tools.h2load, ghz: tools.ghz })[need] !== undefined

/** A run: its results, and what failed instead of ending it. */
class Run {
  readonly #bench: Bench
  readonly #results: Results
  readonly #series = new Map<string, Series>()
  readonly failures = new Map<string, string>()
  /** Processes that stay until the end of the round, by their seat. */
  readonly #kept = new Map<string, Sitting>()

  constructor(bench: Bench, results: Results) {
    this.#bench = bench
    this.#results = results
  }

  #seriesOf({ scenario, variant, library }: Job): Series {
    const key = JSON.stringify([scenario.name, variant.name, library])
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { scenario: scenario.name, variant: variant.name, library, rounds: [] }
      this.#series.set(key, series)
      this.#results.series.push(series)
    }
    return series
  }

  /** Ends the processes that have stayed. */
  async endRound(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((sitting) => sitting.end()))
    this.#kept.clear()
  }

  /** All jobs of a group, in processes that end with it or stay for the round; in new ones after a failure. */
  async measureGroup({ seat, fresh, jobs }: Group, onJob: (job: Job) => void): Promise<void> {
    const key = JSON.stringify(seat)
    let sitting = (fresh ? undefined : this.#kept.get(key)) ?? new Sitting(this.#bench, seat)
    try {
      for (const job of jobs) {
        onJob(job)
        for (let left = TRIES; ; ) {
          try {
            this.#seriesOf(job).rounds.push(await measure(sitting, job.variant))
            break
          } catch (cause) {
            await sitting.end()
            sitting = new Sitting(this.#bench, seat)
            if (--left > 0) continue
            const name = `${job.scenario.name}, ${job.variant.name}, with ${job.library}`
            const why = cause instanceof Error ? cause.message.slice(0, FAILURE_LENGTH) : String(cause)
            this.failures.set(name, why)
            break
          }
        }
      }
    } finally {
      if (fresh) await sitting.end()
      else this.#kept.set(key, sitting)
    }
  }
}

async function runAll(names: readonly string[], flags: Flags): Promise<Results> {
  const { rounds: defaultRounds, ...sizes } = flags.quick ? QUICK : FULL
  const rounds = flags.rounds ?? defaultRounds
  const wanted = jobsOf({ scenarios: names, libraries: flags.libraries, quick: flags.quick === true })
  const tools = await findTools(new Set(wanted.flatMap(needsOf)))
  const jobs = wanted.filter((job) => needsOf(job).every((need) => has(tools, need)))
  if (jobs.length === 0) throw new Error('Nothing to measure: the scenario is not for these libraries.')
  await makeDescriptorSet()
  const bench: Bench = {
    script: await bundleWorkers('current'),
    tools,
    identity: await makeIdentity(),
    ...sizes,
    ...(flags.warmUp !== undefined && { firstWarmUpMs: flags.warmUp, warmUpMs: flags.warmUp }),
    ...(flags.duration !== undefined && { durationMs: flags.duration }),
  }
  const results = newResults(bench, tools)
  const groups = groupsOf(jobs, flags.quick === true)
  const inRounds = Array.from({ length: rounds }, (_, round) => orderOf(groups, round))
  const steps = inRounds.flat().reduce((sum, group) => sum + group.jobs.length, 0)
  const minutes = Math.ceil(estimateSeconds(groups, rounds, bench) / 60)
  const progress = startProgress(`${steps} measurements, about ${minutes} min on an idle machine`, steps)
  const run = new Run(bench, results)
  for (const [round, inOrder] of inRounds.entries()) {
    for (const group of inOrder) {
      await run.measureGroup(group, ({ scenario, variant, library }) =>
        progress.step(`round ${round + 1} of ${rounds}: ${scenario.name}, ${variant.name}, ${library}`),
      )
    }
    await run.endRound()
    // a run of half an hour may be cut; its rounds so far are worth keeping
    if (!flags.quick) writeFileSync(join(cacheFolder, 'unfinished.json'), JSON.stringify(results))
  }
  progress.end(run.failures.size === 0 ? 'measured' : 'measured, with failures')
  for (const [name, why] of run.failures) {
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
  // the report shows whole runs only
  const isWhole = names.length === 0 && flags.libraries === undefined
  const folder = join(root, 'bench/results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${isWhole ? 'all' : ['part', ...names].join('-')}.json`)
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
  if (isWhole) await writeReport()
}

const program = new Command('npm run bench --')
  .description(`Measures. Scenarios: ${scenarios.map(({ name }) => name).join(', ')}.`)
  .argument('[scenario...]', 'what to measure; everything if none is named')
  .option('--quick', 'a look whether everything runs, in under 3 minutes; writes no results')
  .option('--json', 'print all figures as JSON')
  .option('--no-write', 'keep bench/results and the README as they are')
  .option('--rounds <number>', `rounds (default: ${FULL.rounds})`, positive)
  .option('--libraries <names>', 'only these, with commas between', (text: string) => text.split(','))
  .option(
    '--warm-up <ms>',
    `load before each measurement (default: ${FULL.firstWarmUpMs} in fresh processes, then ${FULL.warmUpMs})`,
    positive,
  )
  .option('--duration <ms>', `time of each measurement (default: ${FULL.durationMs})`, positive)
  .action(async (names: string[], flags: Flags) => {
    checkNames(
      'scenario',
      names,
      scenarios.map(({ name }) => name),
    )
    const known = scenarios.flatMap(({ variants }) => variants.flatMap((variant) => variant.libraries))
    checkNames('library', flags.libraries ?? [], [...new Set(known)])
    await main(names, flags)
  })

await program.parseAsync().catch((error: Error) => program.error(`error: ${error.message}`))
process.exit()
