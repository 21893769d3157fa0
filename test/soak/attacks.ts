/** The attacks of test/reliability on HTTP/2, run as they are, for what they cost beside being survived. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Measure } from './measure.ts'

const TESTS = ['http2-floods', 'requests'].map((name) =>
  fileURLToPath(new URL(`../reliability/${name}.test.ts`, import.meta.url)),
)

/** Runs a test file for one engine and gives what it printed. */
function output(path: string, engine: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import=tsx', path], {
      env: { ...process.env, TAP_GREP: `/^${engine}: /` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('close', () => resolve(text))
  })
}

const largest = (text: string, pattern: RegExp) =>
  Math.max(...[...text.matchAll(pattern)].map(([, figure]) => Number(figure)))

export const attacks: Measure = async (engine, { short }) => {
  // in CI they run as tests
  if (short) return []
  let text = ''
  for (const path of TESTS) text += await output(path, engine)
  const survived = text.match(/^ok \d+ - (?!.*# SKIP)/gm)?.length ?? 0
  const failed = text.match(/^not ok \d+ - /gm)?.length ?? 0
  return [
    {
      promise: 'attacks survived: process alive, others served, sockets, calls and memory back',
      figure: `${survived} of ${survived + failed}`,
      kept: failed === 0 && survived > 0,
    },
    {
      promise: '  slowest first call of another connection after one (250 ms), most memory left, MiB',
      figure: `${largest(text, /# probe (\d+) ms/g)} ms, ${largest(text, /memory is back: (-?[\d.]+) MiB/g)}`,
    },
  ]
}
