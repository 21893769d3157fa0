/** Promises about time: what is silent is given up, what is frozen is found, and how soon a process has its first answer. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compile } from '../../scripts/compile.ts'
import { connect, Server, StatusError } from '../../src/rpc/index.ts'
import { Child } from '../reliability/child-process.ts'
import { Text } from '../rpc/support/text-service.ts'
import { fieldBlock, frame, PREFACE, rawClient, Type } from '../support/raw-http2.ts'
import { type Measure, percentile } from './measure.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A server that stops without closing anything. */
export const frozen: Measure = async (engine) => {
  const server = Child.start({ teardown: () => {} }, 'child-server.ts', { ENGINE: engine })
  const address = (await server.line(/^127/))!
  const channel = connect(address, { engine, keepaliveTimeMs: 1000, keepaliveTimeoutMs: 1000 })
  const responses = channel.client(Text).many({})[Symbol.asyncIterator]()
  await responses.next()
  server.process.kill('SIGSTOP')
  const start = performance.now()
  const error: unknown = await responses.next().catch((error: unknown) => error)
  const elapsedMs = performance.now() - start
  await channel.close({ graceMs: 0 })
  await server.kill()
  const code = error instanceof StatusError ? error.code : -1
  return [
    {
      promise: 'frozen server, keepalive of 1 s and 1 s: status, found after (2,100 ms)',
      figure: `${code}, ${elapsedMs.toFixed(0)} ms`,
      kept: code === 14,
    },
  ]
}

/** Clients that begin to speak and stop. */
export const silence: Measure = async (engine, { short }) => {
  const options = short ? { handshakeTimeoutMs: 1000, fieldBlockTimeoutMs: 1000 } : {}
  const server = new Server({ engine, ...options })
  const port = Number((await server.listen('127.0.0.1:0')).split(':').at(-1))
  const request = [':method', 'POST', ':scheme', 'http', ':path', '/a', ':authority', 'a']
  const openings: [string, Buffer, boolean][] = [
    ['nothing', Buffer.alloc(0), false],
    ['half a preface', PREFACE.subarray(0, 10), false],
    ['no SETTINGS', PREFACE, false],
  ]
  // node:http2 shows no frame before it is whole: half a header section is an idle connection there
  if (engine === 'pure') {
    openings.push(['half a field block', frame(Type.HEADERS, 0, 1, fieldBlock(...request)), true])
  }
  const times = await Promise.all(
    openings.map(async ([, octets, greet]) => {
      const peer = await rawClient({ host: '127.0.0.1', port }, greet)
      const start = performance.now()
      if (octets.length > 0) peer.write(octets)
      const timer = setTimeout(() => peer.socket.destroy(), 30_000)
      await peer.gone()
      clearTimeout(timer)
      return (performance.now() - start) / 1000
    }),
  )
  await server.close({ graceMs: 0 })
  const limit = short ? 3 : 12
  const figure = (seconds: readonly number[]) => ({
    figure: seconds.map((each) => each.toFixed(1)).join(', '),
    kept: seconds.every((each) => each < limit),
  })
  return [
    {
      promise: `a client that says nothing, half a preface, no SETTINGS: closed after (${limit}), s`,
      ...figure(times.slice(0, 3)),
    },
    {
      promise: '  half a field block',
      ...(engine === 'pure' ? figure(times.slice(3)) : { figure: 'unseen by node:http2' }),
    },
  ]
}

/** Compiles the library once, as it is published, and loads it in fresh processes. */
export const start: Measure = async (engine, { short }) => {
  // compiling takes longer than CI has
  if (short) return []
  const folder = join(ROOT, '.cache/soak')
  await mkdir(folder, { recursive: true })
  await compile(ROOT, join(folder, 'dist'))
  const program = join(folder, 'start.mjs')
  await writeFile(
    program,
    `const before = performance.now()
const { connect, loadProtoSync, Server } = await import('./dist/index.js')
const imported = performance.now()
const { helloworld } = loadProtoSync(${JSON.stringify(join(ROOT, 'proto/helloworld.proto'))})
const service = helloworld.Greeter
const server = new Server({ engine: ${JSON.stringify(engine)} })
server.add(service, { sayHello: ({ name }) => ({ message: name }) })
const channel = connect(await server.listen('127.0.0.1:0'), { engine: ${JSON.stringify(engine)} })
await channel.client(service).sayHello({ name: 'a' })
const answered = performance.now()
await channel.close()
await server.close()
console.log(JSON.stringify([imported - before, answered, process.memoryUsage().rss]))
`,
  )
  const samples: [number, number, number][] = []
  for (let i = 0; i < 11; i++) {
    samples.push(JSON.parse((await run(process.execPath, [program])).stdout) as [number, number, number])
  }
  const median = (index: 0 | 1 | 2) =>
    percentile(
      samples.map((sample) => sample[index]).sort((a, b) => a - b),
      0.5,
    )
  return [
    {
      promise: 'import of the package, and process start to the first answer of its own server, ms',
      figure: `${median(0).toFixed(0)} and ${median(1).toFixed(0)}`,
    },
    { promise: '  RSS then, MiB', figure: (median(2) / 1048576).toFixed(0) },
  ]
}
