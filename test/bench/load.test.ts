import t from 'tap'
import type { Connection } from '../../bench/worker/contender.ts'
import { Latencies } from '../../bench/worker/latencies.ts'
import { load } from '../../bench/worker/load.ts'
import { bodyOf, verify } from '../../bench/worker/payload.ts'

const unused = (): never => {
  throw new Error('not called')
}
const connection = (echo: Connection['echo']): Connection => ({
  echo,
  download: unused,
  upload: unused,
  chat: unused,
  close: async () => {},
})

t.test('a reply is verified octet for octet', (t) => {
  t.equal(bodyOf(1000).length, 1000)
  t.doesNotThrow(() => verify(Uint8Array.from(bodyOf(16)), bodyOf(16)))
  t.throws(() => verify(undefined, bodyOf(16)), /the run is void/)
  t.throws(() => verify(bodyOf(15), bodyOf(16)), /15 octets is not the one expected, of 16/)
  const wrong = Buffer.from(bodyOf(16))
  wrong[15]! ^= 1
  t.throws(() => verify(wrong, bodyOf(16)), /the run is void/)
  t.end()
})

t.test('percentiles', (t) => {
  const latencies = new Latencies()
  for (let i = 1; i <= 1000; i++) latencies.add(i)
  const { p50Ms, p99Ms, maxMs, meanMs } = latencies.summary()
  for (const [got, expected] of [
    [p50Ms, 500],
    [p99Ms, 990],
    [maxMs, 1000],
    [meanMs, 500.5],
  ] as const) {
    t.ok(Math.abs(got - expected) / expected < 0.005, `${got} is about ${expected}`)
  }
  t.equal(new Latencies().summary().p50Ms, 0)
  t.end()
})

t.test('a closed loop makes as many calls as asked for, some at a time', async (t) => {
  let running = 0
  let most = 0
  const echo: Connection['echo'] = (body, done) => {
    most = Math.max(most, ++running)
    setImmediate(() => {
      running--
      done(undefined, body)
    })
  }
  const task = { kind: 'echo', sizeOctets: 16, outstanding: 4, operations: 50 } as const
  const { operations } = await load([connection(echo)], task)
  t.equal(operations, 50)
  t.equal(most, 4)
})

t.test('a wrong reply and a failed call end the run', async (t) => {
  const task = { kind: 'echo', sizeOctets: 16, outstanding: 1, operations: 5 } as const
  const wrong = connection((_body, done) => setImmediate(() => done(undefined, bodyOf(3))))
  await t.rejects(load([wrong], task), /the run is void/)
  const failing = connection((body, done) => setImmediate(() => done(new Error('no'), body)))
  await t.rejects(load([failing], task), /no/)
})

t.test('at a fixed rate, calls held up by a slow one count from when they were due', async (t) => {
  let held: (() => void)[] | undefined = []
  const echo: Connection['echo'] = (body, done) => {
    // everything is held until ten calls wait: the first one for nine intervals
    if (held === undefined) return void setImmediate(() => done(undefined, body))
    held.push(() => done(undefined, body))
    if (held.length < 10) return
    const all = held
    held = undefined
    for (const release of all) release()
  }
  const task = {
    kind: 'open-loop',
    sizeOctets: 16,
    outstanding: 1,
    operations: 10,
    callsPerSecond: 500,
  } as const
  const { operations, latency } = await load([connection(echo)], task)
  t.equal(operations, 10)
  t.ok(latency.maxMs >= 17.9, `${latency.maxMs} ms for nine intervals of 2 ms`)
})
