import t from 'tap'
import type { ClientInterceptor } from '../../src/rpc/call-options.ts'
import type { ServerInterceptor } from '../../src/rpc/server-interceptor.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'
import type { Answer, Ask } from './support/text-service.ts'

for (const engine of ENGINES) {
  t.test(`${engine}: client interceptors, one type for all four kinds`, async (t) => {
    const log: string[] = []
    const named = (name: string): ClientInterceptor =>
      async function* (call, next) {
        log.push(`${name}>`)
        call.metadata.add('x-seen', name)
        yield* next(call)
        log.push(`<${name}`)
      }
    const { client } = await pair(
      t,
      engine,
      {
        ...echo,
        one: (_, call) => {
          call.setTrailers({ 'x-t': 'trailer' })
          call.sendHeaders({ 'x-h': 'header' })
          return { text: call.metadata.getAll('x-seen').join() }
        },
      },
      { channel: { interceptors: [named('a')] } },
    )
    const call = client.one({}, { interceptors: [named('b')] })
    t.same(await call, { text: 'a,b' })
    t.same(log, ['a>', 'b>', '<b', '<a'])
    t.equal((await call.headers).get('x-h'), 'header')
    t.equal((await call.trailers).get('x-t'), 'trailer')
    t.match(await call.status, { code: 0 })
    t.equal((await collect(client.many({ text: 'm', count: 2 }))).length, 2)
    t.same(await client.gather([{ text: '1' }, { text: '2' }]), { text: '1,2' })
    const chat = client.chat()
    const responses = chat[Symbol.asyncIterator]()
    t.equal(await chat.write({ text: 'x' }), true)
    t.equal((await responses.next()).value?.text, 'x')
    chat.end()
    t.equal((await responses.next()).done, true)
    t.equal(await chat.write({ text: 'y' }), false)
    t.match(await chat.status, { code: 0 })
  })

  t.test(`${engine}: client interceptors change messages, retry, answer alone, and fail`, async (t) => {
    let tries = 0
    const { client } = await pair(t, engine, {
      ...echo,
      one: ({ text = '' }) => {
        if (text === 'flaky' && ++tries < 3) throw new StatusError(14, 'try again')
        return { text }
      },
      many: async function* () {
        for (;;) yield { text: 'x' }
      },
    })
    const upper: ClientInterceptor = async function* (call, next) {
      for await (const answer of next(call)) yield { text: (answer as Answer).text.toUpperCase() }
    }
    t.same(await client.one({ text: 'a' }, { interceptors: [upper] }), { text: 'A' })

    const retry: ClientInterceptor = async function* (call, next) {
      const requests: unknown[] = []
      for await (const request of call.requests) requests.push(request)
      for (let left = 3; ; left--) {
        const again = {
          ...call,
          requests: (async function* () {
            yield* requests
          })(),
        }
        try {
          const answers: unknown[] = []
          for await (const answer of next(again)) answers.push(answer)
          yield* answers
          return
        } catch (error) {
          if (!(error instanceof StatusError) || error.code !== 14 || left === 0) throw error
        }
      }
    }
    t.same(await client.one({ text: 'flaky' }, { interceptors: [retry] }), { text: 'flaky' })
    t.equal(tries, 3)

    const cache: ClientInterceptor = async function* () {
      yield { text: 'cached' }
    }
    t.same(await client.one({}, { interceptors: [cache] }), { text: 'cached' })
    const nothing: ClientInterceptor = async function* () {}
    t.match(await rejection(client.one({}, { interceptors: [nothing] })), { code: 12 })
    // biome-ignore lint/correctness/useYield: it throws before it could
    const broken: ClientInterceptor = async function* () {
      throw new Error('oops')
    }
    t.match(await rejection(client.one({}, { interceptors: [broken] })), {
      code: 2,
      details: /An interceptor failed: Error: oops/,
    })
    const hanging: ClientInterceptor = async function* () {
      await new Promise(() => {})
    }
    t.match(await rejection(client.one({}, { interceptors: [hanging], deadline: 20 })), { code: 4 })
    const call = client.one({}, { interceptors: [hanging] })
    call.cancel()
    t.match(await rejection(call), { code: 1 })
    t.match(await rejection(client.one({}, { interceptors: [upper], signal: AbortSignal.abort() })), {
      code: 1,
    })

    const endless = client.many({}, { interceptors: [upper] })
    for await (const answer of endless) {
      t.same(answer, { text: 'X' })
      break
    }
    t.match(await endless.status, { code: 1 }, 'leaving the loop cancels the call')
  })

  t.test(`${engine}: server interceptors`, async (t) => {
    const log: string[] = []
    const auth: ServerInterceptor = async function* (incoming, next) {
      if (incoming.call.metadata.get('authorization') !== 'Bearer sesame')
        throw new StatusError(16, 'a token is needed')
      yield* next(incoming)
    }
    const logging: ServerInterceptor = async function* (incoming, next) {
      let count = 0
      try {
        for await (const answer of next(incoming)) {
          count++
          yield answer
        }
      } finally {
        log.push(`${incoming.call.method.name} ${count}`)
      }
    }
    const shout: ServerInterceptor = async function* (incoming, next) {
      async function* louder() {
        for await (const request of incoming.requests)
          yield { ...(request as Ask), text: `${(request as Ask).text}!` }
      }
      yield* next({ ...incoming, requests: louder() })
    }
    const { client } = await pair(t, engine, echo, { server: { interceptors: [logging, auth, shout] } })
    t.match(await rejection(client.one({})), { code: 16, details: 'a token is needed' })
    const options = { metadata: { authorization: 'Bearer sesame' } }
    t.same(await client.one({ text: 'a' }, options), { text: 'a!' })
    t.same(await client.gather([{ text: 'a' }, { text: 'b' }], options), { text: 'a!,b!' })
    t.equal((await collect(client.many({ text: 'x', count: 2 }, options))).at(1)?.text, 'x!')
    t.equal((await collect(client.chat([{ text: 'c' }], options))).at(0)?.text, 'c!')
    t.same(log, ['One 0', 'One 1', 'Gather 1', 'Many 2', 'Chat 1'])
  })

  t.test(`${engine}: a server interceptor that breaks the number of messages`, async (t) => {
    for (const [interceptor, details] of [
      [async function* () {}, /no message where one is needed/],
      [
        async function* () {
          yield { text: '' }
          yield { text: '' }
        },
        /a second message where one is allowed/,
      ],
    ] as const) {
      const { client } = await pair(t, engine, echo, { server: { interceptors: [interceptor] } })
      t.match(await rejection(client.one({})), { code: 13, details })
    }
  })
}
