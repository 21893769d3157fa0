/**
 * HPACK of gRPC calls: processor time and octets allocated per field block, ours and npm `hpack.js`, in one run.
 *
 * `hpack.js` is measured as it is used, through its streams, and once more by calling its core past them.
 * All decode the same blocks, and all encode with the same choice of what is not indexed. Each round measures
 * one after the other; the best round of each counts.
 *
 * Run: `npx tsx bench/wire/hpack.ts`, or with `node --expose-gc --import=tsx` to see octets allocated, too.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { HpackDecoder } from '../../src/wire/hpack/decoder.ts'
import { HpackEncoder } from '../../src/wire/hpack/encoder.ts'
import { OctetWriter } from '../../src/wire/octets.ts'

/** What is used of `hpack.js`, which has no types of its own. */
interface JsField {
  name: string
  value: string
  incremental?: boolean
  neverIndex?: boolean
}
interface JsCompressor {
  write(fields: JsField[]): void
  read(): Uint8Array | null
  _encoder: { render(): Uint8Array[] }
  _encodeHeader(field: JsField): void
}
interface JsDecompressor {
  write(block: Uint8Array): void
  execute(): void
  read(): JsField | null
  push(field: JsField): boolean
  _decoder: { push(block: Uint8Array): void; isEmpty(): boolean }
  _execute(): void
}
interface HpackJs {
  compressor: { create(options: unknown): JsCompressor }
  decompressor: { create(options: unknown): JsDecompressor }
  encoder: { create(): JsCompressor['_encoder'] }
}
const hpackJs = createRequire(import.meta.url)('hpack.js') as HpackJs
const jsOptions = { table: { maxSize: 4096 } }

const neverIndexed = new Set(['authorization'])
const notIndexed = new Set(['grpc-timeout', 'traceparent'])

/** How many different blocks or field lists a case goes through. */
const VARIANTS = 512

/** Hexadecimal digits that look random and are the same in each run. */
const hex = (seed: number, digits: number): string =>
  createHash('sha256').update(String(seed)).digest('hex').slice(0, digits)

const request = (i: number): string[] => [
  ...[':method', 'POST', ':scheme', 'http', ':path', '/helloworld.Greeter/SayHello'],
  ...[':authority', 'localhost:50051', 'te', 'trailers', 'content-type', 'application/grpc+proto'],
  ...['user-agent', 'grpc-glass/0.1.0', 'grpc-timeout', `${4_999_999 - 7919 * i}u`],
  ...['authorization', 'Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F'],
]
const tracedRequest = (i: number): string[] => [
  ...request(i),
  ...['traceparent', `00-${hex(i, 32)}-${hex(i + VARIANTS, 16)}-01`],
]
const response = (): string[] => [
  ...[':status', '200', 'content-type', 'application/grpc+proto', 'grpc-encoding', 'identity'],
  ...['grpc-accept-encoding', 'identity,deflate,gzip'],
]
const trailers = (): string[] => ['grpc-status', '0', 'grpc-message', '']

interface Case {
  name: string
  /** Field lists that differ as those of different calls do. */
  lists: string[][]
  /** True if each block is the first of its connection. */
  first: boolean
}
const cases: Case[] = []
for (const [name, make] of Object.entries({
  'request, same each time': () => request(0),
  'request, timeout differs': request,
  'request, timeout and trace differ': tracedRequest,
  'response headers': response,
  trailers,
})) {
  cases.push({ name, lists: Array.from({ length: VARIANTS }, (_, i) => make(i)), first: false })
}
const frozen = Object.freeze(response()) as string[]
cases.push({ name: 'response headers, frozen', lists: [frozen], first: false })
cases.push({ name: 'first request', lists: [request(0)], first: true })
cases.push({ name: 'first response headers', lists: [response()], first: true })

/** Does one unit of work; `i` counts up. Returns something so that the work is not optimised away. */
type Work = (i: number) => number

const NAMES = ['ours', 'hpack.js', 'hpack.js core'] as const

function toJs(list: string[]): JsField[] {
  const fields: JsField[] = []
  for (let i = 0; i < list.length; i += 2) {
    const field: JsField = { name: list[i]!, value: list[i + 1]! }
    if (neverIndexed.has(field.name)) field.neverIndex = true
    if (neverIndexed.has(field.name) || notIndexed.has(field.name)) field.incremental = false
    fields.push(field)
  }
  return fields
}

