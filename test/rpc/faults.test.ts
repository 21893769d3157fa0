/** The four kinds of call over a network that misbehaves, always in the same way for the same seed. */
import t, { type Test } from 'tap'
import { nodeEngine, pureEngine } from '../../src/http2/index.ts'
import type { Http2Engine } from '../../src/http2/transport.ts'
import { connect } from '../../src/rpc/index.ts'
import { Server } from '../../src/rpc/server.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { statusName } from '../../src/wire/index.ts'
import { describeFaults, type Faults, faultyEngine } from '../support/fault-transport.ts'
import { collect, echo } from './support/pair.ts'
import { Text } from './support/text-service.ts'

const PAIRINGS: [string, Http2Engine, Http2Engine][] = [
  ['pure, pure', pureEngine, pureEngine],
  ['pure, node', pureEngine, nodeEngine],
  ['node, pure', nodeEngine, pureEngine],
]

// a busy machine may take its time: nothing here measures it
t.setTimeout(120_000)

/** Runs `calls` on a channel over faults that only the first connection has. */
async function over(
  client: Http2Engine,
  server: Http2Engine,
  faults: Faults,
  calls: (text: ReturnType<typeof textClient>) => Promise<void>,
): Promise<void> {
  const engine = faultyEngine(client, server, (n) =>
    n === 0 ? faults : { seed: n, maxDelayTurns: 0, cut: 'none' },
  )
  const listening = new Server({ engine })
  listening.add(Text, echo)
  const channel = connect(await listening.listen('127.0.0.1:0'), { engine })
  try {
    await calls(textClient(channel))
  } finally {
    await channel.close({ graceMs: 0 })
    await listening.close({ graceMs: 0 })
  }
}

function textClient(channel: ReturnType<typeof connect>) {
  return channel.client(Text)
}

/** The four kinds, each with an answer that is checked; what each ends with is written down. */
function fourCalls(
  client: ReturnType<typeof textClient>,
  deadline: number,
): [string, () => Promise<string>][] {
  const long = 'x'.repeat(3000)
  const options = { deadline }
  return [
    ['unary', async () => (await client.one({ text: long }, options)).text],
    [
      'server streaming',
      async () =>
        (await collect(client.many({ text: long, count: 5 }, options))).map(({ text }) => text).join(),
    ],
    ['client streaming', async () => (await client.gather([{ text: long }, { text: 'b' }], options)).text],
    [
      'bidirectional',
      async () =>
        (await collect(client.chat([{ text: long }, { text: 'c' }], options))).map(({ text }) => text).join(),
    ],
  ]
}

const EXPECTED: Record<string, string> = {
  unary: 'x'.repeat(3000),
  'server streaming': Array.from({ length: 5 }, () => 'x'.repeat(3000)).join(),
  'client streaming': `${'x'.repeat(3000)},b`,
  bidirectional: `${'x'.repeat(3000)},c`,
}

async function lossless(t: Test, client: Http2Engine, server: Http2Engine, faults: Faults): Promise<void> {
  await over(client, server, faults, async (text) => {
    for (const [kind, call] of fourCalls(text, 20_000)) {
      t.equal(await call(), EXPECTED[kind], `${kind}, ${describeFaults(faults)}`)
    }
    const all = await Promise.all(fourCalls(text, 20_000).map(([, call]) => call()))
    t.strictSame(all, Object.values(EXPECTED), `at once, ${describeFaults(faults)}`)
  })
}

/** Every call ends once: with the right answer, or with a status that says why. */
async function broken(t: Test, client: Http2Engine, server: Http2Engine, faults: Faults): Promise<void> {
  await over(client, server, faults, async (text) => {
    const ends = await Promise.all(
      fourCalls(text, 400).map(async ([kind, call]) => {
        try {
          const answer = await call()
          return answer === EXPECTED[kind] ? 'OK' : `${kind}: wrong answer`
        } catch (error) {
          if (!(error instanceof StatusError)) return `${kind}: ${String(error)}`
          return ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'INTERNAL'].includes(
            statusName(error.code),
          )
            ? 'failed'
            : error.message
        }
      }),
    )
    for (const end of ends) if (end !== 'OK' && end !== 'failed') t.fail(`${end}; ${describeFaults(faults)}`)
    if (faults.then === 'drop') return
    // a connection that is gone is replaced, and the next call succeeds
    t.equal(
      (await text.one({ text: 'again' }, { deadline: 10_000, waitForReady: true })).text,
      'again',
      describeFaults(faults),
    )
  })
}

for (const [name, client, server] of PAIRINGS) {
  t.test(`${name}: cut, late and in odd turns, but complete`, async (t) => {
    for (let seed = 1; seed <= 4; seed++) await lossless(t, client, server, { seed })
    await lossless(t, client, server, { seed: 5, cut: 'every-octet', maxDelayTurns: 0 })
    await lossless(t, client, server, { seed: 6, cut: 'none', maxDelayTurns: 10 })
  })

  for (const then of ['reset', 'end', 'drop'] as const) {
    t.test(`${name}: ${then} after any number of octets`, async (t) => {
      const runs = Array.from({ length: 24 }, (_, index) => ({
        seed: 100 + index,
        after: Math.round(1.4 ** index),
        then,
      }))
      await Promise.all(runs.map((faults) => broken(t, client, server, faults)))
    })
  }
}
