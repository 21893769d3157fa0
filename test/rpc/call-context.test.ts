import t from 'tap'
import { currentCall } from '../../src/rpc/call-context.ts'
import { connect } from '../../src/rpc/channel.ts'
import type { ServerInterceptor } from '../../src/rpc/server-interceptor.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'
import { type Ask, Text } from './support/text-service.ts'

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

  for (const [name, interceptors] of [
    ['no interceptor', []],
    ['an interceptor', [(incoming, next) => next(incoming)]],
  ] as const satisfies readonly (readonly [string, readonly ServerInterceptor[]])[]) {
    t.test(`${engine}: the current call at every step of all four kinds, with ${name}`, async (t) => {
      const seen = async () => {
        const before = currentCall()?.method.name
        await new Promise((resolve) => setTimeout(resolve, 1))
        return `${before},${currentCall()?.method.name}`
      }
      const left: (string | undefined)[] = []
      const { client } = await pair(
        t,
        engine,
        {
          one: async () => ({ text: await seen() }),
          async *many() {
            try {
              for (;;) yield { text: await seen() }
            } finally {
              left.push(currentCall()?.method.name)
            }
          },
          gather: async (requests) => {
            for await (const _ of requests);
            return { text: await seen() }
          },
          async *chat(requests) {
            for await (const _ of requests) yield { text: await seen() }
          },
        },
        { server: { callContext: true, interceptors } },
      )
      t.same(await client.one({}), { text: 'One,One' })
      t.same(await client.gather([{}, {}]), { text: 'Gather,Gather' })
      t.same(await collect(client.chat([{}, {}])), [{ text: 'Chat,Chat' }, { text: 'Chat,Chat' }])
      const many = client.many({})[Symbol.asyncIterator]()
      for (let i = 0; i < 3; i++) t.same((await many.next()).value, { text: 'Many,Many' })
      await many.return!()
      while (left.length === 0) await new Promise(setImmediate)
      t.same(left, ['Many'], 'when it is left, too')
      t.equal(currentCall(), undefined)
    })
  }

  t.test(`${engine}: responses that are no generator keep working in a context`, async (t) => {
    const many: Record<string, () => unknown> = {
      list: () => [{ text: 'a' }, { text: 'b' }],
      'a promise of a list': async () => [{ text: 'a' }, { text: 'b' }],
      'an iterator without return': () => {
        let left = 2
        const next = async () =>
          left-- > 0 ? { value: { text: left ? 'a' : 'b' }, done: false } : { value: undefined, done: true }
        return { [Symbol.asyncIterator]: () => ({ next }) }
      },
    }
    const { client } = await pair(
      t,
      engine,
      { ...echo, many: ({ text = '' }: Ask) => (many[text] ?? (() => 5))() as never },
      { server: { callContext: true } },
    )
    for (const text of Object.keys(many))
      t.same(await collect(client.many({ text })), [{ text: 'a' }, { text: 'b' }], text)
    for (const text of Object.keys(many)) for await (const _ of client.many({ text })) break
    t.match(await rejection(collect(client.many({ text: 'a number' }))), { code: 2 })
    t.same(await client.one({ text: 'on' }), { text: 'on' })
  })
}
