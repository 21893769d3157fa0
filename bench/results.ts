/** Results: figures of all rounds, what they were measured on, and what is made of them. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from './bundle.ts'
import type { Figures } from './measure.ts'
import { canPin } from './processes.ts'
import type { Plan } from './scenarios.ts'
import type { Bench } from './sitting.ts'
import type { Tools } from './tools.ts'

/** All rounds of a variant with a library. */
export interface Series {
  scenario: string
  variant: string
  library: string
  /** One element for each round. */
  rounds: Figures[]
}

/** What a results file has in it. */
export interface Results {
  date: string
  machine: { cpu: string; cores: number; memoryGiB: number; os: string; pinned: boolean }
  versions: Record<string, string>
  durationMs: number
  /** Load before the first measurement in fresh processes, and before each of the following ones. */
  firstWarmUpMs: number
  warmUpMs: number
  /** What was not there, and so not measured. */
  missing: string[]
  series: Series[]
}

/** Middle and spread of the values of some rounds. */
export interface Spread {
  median: number
  least: number
  greatest: number
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, greatest: sorted.at(-1)! }
}

/** Middle and spread of one figure over the rounds; undefined if it was not measured. */
export function spread(series: Series | undefined, figure: string): Spread | undefined {
  const values = series?.rounds.map((round) => round[figure]).filter((value) => value !== undefined) ?? []
  return values.length === 0 ? undefined : spreadOf(values)
}

/** The figure that a plan is about, and which way is better. */
export function mainFigure(plan: Plan): { figure: string; unit: string; moreIsBetter: boolean } {
  if (plan.kind === 'first-call') return { figure: 'firstCallMs', unit: 'ms', moreIsBetter: false }
  // Resident, because node:http2 keeps most of a connection outside of V8's heap.
  if (plan.kind === 'memory')
    return { figure: 'residentOctetsEach', unit: 'resident octets each', moreIsBetter: false }
  if (plan.kind === 'soak')
    return { figure: 'heapOctetsGrownPerCall', unit: 'octets a call', moreIsBetter: false }
  if (plan.kind === 'set-up') return { figure: 'p50Ms', unit: 'ms', moreIsBetter: false }
  if (plan.kind === 'load') {
    const { kind, outstanding } = plan.task
    if (kind === 'open-loop') return { figure: 'p99Ms', unit: 'ms (p99)', moreIsBetter: false }
    if (kind === 'mixed' || (kind === 'echo' && outstanding === 1 && plan.connections === undefined))
      return { figure: 'p50Ms', unit: 'ms (p50)', moreIsBetter: false }
    if (kind === 'download' || kind === 'upload' || kind === 'ping-pong')
      return { figure: 'operationsPerSecond', unit: 'messages/s', moreIsBetter: true }
  }
  return { figure: 'operationsPerSecond', unit: 'calls/s', moreIsBetter: true }
}

function packageVersion(name: string): string {
  const file = join(root, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** An empty set of results of this machine, now. */
export function newResults(
  { durationMs, firstWarmUpMs, warmUpMs }: Pick<Bench, 'durationMs' | 'firstWarmUpMs' | 'warmUpMs'>,
  { missing, versions }: Pick<Tools, 'missing' | 'versions'>,
): Results {
  const all = cpus()
  const names = ['@grpc/grpc-js', 'nice-grpc', '@connectrpc/connect-node', '@bufbuild/protobuf', 'protobufjs']
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: all[0]?.model.trim() ?? 'unknown',
      cores: all.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      os: `${type()} ${release()}`,
      pinned: canPin,
    },
    versions: {
      node: process.version,
      'grpc-glass': revision(),
      ...Object.fromEntries(names.map((name) => [name, packageVersion(name)])),
      ...versions,
    },
    durationMs,
    firstWarmUpMs,
    warmUpMs,
    missing: [...missing],
    series: [],
  }
}