function encodeWorks({ lists, first }: Case): Work[] {
  const jsLists = lists.map(toJs)
  let encoder = new HpackEncoder()
  const out = new OctetWriter()
  const ours: Work = (i) => {
    if (first) encoder = new HpackEncoder()
    out.clear()
    encoder.encode(lists[i % lists.length]!, out)
    return out.length
  }
  let compressor = hpackJs.compressor.create(jsOptions)
  const js: Work = (i) => {
    if (first) compressor = hpackJs.compressor.create(jsOptions)
    compressor.write(jsLists[i % lists.length]!)
    return compressor.read()!.length
  }
  let core = hpackJs.compressor.create(jsOptions)
  const jsCore: Work = (i) => {
    if (first) core = hpackJs.compressor.create(jsOptions)
    core._encoder = hpackJs.encoder.create()
    for (const field of jsLists[i % lists.length]!) core._encodeHeader(field)
    return core._encoder.render().length
  }
  return [ours, js, jsCore]
}

function decodeWorks({ lists, first }: Case): Work[] {
  const encoder = new HpackEncoder()
  const out = new OctetWriter()
  const blocks = lists.map((list) => {
    encoder.encode(list, out)
    return Buffer.from(out.take())
  })
  // Of a connection that goes on, the block that fills the tables is decoded beforehand.
  const opening = blocks[0]!
  if (!first) {
    encoder.encode(lists[0]!, out)
    blocks[0] = Buffer.from(out.take())
  }
  let decoder = new HpackDecoder()
  decoder.decode(opening)
  const ours: Work = (i) => {
    if (first) decoder = new HpackDecoder()
    return decoder.decode(blocks[i % blocks.length]!).length / 2
  }
  const decompressor = () => {
    const made = hpackJs.decompressor.create(jsOptions)
    if (first) return made
    made.write(opening)
    made.execute()
    while (made.read() !== null);
    return made
  }
  let stream = decompressor()
  const js: Work = (i) => {
    if (first) stream = decompressor()
    stream.write(blocks[i % blocks.length]!)
    stream.execute()
    let count = 0
    while (stream.read() !== null) count++
    return count
  }
  let fields: JsField[] = []
  const pushTo = (made: JsDecompressor) => {
    made.push = (field) => {
      fields.push(field)
      return true
    }
    return made
  }
  let core = pushTo(decompressor())
  const jsCore: Work = (i) => {
    if (first) core = pushTo(decompressor())
    fields = []
    core._decoder.push(blocks[i % blocks.length]!)
    while (!core._decoder.isEmpty()) core._execute()
    return fields.length
  }
  for (let i = 0; i < blocks.length; i++) {
    const expected = lists[i]!.length / 2
    assert.deepEqual([ours(i), js(i), jsCore(i)], [expected, expected, expected])
  }
  return [ours, js, jsCore]
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
let sink = 0

/** Processor time that this process has used, in nanoseconds: other work on the machine disturbs it least. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Nanoseconds per unit of work, with what it leaves for later in the same turn (streams of `hpack.js` do). */
async function time(work: Work, count: number): Promise<number> {
  const batch = 1000
  let ns = 0
  for (let done = 0; done < count; done += batch) {
    const from = processorTime()
    for (let i = done; i < done + batch; i++) sink += work(i)
    await nextTurn()
    ns += processorTime() - from
  }
  return ns / count
}

/** Octets allocated per unit of work, from so few that no garbage collection comes between. */
async function allocated(work: Work): Promise<number> {
  const count = 200
  globalThis.gc?.()
  const before = process.memoryUsage()
  for (let i = 0; i < count; i++) sink += work(i)
  const after = process.memoryUsage()
  await nextTurn()
  return Math.max(0, after.heapUsed - before.heapUsed + after.external - before.external) / count
}

async function compare(title: string, works: Work[], count: number): Promise<void> {
  for (const work of works) await time(work, count * 4)
  const best = works.map(() => ({ ns: Infinity, octets: Infinity }))
  for (let rounds = 0; rounds < 8; rounds++) {
    for (const [i, work] of works.entries()) {
      best[i]!.ns = Math.min(best[i]!.ns, await time(work, count))
      if (globalThis.gc !== undefined) best[i]!.octets = Math.min(best[i]!.octets, await allocated(work))
    }
  }
  const ours = best[0]!
  const columns = best.map((result, i) => {
    const octets = globalThis.gc === undefined ? '' : `${result.octets.toFixed(0).padStart(7)} octets`
    const ratio = i === 0 ? '' : `${(result.ns / ours.ns).toFixed(1).padStart(6)}x`
    return `${NAMES[i]} ${result.ns.toFixed(0).padStart(6)} ns${octets}${ratio}`
  })
  console.log(`${title.padEnd(42)}${columns.join('   ')}`)
}

const only = process.argv[2]
for (const one of cases) {
  const title = `decode ${one.name}`
  if (only === undefined || title.includes(only))
    await compare(title, decodeWorks(one), one.first ? 5000 : 20_000)
}
for (const one of cases) {
  const title = `encode ${one.name}`
  if (only === undefined || title.includes(only))
    await compare(title, encodeWorks(one), one.first ? 5000 : 20_000)
}
assert(sink > 0)
