/** Which measurements a run makes, in which processes and order, and about how long that takes. */
import { type Scenario, scenarios, type Variant } from './scenarios.ts'
import type { Bench, Seat } from './sitting.ts'

/** A measurement that is made once a round. */
export interface Job {
  readonly scenario: Scenario
  readonly variant: Variant
  readonly library: string
}

/** Measurements of one library that follow each other in the same processes. */
export interface Group {
  readonly seat: Seat
  /** True if its processes are its own; else all groups of a round with this seat share them. */
  readonly fresh: boolean
  readonly jobs: Job[]
}

/** What is chosen on the command line. */
export interface Choice {
  /** Names of scenarios; all if there is none. */
  scenarios: readonly string[]
  /** Libraries; all if undefined. */
  libraries: readonly string[] | undefined
  quick: boolean
}

/** Variants that a quick run leaves out: they run the same code as others, for longer. */
const SLOW = new Set(['connections 1000'])
/** Kinds of plans that need processes in which nothing has happened before. */
const NEEDS_FRESH = new Set(['memory', 'soak'])

/** Everything that was chosen, in the order of the scenarios, library by library. */
export function jobsOf(choice: Choice): Job[] {
  const { scenarios: names, libraries, quick } = choice
  return scenarios
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .flatMap((scenario) => {
      const all = new Set(scenario.variants.flatMap((variant) => variant.libraries))
      return [...all].flatMap((library) =>
        scenario.variants
          .filter((variant) => variant.libraries.includes(library))
          .filter((variant) => !quick || !SLOW.has(`${scenario.name} ${variant.name}`))
          .filter(() => libraries === undefined || libraries.includes(library))
          .map((variant) => ({ scenario, variant, library })),
      )
    })
}

function seatOf({ variant, library }: Job): Seat {
  const { useTls = false, gzip = false } = variant.options ?? {}
  return { library, server: variant.server ?? library, tls: useTls, gzip }
}

/**
 * Jobs by library and scenario, those together whose servers are set up alike. Libraries take turns at each scenario,
 * but their processes stay for the whole round: V8 takes seconds of load to compile the larger libraries, and fresh
 * processes would measure that instead of the library.
 */
export function groupsOf(jobs: readonly Job[], quick: boolean): Group[] {
  const groups = new Map<string, Group>()
  for (const job of jobs) {
    const seat = seatOf(job)
    const fresh = !quick && NEEDS_FRESH.has(job.variant.plan.kind)
    const key = JSON.stringify([seat, job.scenario.name, fresh ? job.variant.name : ''])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { seat, fresh, jobs: [job] })
    else group.jobs.push(job)
  }
  return [...groups.values()]
}

/** Whether a job is made in a round: a soak is one long look, not a figure with a spread. */
export const isDue = ({ variant }: Job, round: number): boolean => variant.plan.kind !== 'soak' || round === 0

/** The groups of a round: each second one goes backwards, so that what drifts hits all alike. */
export function orderOf(groups: readonly Group[], round: number): Group[] {
  const due = groups
    .map((group) => ({ ...group, jobs: group.jobs.filter((job) => isDue(job, round)) }))
    .filter(({ jobs }) => jobs.length > 0)
  if (round % 2 === 0) return due
  return due.reverse().map((group) => ({ ...group, jobs: group.jobs.reverse() }))
}

/** Rough times, in seconds, on a machine of 2026 with two cores. */
const PROCESSES_S = 0.7
const CONNECTION_S = 0.002
const FIXED_S = { load: 0.1, 'set-up': 1.2, memory: 2.5, 'first-call': 1.2, h2load: 0.2, ghz: 0.3, soak: 90 }

type Times = Pick<Bench, 'firstWarmUpMs' | 'warmUpMs' | 'durationMs' | 'scaleDown'>

function jobSeconds({ variant: { plan } }: Job, { warmUpMs, durationMs, scaleDown }: Times): number {
  if (plan.kind === 'soak') return FIXED_S.soak / scaleDown
  const fixed = FIXED_S[plan.kind]
  if (plan.kind === 'load') {
    const { times = 1, connections = 1 } = plan
    return fixed + connections * CONNECTION_S + (warmUpMs + durationMs * times) / 1000
  }
  return plan.kind === 'h2load' || plan.kind === 'ghz' ? fixed + (warmUpMs + durationMs) / 1000 : fixed
}

/** About how long all rounds take, in seconds. */
export function estimateSeconds(groups: readonly Group[], rounds: number, times: Times): number {
  let seconds = 0
  for (let round = 0; round < rounds; round++) {
    const seats = new Set<string>()
    for (const { seat, fresh, jobs } of orderOf(groups, round)) {
      const key = JSON.stringify(seat)
      if (fresh) seconds += PROCESSES_S
      else if (!seats.has(key)) seconds += PROCESSES_S + (times.firstWarmUpMs - times.warmUpMs) / 1000
      if (!fresh) seats.add(key)
      for (const job of jobs) seconds += jobSeconds(job, times)
    }
  }
  return seconds
}
