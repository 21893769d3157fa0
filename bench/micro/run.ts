/**
 * `npm run bench:micro -- [TEXT] [--json]`: one benchmark for each hot function, time and heap of one call, so that a
 * regression of a scenario is found where it is. TEXT picks those whose name has it.
 *
 * Comparisons stand beside it: messages in `messages.ts`, whole engines in `node-engine.ts` and `pure-*.ts`, the wire
 * floor in `bench/wire`.
 */
import { bench, do_not_optimize, run } from 'mitata'
import { http2Cases } from './http2-cases.ts'
import { callCases, rpcCases } from './rpc-cases.ts'
import { wireCases } from './wire-cases.ts'

const WARM_UP_CALLS = 20_000
const args = process.argv.slice(2)
const json = args.includes('--json')
const wanted = args.find((arg) => !arg.startsWith('--')) ?? ''
const isWanted = ([name]: [string, unknown]): boolean => name.includes(wanted)

const functions = Object.entries({ ...wireCases, ...http2Cases, ...rpcCases }).filter(isWanted)
const calls = Object.entries(await callCases()).filter(isWanted)
if (functions.length + calls.length === 0) {
  process.stderr.write(`No benchmark has ${JSON.stringify(wanted)} in its name.\n`)
  process.exit(1)
}
// once compiled, a function is timed in batches; mitata decides that by its first calls
for (const [, call] of functions) for (let i = 0; i < WARM_UP_CALLS; i++) do_not_optimize(call())
for (const [name, call] of functions) bench(name, () => do_not_optimize(call())).gc('inner')
for (const [name, call] of calls) bench(name, async () => do_not_optimize(await call())).gc('inner')
await run(json ? { format: { json: { samples: false, debug: false } } } : {})
process.exit()
