import t from 'tap'
import { collect, ENGINES, pair } from './support/pair.ts'

for (const engine of ENGINES) {
  t.test(`${engine}: the four kinds of call`, async (t) => {
    t.test('unary: one request, one response', async (t) => {
      const { client } = await pair(t, engine)
      t.same(await client.one({ text: 'hello' }), { text: 'hello' })
    })

    t.test('server streaming: responses in order, then the end', async (t) => {
      const { client } = await pair(t, engine)
      t.same(await collect(client.many({ text: 'a', count: 3 })), [
        { text: 'a', index: 0 },
        { text: 'a', index: 1 },
        { text: 'a', index: 2 },
      ])
      t.same(await collect(client.many({ text: 'a', count: 0 })), [])
    })

    t.test('client streaming: requests written, or taken from an iterable', async (t) => {
      const { client } = await pair(t, engine)
      const call = client.gather()
      t.equal(await call.write({ text: 'a' }), true)
      t.equal(await call.write({ text: 'b' }), true)
      call.end()
      t.same(await call, { text: 'a,b' })
      t.same(await client.gather([{ text: 'x' }, { text: 'y' }]), { text: 'x,y' })
      async function* source() {
        yield { text: '1' }
        yield { text: '2' }
      }
      t.same(await client.gather(source()), { text: '1,2' })
      t.same(await client.gather([]), { text: '' })
    })

    t.test('bidirectional: each side goes on by itself', async (t) => {
      const { client } = await pair(t, engine)
      const call = client.chat()
      const responses = call[Symbol.asyncIterator]()
      for (const text of ['a', 'b', 'c']) {
        await call.write({ text })
        t.equal((await responses.next()).value?.text, text)
      }
      call.end()
      t.equal((await responses.next()).done, true)
      t.equal((await call.status).code, 0)
    })

    t.test('many calls at once on one connection', async (t) => {
      const { client } = await pair(t, engine)
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, i) => client.one({ text: String(i) })),
      )
      t.same(
        answers.map(({ text }) => text),
        Array.from({ length: 500 }, (_, i) => String(i)),
      )
    })
  })
}
