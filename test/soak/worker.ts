/** Run as a process of its own: `worker.ts MEASURE ENGINE SCALE` measures, and prints the figures as a line of JSON. */
import type { EngineName } from '../../src/http2/transport.ts'
import { MEASURES } from './measures.ts'

const [name = '', engine = '', scale = '{}'] = process.argv.slice(2)
const measure = MEASURES[name]
if (measure === undefined) throw new Error(`there is no measurement ${name}`)
const figures = await measure(engine as EngineName, JSON.parse(scale))
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
