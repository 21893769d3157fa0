/**
 * `npm run conformance`: the public suites on both engines. Prints what failed, a table of suite, engine, passed and
 * failed, and the sum; exits non-zero if a case failed or did not run. There is no list of known failures.
 *
 * Options: `--only connect|interop|h2spec`, `--engine node|pure`, `--match TEXT` (part of a suite's name).
 */
import { parseArgs } from 'node:util'
import { connectSuites } from './connect/suites.ts'
import { interopSuites } from './grpc-interop/suites.ts'
import { h2specSuites } from './h2spec-suites.ts'
import { engines, parts, type Suite, type SuiteResult, table } from './suite-result.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    engine: { type: 'string' },
    match: { type: 'string', default: '' },
    help: { type: 'boolean' },
  },
})
if (flags.help) {
  console.log(
    `npm run conformance -- [--only ${parts.join('|')}] [--engine ${engines.join('|')}] [--match TEXT]`,
  )
  process.exit(0)
}

const chosen = [...connectSuites, ...interopSuites, ...h2specSuites].filter(
  ({ part, engines: under, suite }) =>
    (flags.only === undefined || part === flags.only) &&
    (flags.engine === undefined || under.every((engine) => engine === flags.engine)) &&
    suite.includes(flags.match),
)
if (chosen.length === 0) {
  console.error('No suite is called so; --help tells what there is.')
  process.exit(2)
}

/** Runs one suite; if it can't run at all, that is a failure. */
async function resultOf({ suite, engine, run }: Suite): Promise<SuiteResult> {
  try {
    return { suite, engine, ...(await run()) }
  } catch (error) {
    return { suite, engine, passed: 0, failed: 1, report: String(error) }
  }
}

const results: SuiteResult[] = []
for (const suite of chosen) {
  const start = performance.now()
  const result = await resultOf(suite)
  results.push(result)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(
    `# ${result.suite} (${result.engine}): ${result.passed} passed, ${result.failed} failed, ${seconds} s`,
  )
  if (result.failed > 0) console.log(result.report)
}
const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
console.log(`\n${table(results)}\n\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
