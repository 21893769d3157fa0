/** Promises about many and large calls: soak, concurrent large calls, memory after many calls, races. */
import { connect, Server, StatusError } from '../../src/rpc/index.ts'
import { becomes, type Figure, liveOctets, type Measure, MIB, mib, Octets, percentile } from './measure.ts'

const REQUEST = Buffer.alloc(271_828, 1)
const REPLY = Buffer.alloc(314_159, 2)

/** gRPC interop rpc_soak and channel_soak. */
export const soak: Measure = async (engine, { short }) => {
  const iterations = short ? 100 : 1000
  const server = new Server({ engine }).add(Octets, { unary: () => REPLY })
  const address = await server.listen('127.0.0.1:0')
  const figures: Figure[] = []
  for (const name of ['rpc_soak', 'channel_soak']) {
    const times: number[] = []
    let failures = 0
    let channel = connect(address, { engine })
    for (let i = 0; i < iterations; i++) {
      if (name === 'channel_soak' && i > 0) {
        await channel.close()
        channel = connect(address, { engine })
      }
      const start = performance.now()
      try {
        const reply = await channel.client(Octets).unary(REQUEST, { deadline: 10_000 })
        if (reply.length !== REPLY.length) failures++
      } catch {
        failures++
      }
      times.push(performance.now() - start)
    }
    await channel.close()
    times.sort((a, b) => a - b)
    const p50 = percentile(times, 0.5).toFixed(1)
    const max = times.at(-1)!.toFixed(0)
    figures.push(
      { promise: `${name}: failures of ${iterations}`, figure: String(failures), kept: failures === 0 },
      { promise: `  ${name}: median and longest (250), ms`, figure: `${p50} and ${max}` },
    )
  }
  await server.close()
  return figures
}

/** 1,000 large calls at once on one connection. */
export const largeUnary: Measure = async (engine, { short }) => {
  const count = short ? 200 : 1000
  const server = new Server({ engine, maxConcurrentStreams: count }).add(Octets, { unary: () => REPLY })
  const channel = connect(await server.listen('127.0.0.1:0'), { engine })
  const client = channel.client(Octets)
  await client.unary(REQUEST)
  const start = performance.now()
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => client.unary(REQUEST, { deadline: 120_000 })),
  )
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const failures = results.filter(({ status }) => status === 'rejected').length
  await channel.close()
  await server.close()
  return [
    {
      promise: `large unary calls at once on a connection: failures of ${count}`,
      figure: String(failures),
      kept: failures === 0,
    },
    { promise: '  took (15), s', figure: seconds },
    {
      promise: '  peak RSS of client and server in one (700 MiB)',
      figure: mib(process.resourceUsage().maxRSS * 1024),
    },
  ]
}

/** Memory after many small calls. */
export const heap: Measure = async (engine, { short }) => {
  const calls = short ? 20_000 : 300_000
  const server = new Server({ engine }).add(Octets, { unary: (request) => request })
  const channel = connect(await server.listen('127.0.0.1:0'), { engine })
  const client = channel.client(Octets)
  const request = Buffer.from('hello')
  const run = async (count: number) => {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(Array.from({ length: 100 }, () => client.unary(request)))
    }
  }
  await run(10_000)
  const heapBefore = await liveOctets()
  const rssBefore = process.memoryUsage().rss
  await run(calls)
  const growth = (await liveOctets()) - heapBefore
  const slope = ((process.memoryUsage().rss - rssBefore) / calls) * 100_000
  await channel.close()
  await server.close()
  return [
    {
      promise: `live memory after ${calls} unary calls, growth (< 2 MiB)`,
      figure: mib(growth),
      kept: growth < 2 * MIB,
    },
    { promise: '  RSS for each 100,000 of them (5 MiB)', figure: mib(slope) },
  ]
}

/** Calls that race deadline, cancel and answer: each settles exactly once. */
export const race: Measure = async (engine, { short, seed }) => {
  const count = short ? 4000 : 20_000
  // more resets on one connection are rapid reset
  const perConnection = 500
  let random = seed
  const below = (limit: number) => {
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff
    return (random >>> 8) % limit
  }
  let escaped = 0
  process.on('unhandledRejection', () => escaped++)
  const server = new Server({ engine }).add(Octets, {
    unary: async (request) => {
      await new Promise((resolve) => setTimeout(resolve, request[0]))
      return request
    },
  })
  const address = await server.listen('127.0.0.1:0')
  const settled = new Uint8Array(count)
  const codes = new Map<number, number>()
  for (let first = 0; first < count; first += perConnection) {
    const channel = connect(address, { engine })
    const client = channel.client(Octets)
    await client.unary(Buffer.of(0))
    const calls: Promise<void>[] = []
    for (let i = first; i < Math.min(first + perConnection, count); i++) {
      const call = client.unary(Buffer.of(below(13)), { deadline: 1 + below(30) })
      if (below(6) === 0) setTimeout(() => call.cancel(), below(13))
      const end = (code: number) => {
        settled[i]!++
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      calls.push(
        call.then(
          () => end(0),
          (error: unknown) => end(error instanceof StatusError ? error.code : -1),
        ),
      )
      if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 4))
    }
    await Promise.all(calls)
    await channel.close()
  }
  const wrong = settled.filter((times) => times !== 1).length
  const strange = [...codes].filter(([code]) => ![0, 1, 4].includes(code))
  const left = !(await becomes(() => server.runningCalls === 0))
  await server.close()
  return [
    {
      promise: `racing calls that did not settle exactly once, of ${count}`,
      figure: String(wrong),
      kept: wrong === 0 && escaped === 0 && !left && strange.length === 0,
    },
    {
      promise: '  OK, CANCELLED, DEADLINE_EXCEEDED, other',
      figure: `${codes.get(0) ?? 0}, ${codes.get(1) ?? 0}, ${codes.get(4) ?? 0}, ${strange.length}`,
    },
  ]
}
