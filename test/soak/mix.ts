/** Mixed calls for a while: 70 % unary, 20 % streams, 10 % cancelled, over 50 connections of which one reconnects each second. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { type Channel, connect, Server, StatusError } from '../../src/rpc/index.ts'
import { becomes, liveOctets, type Measure, MIB, mib, Octets, pause } from './measure.ts'

const CONNECTIONS = 50
const WORKERS = 2
const US_PER_MS = 1000

export const mix: Measure = async (engine, { short, minutes, seed }) => {
  const durationMs = short ? 8000 : minutes * 60_000
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % limit
  }
  const chunk = Buffer.alloc(1000, 1)
  const server = new Server({ engine }).add(Octets, {
    unary: (request) => request,
    async *down() {
      for (let i = 0; i < 10; i++) yield chunk
    },
    async up(requests) {
      let sizeOctets = 0
      for await (const { length } of requests) sizeOctets += length
      return Buffer.from(String(sizeOctets))
    },
    async *both(requests) {
      for await (const request of requests) yield request
    },
  })
  const address = await server.listen('127.0.0.1:0')
  const channels: Channel[] = Array.from({ length: CONNECTIONS }, () => connect(address, { engine }))
  const unexpected = new Map<string, number>()
  let calls = 0
  const call = async (channel: Channel, times: RecordableHistogram) => {
    const client = channel.client(Octets)
    const kind = below(10)
    const start = performance.now()
    if (kind < 7) {
      await client.unary(chunk)
      times.record(Math.max(1, Math.round((performance.now() - start) * US_PER_MS)))
    } else if (kind === 7) {
      let count = 0
      for await (const _ of client.down(chunk)) count++
      if (count !== 10) throw new Error(`${count} of 10 messages`)
    } else if (kind === 8) {
      let count = 0
      for await (const _ of client.both([chunk, chunk, chunk])) count++
      if (count !== 3) throw new Error(`${count} of 3 messages`)
    } else {
      const cancelled = client.down(chunk)
      if (below(2) === 0) await pause(below(3))
      cancelled.cancel()
      const { code } = await cancelled.status
      // what has ended can't be cancelled any more
      if (code !== 1 && code !== 0) throw new StatusError(code, 'after a cancel')
    }
  }
  const during = async (ms: number) => {
    const end = Date.now() + ms
    // Not a list of all: it would be the memory that grows.
    const times = createHistogram({ figures: 3 })
    const workers = Array.from({ length: CONNECTIONS * WORKERS }, async (_, worker) => {
      const index = worker % CONNECTIONS
      while (Date.now() < end) {
        calls++
        await call(channels[index]!, times).catch((error: unknown) => {
          const words = String(error)
          unexpected.set(words, (unexpected.get(words) ?? 0) + 1)
        })
        await pause(below(20))
      }
    })
    const reconnecting = (async () => {
      while (Date.now() < end) {
        await pause(Math.min(1000, Math.max(end - Date.now(), 1)))
        const index = below(CONNECTIONS)
        const old = channels[index]!
        channels[index] = connect(address, { engine })
        await old.close()
      }
    })()
    await Promise.all([...workers, reconnecting])
    return times.percentile(99) / US_PER_MS
  }
  const first = await during(durationMs / 2)
  const heapBefore = await liveOctets()
  const last = await during(durationMs / 2)
  const growth = (await liveOctets()) - heapBefore
  await Promise.all(channels.map((channel) => channel.close()))
  const gone = await becomes(() => server.runningCalls === 0)
  await server.close({ graceMs: 0 })
  const wrong = [...unexpected].map(([words, count]) => `${count} x ${words}`).join('; ')
  return [
    {
      promise: `mixed calls for ${(durationMs / 60_000).toFixed(1)} min over ${CONNECTIONS} connections: unexpected statuses`,
      figure: wrong === '' ? `0 of ${calls}` : wrong.slice(0, 300),
      kept: wrong === '' && gone,
    },
    { promise: '  live memory in the second half (< +1 MiB)', figure: mib(growth), kept: growth < MIB },
    {
      promise: '  p99 of unary calls, first and second half (1.3 times the first), ms',
      figure: `${first.toFixed(1)} and ${last.toFixed(1)}`,
    },
  ]
}
