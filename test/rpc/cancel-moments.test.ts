/**
 * Cancellation by either side at every moment of a call's life: after 0, 1, 2 … turns of the event loop, in each way
 * there is. However it comes out, the call ends once, for everybody who waits, and nothing of it is left.
 */
import t from 'tap'
import type { CallSummary } from '../../src/rpc/call-summary.ts'
import type { Call } from '../../src/rpc/calls.ts'
import type { HandlerCall } from '../../src/rpc/handlers.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { Status } from '../../src/wire/grpc/status-codes.ts'
import { ENGINES, pair } from './support/pair.ts'

/** A call over TCP takes fewer turns than this. */
const MOMENTS = 24

const turn = () => new Promise(setImmediate)

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

/** How often each promise of a call settles, and with which code. */
interface Ending {
  codes: number[]
  failed: number[]
}

function watch(call: Call, read: () => Promise<unknown>): Ending {
  const ending: Ending = { codes: [], failed: [] }
  void call.status.then(({ code }) => ending.codes.push(code))
  void read().then(
    () => ending.failed.push(Status.OK),
    (error: unknown) => ending.failed.push(error instanceof StatusError ? error.code : -1),
  )
  return ending
}

type Kind = 'one' | 'many' | 'gather' | 'chat'
const KINDS: readonly Kind[] = ['one', 'many', 'gather', 'chat']

t.setTimeout(120_000)

