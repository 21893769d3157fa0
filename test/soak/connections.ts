/** Promises about many connections and streams: what they cost, what stays, what a kill does. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect, Server, StatusError } from '../../src/rpc/index.ts'
import { Child } from '../reliability/child-process.ts'
import { Text } from '../rpc/support/text-service.ts'
import { openSockets } from '../support/descriptors.ts'
import { dataFrame, headersFrame, rawClient, settingsFrame } from '../support/raw-http2.ts'
import { becomes, liveOctets, type Measure, MIB, mib, Octets } from './measure.ts'

const FIELDS = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/soak.Octets/Down'],
  [':authority', 'a'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
].flat()

/** Opens `count` connections from another process, each with `streams` calls that wait. Ends with `end`. */
async function crowd(address: string, count: number, streams: number) {
  const path = fileURLToPath(new URL('crowd.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import=tsx', path, address, String(count), String(streams)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return {
    end: () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

/** What an idle connection and an open stream cost the server, and what is left after them. */
export const idle: Measure = async (engine, { short }) => {
  const count = short ? 500 : 5000
  const server = new Server({ engine }).add(Octets, {
    unary: (request) => request,
    async *down(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  })
  const address = await server.listen('127.0.0.1:0')
  const warm = await crowd(address, 50, 2)
  await becomes(() => server.runningCalls === 100)
  await warm.end()
  await becomes(() => server.runningCalls === 0)
  const socketsBefore = openSockets()
  const heapBefore = await liveOctets()
  const rssBefore = process.memoryUsage().rss
  const idlers = await crowd(address, count, 0)
  const heapIdle = (await liveOctets()) - heapBefore
  const rssIdle = process.memoryUsage().rss - rssBefore
  await idlers.end()
  const socketsBack = await becomes(() => (openSockets() ?? 0) <= (socketsBefore ?? 0))
  const heapBetween = await liveOctets()
  const connections = short ? 10 : 40
  const streamers = await crowd(address, connections, 100)
  const streams = connections * 100
  const allOpen = await becomes(() => server.runningCalls === streams)
  const heapOpen = (await liveOctets()) - heapBetween
  await streamers.end()
  const callsGone = await becomes(() => server.runningCalls === 0)
  const socketsBackAgain = await becomes(() => (openSockets() ?? 0) <= (socketsBefore ?? 0))
  const left = (await liveOctets()) - heapBefore
  await server.close({ graceMs: 0 })
  return [
    {
      promise: `idle connection (of ${count}), RSS (20 for node, 12 for pure) and live memory, KiB`,
      figure: `${(rssIdle / count / 1024).toFixed(1)} and ${(heapIdle / count / 1024).toFixed(1)}`,
    },
    {
      promise: `open stream (of ${streams}), live memory (5), KiB`,
      figure: (heapOpen / streams / 1024).toFixed(1),
      kept: allOpen,
    },
    {
      promise: 'after closing everything: sockets back, calls 0, live memory (< +1 MiB)',
      figure: `${socketsBack && socketsBackAgain ? 'yes' : 'no'}, ${callsGone ? 'yes' : 'no'}, ${mib(left)}`,
      kept: socketsBack && socketsBackAgain && callsGone && left < MIB,
    },
  ]
}

/** 100 replies of 1 MiB that nobody reads. */
export const stalled: Measure = async (engine) => {
  const chunk = Buffer.alloc(65_536, 3)
  let yielded = 0
  const server = new Server({ engine }).add(Octets, {
    async *down() {
      for (let i = 0; i < 16; i++) {
        yielded++
        yield chunk
      }
    },
  })
  const port = Number((await server.listen('127.0.0.1:0')).split(':').at(-1))
  const peer = await rawClient({ host: '127.0.0.1', port })
  peer.write(settingsFrame([4, 0]))
  const before = await liveOctets()
  const rssBefore = process.memoryUsage().rss
  for (let i = 0; i < 100; i++) {
    peer.write(headersFrame(2 * i + 1, false, ...FIELDS), dataFrame(2 * i + 1, true, Buffer.alloc(5)))
  }
  await becomes(() => server.runningCalls === 100)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const growth = (await liveOctets()) - before
  const rss = process.memoryUsage().rss - rssBefore
  const perStream = (yielded * chunk.length) / 100 / 1024
  peer.socket.destroy()
  const gone = await becomes(() => server.runningCalls === 0)
  await server.close({ graceMs: 0 })
  return [
    {
      promise: '100 stalled replies of 1 MiB: taken from each handler (<= 256 KiB), KiB',
      figure: perStream.toFixed(0),
      kept: perStream <= 256 && gone,
    },
    {
      promise: '  live memory (< +40 MiB), RSS',
      figure: `${mib(growth)}, ${mib(rss)}`,
      kept: growth < 40 * MIB,
    },
  ]
}

/** A server that is killed under 100 streams. */
export const kill: Measure = async (engine) => {
  const start = (address?: string) =>
    Child.start({ teardown: () => {} } as never, 'child-server.ts', {
      ENGINE: engine,
      ...(address !== undefined && { ADDRESS: address }),
    })
  const first = start()
  const address = (await first.line(/^127/))!
  const channel = connect(address, { engine, initialBackoffMs: 20 })
  const client = channel.client(Text)
  const calls = Array.from({ length: 100 }, () => client.many({})[Symbol.asyncIterator]())
  await Promise.all(calls.map((call) => call.next()))
  const killed = performance.now()
  const ends = Promise.all(
    calls.map((call) =>
      call.next().then(
        () => 0,
        (error: unknown) => (error instanceof StatusError ? error.code : -1),
      ),
    ),
  )
  first.process.kill('SIGKILL')
  const codes = await ends
  const statusMs = performance.now() - killed
  const second = start(address)
  await second.line(/^127/)
  const restarted = performance.now()
  const answer = await client
    .one({ text: 'x' }, { waitForReady: true, deadline: 20_000 })
    .catch((error: unknown) => error)
  const readyMs = performance.now() - restarted
  await channel.close({ graceMs: 0 })
  await second.kill()
  const unavailable = codes.filter((code) => code === 14).length
  return [
    {
      promise: 'server killed under 100 streams: UNAVAILABLE, and found again',
      figure: `${unavailable}, ${answer instanceof Error ? answer.message : 'yes'}`,
      kept: unavailable === 100 && !(answer instanceof Error),
    },
    {
      promise: '  kill to status (100), restart to answer (1,000), ms',
      figure: `${statusMs.toFixed(0)}, ${readyMs.toFixed(0)}`,
    },
  ]
}
