/** Connections and streams that are set up, and those that are held open. */
import type { Connection, ConnectOptions, Contender } from './contender.ts'
import { Latencies } from './latencies.ts'
import { bodyOf, verify } from './payload.ts'
import type { Outcome, SetUpTask } from './task.ts'

const BODY_OCTETS = 16
/** How many connections or streams are being opened at the same time. */
const BATCH = 50

/** One call, verified. */
export function callOnce(connection: Connection): Promise<void> {
  const body = bodyOf(BODY_OCTETS)
  return new Promise((settle, fail) =>
    connection.echo(body, (error, reply) => {
      try {
        if (error !== undefined) throw error
        verify(reply, body)
        settle()
      } catch (cause) {
        fail(cause)
      }
    }),
  )
}

/** One message there and back on a stream that stays open. */
function openChat(connection: Connection): Promise<void> {
  const body = bodyOf(BODY_OCTETS)
  return new Promise((settle, fail) => {
    const chat = connection.chat(
      (got) => {
        try {
          verify(got, body)
          settle()
        } catch (cause) {
          fail(cause)
        }
      },
      (error) => fail(error ?? new Error('a stream that should stay open has ended')),
    )
    chat.send(body)
  })
}

/** Runs `one` as often as said, some at a time. */
export async function inBatches(count: number, one: () => Promise<unknown>): Promise<void> {
  for (let left = count; left > 0; left -= BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, left) }, one))
  }
}

/** Runs a task; what it opens and does not close is added to `held`. */
export async function setUp(
  contender: Contender,
  port: number,
  options: ConnectOptions,
  { kind, count }: SetUpTask,
  held: Connection[],
): Promise<Outcome> {
  const latencies = new Latencies()
  const startedAt = performance.now()
  if (kind === 'set-up') {
    for (let i = 0; i < count; i++) {
      const from = performance.now()
      const connection = await contender.connect(port, options)
      await callOnce(connection)
      latencies.add(performance.now() - from)
      await connection.close()
    }
  } else if (kind === 'idle-connections') {
    await inBatches(count, async () => {
      const connection = await contender.connect(port, options)
      held.push(connection)
      await callOnce(connection)
    })
  } else {
    const [connection] = held
    await inBatches(count, () => openChat(connection!))
  }
  return { operations: count, seconds: (performance.now() - startedAt) / 1000, latency: latencies.summary() }
}
