import t from 'tap'
import { currentCall } from '../../src/rpc/call-context.ts'
import { connect } from '../../src/rpc/channel.ts'
import { ENGINES, echo, pair, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

for (const engine of ENGINES) {
  t.test(`${engine}: calls inside of a handler inherit its deadline and cancellation`, async (t) => {
    let innerDeadline: number | undefined
    let innerCancelled: (() => void) | undefined
    const cancelled = new Promise<void>((resolve) => {
      innerCancelled = resolve
    })
    const back = await pair(t, engine, {
      one: ({ text = '' }, call) => {
        innerDeadline = call.deadline?.getTime()
        if (text !== 'hang') return { text }
        return new Promise(() => call.signal.addEventListener('abort', () => innerCancelled!()))
      },
    })
    const inherit = connect(back.address, { engine, inheritCall: true })
    t.teardown(() => inherit.close({ graceMs: 0 }))
    const front = await pair(
      t,
      engine,
      {
        ...echo,
        one: async (request, call) => {
          await null
          t.equal(currentCall(), call)
          return inherit.client(Text).one(request)
        },
        gather: async (requests, call) => {
          for await (const request of requests) return back.client.one(request, { parent: call })
          return { text: '' }
        },
      },
      { server: { callContext: true } },
    )
    t.equal(currentCall(), undefined)
    const deadline = new Date(Date.now() + 5000)
    await front.client.one({ text: 'a' }, { deadline })
    t.ok(Math.abs(innerDeadline! - deadline.getTime()) < 100, 'by AsyncLocalStorage')
    innerDeadline = undefined
    await front.client.gather([{ text: 'a' }], { deadline })
    t.ok(Math.abs(innerDeadline! - deadline.getTime()) < 100, 'by parent')
    await front.client.one({ text: 'a' })
    t.equal(innerDeadline, undefined, 'without deadline there is none')
    const call = front.client.one({ text: 'hang' }, { deadline: 60_000 })
    while (innerDeadline === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    call.cancel()
    t.match(await rejection(call), { code: 1 })
    await cancelled
  })
}