for (const engine of ENGINES) {
  /** A server whose handlers take a few turns, and know whether they were told. */
  const start = async (t: Parameters<typeof pair>[0], fail?: () => Promise<void>) => {
    const log: CallSummary[] = []
    const running = new Set<HandlerCall>()
    const track = async (call: HandlerCall) => {
      running.add(call)
      await turns(2)
      await fail?.()
      running.delete(call)
    }
    const all = await pair(
      t,
      engine,
      {
        one: async (_, call) => {
          await track(call)
          return { text: 'x' }
        },
        async *many(_, call) {
          for (let index = 0; index < 3; index++) {
            await track(call)
            yield { text: 'x', index }
          }
        },
        gather: async (requests, call) => {
          let count = 0
          for await (const _ of requests) count++
          await track(call)
          return { text: String(count) }
        },
        async *chat(requests, call) {
          for await (const _ of requests) {
            await track(call)
            yield { text: 'x' }
          }
        },
      },
      { server: { onCall: (summary) => log.push(summary) } },
    )
    await all.channel.ready()
    const { client } = all
    const begin = (kind: Kind, signal?: AbortSignal) => {
      const options = signal === undefined ? {} : { signal }
      const requests = (async function* () {
        for (let i = 0; i < 3; i++) {
          await turn()
          yield { text: 'q' }
        }
      })()
      if (kind === 'one' || kind === 'gather') {
        const call = kind === 'one' ? client.one({}, options) : client.gather(requests, options)
        return { call, read: async () => void (await call), iterator: undefined }
      }
      const call = kind === 'many' ? client.many({}, options) : client.chat(requests, options)
      const iterator = call[Symbol.asyncIterator]()
      const read = async () => {
        while (!(await iterator.next()).done);
      }
      return { call, read, iterator }
    }
    const quiet = async () => {
      for (let i = 0; i < 2000 && (all.server.runningCalls > 0 || running.size > 0); i++) await turn()
      return all.server.runningCalls + running.size
    }
    return { ...all, log, running, begin, quiet }
  }

  const WAYS: Readonly<Record<string, (call: Call, controller: AbortController) => void>> = {
    'an AbortSignal': (_, controller) => controller.abort(),
    'cancel()': (call) => call.cancel(),
    using: (call) => call[Symbol.dispose](),
    'await using': (call) => void call[Symbol.asyncDispose](),
  }

  for (const [way, cancel] of Object.entries(WAYS)) {
    t.test(`${engine}: the client cancels by ${way} at every moment`, async (t) => {
      const { begin, quiet, log, channel, client } = await start(t)
      let calls = 0
      for (const kind of KINDS) {
        const seen = new Set<number>()
        for (let moment = 0; moment < MOMENTS; moment++) {
          const controller = new AbortController()
          const { call, read } = begin(kind, controller.signal)
          calls++
          const ending = watch(call, read)
          await turns(moment)
          const before = ending.codes[0]
          cancel(call, controller)
          const { code } = await call.status
          await turns(2)
          seen.add(code)
          t.ok(code === Status.CANCELLED || code === Status.OK, `${kind} after ${moment} turns: ${code}`)
          if (before !== undefined) t.equal(code, before, 'what has ended stays so')
          t.same(ending, { codes: [code], failed: [code] }, `${kind} after ${moment} turns ended once`)
        }
        t.ok(seen.has(Status.CANCELLED), `${kind} was cancelled at some moment`)
      }
      t.equal(await quiet(), 0, 'no handler is left')
      t.ok(log.length <= calls)
      for (const { code } of log)
        t.ok(code === Status.CANCELLED || code === Status.OK, `the server saw ${code}`)
      t.equal(channel.state, 'READY')
      t.same(await client.one({}), { text: 'x' })
    })
  }

  t.test(`${engine}: the client leaves the loop at every message, and after the last`, async (t) => {
    const { begin, quiet, client } = await start(t)
    for (const kind of ['many', 'chat'] as const) {
      for (let left = 0; left <= 3; left++) {
        for (let moment = 0; moment < 6; moment++) {
          const { call, iterator } = begin(kind)
          const codes: number[] = []
          void call.status.then(({ code }) => codes.push(code))
          for (let i = 0; i < left; i++) await iterator!.next()
          await turns(moment)
          // all of it may have come by then, to be read
          const before = codes[0]
          t.same(await iterator!.return!(), { value: undefined, done: true })
          const { code } = await call.status
          t.equal(code, before ?? Status.CANCELLED, `${kind}, ${left} messages and ${moment} turns`)
        }
      }
    }
    t.equal(await quiet(), 0)
    t.same(await client.one({}), { text: 'x' })
  })

  t.test(`${engine}: a deadline at every moment`, async (t) => {
    const { client, quiet } = await start(t)
    const seen = new Set<number>()
    for (let i = 0; i < 60; i++) {
      const calls = [client.one({}, { deadline: i / 10 }), client.gather([{}], { deadline: i / 10 })]
      for (const call of calls) {
        const ending = watch(call, async () => call)
        const { code } = await call.status
        await turn()
        seen.add(code)
        t.same(ending, { codes: [code], failed: [code] })
      }
    }
    t.same(
      [...seen].filter((code) => code !== Status.OK),
      [Status.DEADLINE_EXCEEDED],
    )
    t.equal(await quiet(), 0)
  })

  t.test(`${engine}: the handler fails at every moment`, async (t) => {
    let moment = 0
    const { begin, quiet, log } = await start(t, async () => {
      await turns(moment)
      throw new StatusError(Status.ABORTED, 'by the server')
    })
    for (const kind of KINDS) {
      for (moment = 0; moment < 8; moment++) {
        const { call, read } = begin(kind)
        const ending = watch(call, read)
        t.match(await call.status, { code: Status.ABORTED, details: 'by the server' }, `${kind} ${moment}`)
        await turns(2)
        t.same(ending, { codes: [Status.ABORTED], failed: [Status.ABORTED] })
      }
    }
    t.equal(log.length, KINDS.length * 8)
    t.equal((await quiet()) - log.length, 0, 'only the handlers that threw were not counted down')
  })

  t.test(`${engine}: the server is closed at every moment`, async (t) => {
    for (let moment = 0; moment < 12; moment++) {
      const { begin, server, log } = await start(t)
      const endings = KINDS.map((kind) => {
        const { call, read } = begin(kind)
        return { kind, call, ending: watch(call, read) }
      })
      await turns(moment)
      await server.close({ graceMs: 0 })
      for (const { kind, call, ending } of endings) {
        const { code } = await call.status
        await turns(2)
        t.ok([Status.OK, Status.UNAVAILABLE].includes(code as 0), `${kind} ${moment}: ${code}`)
        t.same(ending, { codes: [code], failed: [code] })
      }
      t.equal(server.runningCalls, 0)
      t.ok(log.length <= KINDS.length, 'each call was told once')
    }
  })
}
