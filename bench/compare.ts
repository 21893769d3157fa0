/**
 * `npm run bench:compare -- REV [--rounds N]`: this checkout against another revision, in turns, as ratios (above 1:
 * this one is better). The other revision's library is bundled with the workers of this checkout.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { bundleWorkers, cacheFolder, makeDescriptorSet, makeIdentity, root } from './bundle.ts'
import { measure } from './measure.ts'
import { startProgress } from './progress.ts'
import { mainFigure, spreadOf } from './results.ts'
import { scenarios } from './scenarios.ts'
import { type Bench, Sitting } from './sitting.ts'
import { short } from './table.ts'

const compared = ['unary 1', 'unary 64', 'sizes 1 MiB', 'streaming server streams of 16 B']
const engines = ['pure', 'node']
const noTools = {
  go: undefined,
  python: undefined,
  h2load: undefined,
  ghz: undefined,
  versions: {},
  missing: [],
}

const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

function positive(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.')
  return Number(text)
}

function commitOf(revision: string): string {
  try {
    return execFileSync(
      'git',
      ['rev-parse', '--quiet', '--verify', '--end-of-options', `${revision}^{commit}`],
      {
        cwd: root,
        encoding: 'utf8',
      },
    ).trim()
  } catch {
    throw new InvalidArgumentError(`${revision} is no revision of this repository.`)
  }
}

async function compare(
  revision: string,
  { rounds, duration }: { rounds: number; duration: number },
): Promise<void> {
  const commit = commitOf(revision)
  const folder = join(cacheFolder, 'revisions', commit)
  if (!existsSync(folder)) git('worktree', 'add', '--detach', folder, commit)
  try {
    await makeDescriptorSet()
    const identity = await makeIdentity()
    const times = { firstWarmUpMs: duration, warmUpMs: duration, durationMs: duration }
    const shared = { tools: noTools, identity, ...times, scaleDown: 1 }
    const benches: Bench[] = [
      { ...shared, script: await bundleWorkers('compared', folder) },
      { ...shared, script: await bundleWorkers('current') },
    ]
    const variants = scenarios.flatMap(({ name, variants }) =>
      variants
        .filter((variant) => compared.includes(`${name} ${variant.name}`))
        .map((variant) => ({ name, variant })),
    )
    const progress = startProgress(`this checkout and ${revision}`, variants.length * engines.length * rounds)
    const lines: string[] = []
    for (const { name, variant } of variants) {
      const { figure, moreIsBetter } = mainFigure(variant.plan)
      for (const engine of engines) {
        const ratios: number[] = []
        for (let round = 0; round < rounds; round++) {
          progress.step(`${name} ${variant.name}, ${engine}`)
          const values = [0, 0]
          for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
            const sitting = new Sitting(benches[which]!, {
              library: engine,
              server: engine,
              tls: false,
              gzip: false,
            })
            try {
              values[which] = (await measure(sitting, variant))[figure]!
            } finally {
              await sitting.end()
            }
          }
          ratios.push(moreIsBetter ? values[1]! / values[0]! : values[0]! / values[1]!)
        }
        const { median, least, greatest } = spreadOf(ratios)
        const label = `${name} ${variant.name}, ${engine}`.padEnd(42)
        lines.push(`${label} ${short(median)} (${short(least)} … ${short(greatest)})`)
      }
    }
    progress.end(`this checkout against ${revision}; above 1: this one is better`)
    process.stdout.write(`${lines.join('\n')}\n`)
  } finally {
    git('worktree', 'remove', '--force', folder)
  }
}

const program = new Command('npm run bench:compare --')
  .description('Measures this checkout and another revision in turns, and prints ratios.')
  .argument('<revision>', 'a commit, branch or tag')
  .option('--rounds <number>', 'rounds', positive, 5)
  .option('--duration <ms>', 'time of each measurement, and of its warm-up', positive, 1000)
  .action(compare)
await program.parseAsync().catch((error: Error) => program.error(`error: ${error.message}`))
process.exit()
