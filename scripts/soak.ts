/**
 * `npm run soak`: measures what docs/reliability.md promises under load, each promise with each engine in a
 * process of its own, prints a table and writes it into that file. Fails if a promise is broken; times and sizes that
 * depend on the machine are shown, not judged.
 *
 * `--short` does less, for CI, and writes nothing; `--minutes N` is the length of the mixed soak (default 10);
 * `--only NAME` and `--engine NAME` select; `--seed N` repeats a random run.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { engineNames } from '../src/rpc/engines.ts'
import type { Figure, Scale } from '../test/soak/measure.ts'
import { MEASURES } from '../test/soak/measures.ts'

const REPORT = fileURLToPath(new URL('../docs/reliability.md', import.meta.url))
const WORKER = fileURLToPath(new URL('../test/soak/worker.ts', import.meta.url))
const BEGIN = '<!-- soak:begin -->'
const END = '<!-- soak:end -->'
/** Beyond the minutes asked for; a measurement that takes longer hangs. */
const PATIENCE_MS = 20 * 60_000

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    engine: { type: 'string', multiple: true },
  },
})
const scale: Scale = {
  short: values.short,
  minutes: Number(values.minutes),
  seed: values.seed === undefined ? Date.now() & 0x7fffffff : Number(values.seed),
}
if (!(scale.minutes > 0) || !Number.isInteger(scale.seed)) {
  throw new TypeError('--minutes wants a number above 0, --seed a whole number')
}
const names = values.only ?? Object.keys(MEASURES)
const engines = values.engine ?? engineNames()
for (const name of names) {
  if (!(name in MEASURES))
    throw new TypeError(`--only ${name}: there are ${Object.keys(MEASURES).join(', ')}`)
}
console.log(`seed ${scale.seed}; --seed ${scale.seed} repeats what is random`)

function run(name: string, engine: string): Promise<Figure[]> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import=tsx', WORKER, name, engine, JSON.stringify(scale)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS + scale.minutes * 60_000)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(JSON.parse(out.trim().split('\n').at(-1) ?? '[]') as Figure[])
      else resolve([{ promise: name, figure: `the process ended with ${code ?? signal}`, kept: false }])
    })
  })
}

const rows = new Map<string, Map<string, Figure>>()
let broken = 0
for (const name of names) {
  for (const engine of engines) {
    const start = performance.now()
    for (const figure of await run(name, engine)) {
      const row = rows.get(figure.promise) ?? new Map<string, Figure>()
      rows.set(figure.promise, row.set(engine, figure))
      if (figure.kept === false) broken++
      const verdict = figure.kept === undefined ? ' ' : figure.kept ? '+' : 'BROKEN'
      console.log(`${verdict} ${engine}: ${figure.promise}: ${figure.figure}`)
    }
    console.log(`  (${name}, ${engine}: ${((performance.now() - start) / 1000).toFixed(0)} s)`)
  }
}

const cell = (figure: Figure | undefined) =>
  figure === undefined ? '' : `${figure.figure}${figure.kept === false ? ' **broken**' : ''}`
const table = [
  `| Promise | ${engines.map((engine) => `\`${engine}\``).join(' | ')} |`,
  `|---|${engines.map(() => '---|').join('')}`,
  ...[...rows].map(
    ([promise, row]) =>
      `| ${promise.replace(/^ +/, '… ')} | ${engines.map((engine) => cell(row.get(engine))).join(' | ')} |`,
  ),
].join('\n')
console.log(`\n${table}\n`)
if (!values.short && values.only === undefined && values.engine === undefined) {
  const machine = `Node.js ${process.versions.node}, ${cpus().length} cores, ${process.platform}; seed ${scale.seed}.`
  const report = readFileSync(REPORT, 'utf8')
  const [before] = report.split(BEGIN)
  const [, after] = report.split(END)
  writeFileSync(REPORT, `${before}${BEGIN}\n\n${machine}\n\n${table}\n\n${END}${after}`)
  console.log('written to docs/reliability.md')
}
console.log(broken === 0 ? 'every promise is kept' : `${broken} promises are broken`)
process.exitCode = broken === 0 ? 0 : 1
