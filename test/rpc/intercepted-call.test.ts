/** How a call with interceptors ends: exactly once, for everybody who waits, and with the interceptors cleaned up. */
import t from 'tap'
import { type ClientInterceptor, StatusError } from '../../src/rpc/index.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'

/** Passes on, and says when it has cleaned up. */
function cleaning(log: string[]): ClientInterceptor {
  return async function* (call, next) {
    try {
      yield* next(call)
    } finally {
      log.push('clean')
    }
  }
}

const hanging: ClientInterceptor = async function* () {
  await new Promise(() => {})
}

for (const engine of ENGINES) {
  t.test(`${engine}: an interceptor that waits keeps nothing from ending the call`, async (t) => {
    const { client } = await pair(t, engine)
    const interceptors = [hanging]
    const ends: readonly [object, object, (() => void)?][] = [
      [{ deadline: 20 }, { code: 4, details: 'Deadline exceeded in an interceptor' }],
      [{ deadline: new Date(Date.now() - 1) }, { code: 4 }],
      [{ signal: AbortSignal.timeout(20) }, { code: 1, cause: { name: 'TimeoutError' } }],
      [{ signal: AbortSignal.abort('enough') }, { code: 1, cause: 'enough' }],
      [
        { parent: { deadline: new Date(Date.now() + 20), signal: new AbortController().signal } },
        { code: 4 },
      ],
      [
        { parent: { deadline: undefined, signal: AbortSignal.timeout(20) } },
        { code: 1, details: 'Cancelled by parent call' },
      ],
    ]
    for (const [options, expected] of ends) {
      const all = { interceptors, ...options }
      t.match(await rejection(client.one({}, all)), expected, 'unary')
      const many = client.many({}, all)
      t.match(await rejection(collect(many)), expected, 'server streaming')
      t.match(await many.status, expected)
      const gather = client.gather(all)
      t.match(await rejection(gather.write({})), expected, 'client streaming')
      t.match(await rejection(gather), expected)
      const chat = client.chat(all)
      const next = chat[Symbol.asyncIterator]().next()
      t.match(await rejection(chat.write({})), expected, 'bidirectional')
      t.match(await rejection(next), expected)
      t.match(await rejection(chat.headers), expected)
    }
  })

  t.test(`${engine}: interceptors clean up when a call is left, cancelled, or fails`, async (t) => {
    const { client } = await pair(t, engine, {
      ...echo,
      async *many() {
        for (;;) yield { text: 'x' }
      },
      one: ({ text }) => {
        if (text === 'fail') throw new StatusError(5, 'none')
        return { text: 'y' }
      },
    })
    const log: string[] = []
    const options = { interceptors: [cleaning(log), cleaning(log)] }
    for await (const _ of client.many({}, options)) break
    const cancelled = client.many({}, options)
    const iterator = cancelled[Symbol.asyncIterator]()
    await iterator.next()
    cancelled.cancel()
    t.match(await rejection(iterator.next()), { code: 1 })
    t.match(await rejection(client.one({ text: 'fail' }, options)), { code: 5, details: 'none' })
    await client.one({}, options)
    while (log.length < 8) await new Promise(setImmediate)
    t.equal(log.length, 8)
  })

  t.test(`${engine}: responses after the failure, and reading several at once`, async (t) => {
    const { client } = await pair(t, engine)
    const through: ClientInterceptor = (call, next) => next(call)
    const several = client.many({ text: 'a', count: 2 }, { interceptors: [through] })[Symbol.asyncIterator]()
    t.match(await Promise.all([several.next(), several.next(), several.next(), several.next()]), [
      { value: { text: 'a', index: 0 } },
      { value: { text: 'a', index: 1 } },
      { done: true },
      { done: true },
    ])
    const call = client.many({ text: 'a', count: 1000 }, { interceptors: [through] })
    const iterator = call[Symbol.asyncIterator]()
    await iterator.next()
    const reads = [iterator.next(), iterator.next()].map((read) => rejection(read).catch(() => 'a message'))
    call.cancel('enough')
    for (const read of await Promise.all(reads)) t.match(read, /a message|enough/)
    t.match(await rejection(iterator.next()), { code: 1, details: 'enough' })
  })

  t.test(
    `${engine}: an interceptor gives the requests as a list, and the right number of them`,
    async (t) => {
      const { client } = await pair(t, engine)
      const giving =
        (...requests: object[]): ClientInterceptor =>
        (call, next) =>
          next({ ...call, requests })
      const two = [giving({ text: 'a' }, { text: 'b' })]
      t.same(await client.one({}, { interceptors: [giving({ text: 'a' })] }), { text: 'a' })
      t.same(await client.gather([], { interceptors: two }), { text: 'a,b' })
      t.match(await rejection(client.one({}, { interceptors: two })), {
        code: 13,
        details: 'An interceptor gave /test.Text/One a second request where one is allowed',
      })
      t.match(await rejection(collect(client.many({}, { interceptors: [giving()] }))), {
        code: 13,
        details: 'An interceptor gave /test.Text/Many no request where one is needed',
      })
    },
  )

  t.test(`${engine}: an interceptor that gives two responses where one is allowed`, async (t) => {
    const { client } = await pair(t, engine)
    const log: string[] = []
    const twice: ClientInterceptor = async function* (call, next) {
      for await (const response of next(call)) {
        yield response
        yield response
      }
    }
    const interceptors = [cleaning(log), twice]
    t.match(await rejection(client.one({}, { interceptors })), {
      code: 13,
      details: 'An interceptor gave /test.Text/One a second response where one is allowed',
    })
    t.match(await rejection(client.gather([{}], { interceptors })), {
      code: 13,
      details: /a second response/,
    })
    while (log.length < 2) await new Promise(setImmediate)
    t.equal((await collect(client.many({ count: 2 }, { interceptors }))).length, 4, 'streams may have more')
  })

  t.test(`${engine}: an interceptor that throws before it gives an iterable`, async (t) => {
    const { client } = await pair(t, engine)
    const throwing: ClientInterceptor = () => {
      throw new StatusError(9, 'not now')
    }
    t.match(await rejection(client.one({}, { interceptors: [throwing] })), { code: 9 })
    t.match(await rejection(collect(client.many({}, { interceptors: [throwing] }))), { code: 9 })
  })

  t.test(
    `${engine}: gRPC compression.md: compress: false of a write goes through interceptors`,
    async (t) => {
      const text = 'x'.repeat(2000)
      const { client } = await pair(
        t,
        engine,
        {
          ...echo,
          gather: async (requests, call) => {
            const seen: boolean[] = []
            for await (const _ of requests) seen.push(call.requestCompressed)
            return { text: seen.join() }
          },
          chat: async function* (requests, call) {
            for await (const _ of requests) yield { text: String(call.requestCompressed) }
          },
        },
        { channel: { compression: 'gzip' } },
      )
      const through: ClientInterceptor = (call, next) => next(call)
      const replacing: ClientInterceptor = (call, next) => {
        async function* replaced() {
          for await (const request of call.requests) yield { ...(request as object) }
        }
        return next({ ...call, requests: replaced() })
      }
      const collecting: ClientInterceptor = async function* (call, next) {
        const requests = await collect(call.requests as AsyncIterable<unknown>)
        yield* next({ ...call, requests })
      }
      for (const [name, interceptors] of Object.entries({
        none: [],
        through: [through],
        replacing: [replacing, through, replacing],
        collecting: [collecting],
      })) {
        const call = client.gather({ interceptors })
        const writes = [undefined, { compress: false }, {}, { compress: false }, { compress: true }]
        for (const options of writes) await call.write({ text }, options)
        call.end()
        t.same(await call, { text: 'true,false,true,false,true' }, name)
        if (name === 'collecting') continue
        const chat = client.chat({ interceptors })
        const responses = chat[Symbol.asyncIterator]()
        for (const options of writes) {
          await chat.write({ text }, options)
          t.same((await responses.next()).value, { text: String(options?.compress ?? true) }, name)
        }
        chat.end()
        t.equal((await responses.next()).done, true)
      }
      t.same(
        await client.gather([{ text }, { text }], { interceptors: [through] }),
        { text: 'true,true' },
        'requests given as a whole are compressed',
      )
    },
  )
}
