import { gzipSync } from 'node:zlib'
import t from 'tap'
import { messageEncoding } from '../../src/rpc/compression.ts'
import { MessageInbox } from '../../src/rpc/message-inbox.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { collect, rejection } from './support/pair.ts'
import { type Answer, jsonCodec } from './support/text-service.ts'

function message(value: unknown, compress = false): Buffer {
  const plain = Buffer.from(JSON.stringify(value))
  const body = compress ? gzipSync(plain) : plain
  const octets = Buffer.alloc(5 + body.length)
  octets[0] = compress ? 1 : 0
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

function inbox(maxOctets = 1000) {
  const credit = {
    octets: 0,
    consume(octets: number) {
      credit.octets += octets
    },
  }
  const made = new MessageInbox<Answer>(
    jsonCodec('test.Answer'),
    maxOctets,
    (error) => new StatusError(13, `parse: ${error}`),
    credit,
  )
  return { box: made, credit }
}

t.test('input cut at every octet gives the same messages and all the credit', async (t) => {
  const all = Buffer.concat([message({ text: 'a' }), message({ text: 'bb' }), message({ text: 'ccc' })])
  for (let cut = 1; cut < all.length; cut++) {
    const { box, credit } = inbox()
    box.push(all, 0, cut)
    box.push(all, cut, all.length)
    box.end()
    t.same(await collect(box), [{ text: 'a' }, { text: 'bb' }, { text: 'ccc' }], `cut at ${cut}`)
    t.equal(credit.octets, all.length)
  }
})

t.test('single octets are gathered in blocks, not kept one by one', async (t) => {
  const all = Buffer.concat(Array.from({ length: 2000 }, (_, i) => message({ text: String(i) })))
  const { box, credit } = inbox()
  for (let i = 0; i < all.length; i++) box.push(all, i, i + 1)
  const { chunks } = box as unknown as { chunks: unknown[] }
  t.ok(chunks.length < 10, `${all.length} octets are kept in ${chunks.length} pieces`)
  box.end()
  t.equal((await collect(box)).length, 2000)
  t.equal(credit.octets, all.length)
})

t.test('credit goes back as messages are taken, so a message larger than the window arrives', async (t) => {
  const { box, credit } = inbox(100_000)
  const large = message({ text: 'x'.repeat(50_000) })
  const waiting = box.next()
  for (let at = 0; at < large.length; at += 1000) {
    box.push(large, at, Math.min(large.length, at + 1000))
    t.equal(credit.octets, Math.min(large.length, at + 1000), 'somebody waits: every octet is taken at once')
  }
  t.equal((await waiting).value?.text.length, 50_000)
  const one = message({ text: 'a' })
  box.push(one, 0, one.length)
  t.equal(credit.octets, large.length, 'nobody waits: it is kept')
})

t.test('several readers are served in order', async (t) => {
  const { box } = inbox()
  const waiting = [box.next(), box.next(), box.next()]
  const two = Buffer.concat([message({ text: 'a' }), message({ text: 'b' })])
  box.push(two, 0, two.length)
  box.end()
  const results = await Promise.all(waiting)
  t.same(
    results.map(({ value }) => value?.text),
    ['a', 'b', undefined],
  )
  t.equal(results[2]?.done, true)
})

t.test('endings', async (t) => {
  t.test('in order, inside a message', async (t) => {
    const { box } = inbox()
    box.push(message({ text: 'a' }), 0, 9)
    t.equal(box.end(), undefined, 'what is here is not looked at before it is asked for')
    t.match(await rejection(box.next()), { code: 13, details: /ended inside a message/ })
    t.match(await rejection(box.next()), { code: 13 })
  })
  t.test('with an error, after the messages', async (t) => {
    const { box } = inbox()
    const one = message({ text: 'a' })
    box.push(one, 0, one.length)
    box.endWith(new StatusError(9, 'no'))
    t.equal((await box.next()).value?.text, 'a')
    t.match(await rejection(box.next()), { code: 9 })
  })
  t.test('at once, dropping what is there, with its credit', async (t) => {
    const { box, credit } = inbox()
    const one = message({ text: 'a' })
    const waiting = rejection(inboxNext(box))
    box.push(one, 0, 3)
    box.abort(new StatusError(1, 'stop'))
    box.abort(new StatusError(2, 'later'))
    box.endWith(new StatusError(2, 'later'))
    t.match(await waiting, { code: 1 })
    box.push(one, 0, one.length)
    t.equal(credit.octets, 3 + one.length)
    t.equal(box.take(), false)
  })
})

function inboxNext(box: MessageInbox<Answer>) {
  return box.next()
}

t.test('leaving a loop tells once, and only before the end', async (t) => {
  const { box } = inbox()
  let left = 0
  box.onReturn = () => left++
  const two = Buffer.concat([message({ text: 'a' }), message({ text: 'b' })])
  box.push(two, 0, two.length)
  for await (const _ of box) break
  await box.return()
  t.equal(left, 1)
  const { box: whole } = inbox()
  whole.onReturn = () => left++
  whole.end()
  for await (const _ of whole) t.fail('there is none')
  await whole.return()
  t.equal(left, 1)
})

t.test('gRPC compression.md: compressed messages', async (t) => {
  const { box } = inbox()
  box.encoding = messageEncoding('gzip')
  const both = Buffer.concat([message({ text: 'a' }, true), message({ text: 'b' })])
  box.push(both, 0, both.length)
  box.end()
  t.same(await collect(box), [{ text: 'a' }, { text: 'b' }])
  const { box: bomb } = inbox(1000)
  bomb.encoding = messageEncoding('gzip')
  const octets = message({ text: 'x'.repeat(5000) }, true)
  bomb.push(octets, 0, octets.length)
  t.match(await rejection(bomb.next()), {
    code: 8,
    details: 'Received message that decompresses to a size larger than 1000',
  })
})

t.test('many chunks keep their order while they are taken', async (t) => {
  const { box } = inbox(10_000)
  const got: string[] = []
  for (let i = 0; i < 300; i++) {
    const octets = message({ text: String(i).padEnd(2000, '.') })
    box.push(octets, 0, octets.length)
    if (i % 3 === 0 && box.take()) got.push(box.message!.text)
  }
  while (box.take()) got.push(box.message!.text)
  t.same(
    got.map((text) => Number.parseInt(text, 10)),
    Array.from({ length: 300 }, (_, i) => i),
  )
  t.equal(box.count, 300)
})

t.test('an iterator that was left is done, as iterators are', async (t) => {
  const { box } = inbox()
  box.onReturn = () => box.abort(new StatusError(1, 'left'))
  const all = message({ text: 'a' })
  box.push(all, 0, all.length)
  t.same(await box.next(), { value: { text: 'a' }, done: false })
  await box.return()
  t.same(await box.next(), { value: undefined, done: true })
})

t.test('takeFrom: messages as they come, cut at every octet, with all the credit', async (t) => {
  const all = Buffer.concat([message({ text: 'a' }), message({ text: 'bb' }, true), message({ text: 'ccc' })])
  for (let cut = 1; cut < all.length; cut++) {
    const { box, credit } = inbox()
    box.encoding = messageEncoding('gzip')
    const taken: unknown[] = []
    for (const [start, end] of [
      [0, cut],
      [cut, all.length],
    ] as const) {
      for (let at = start; at < end; ) {
        at = box.takeFrom(all, at, end)
        if (box.taken) taken.push(box.message)
        else t.equal(at, end, 'all octets are taken where no message ends')
      }
    }
    t.same(taken, [{ text: 'a' }, { text: 'bb' }, { text: 'ccc' }], `cut at ${cut}`)
    t.equal(box.count, 3)
    t.equal(credit.octets, all.length)
    t.equal(box.end(), undefined)
  }
})

t.test('takeFrom: wrong octets end the inbox, and give their credit back', async (t) => {
  const { box, credit } = inbox()
  const failures: unknown[] = []
  box.onFailure = (error) => failures.push(error)
  const large = message({ text: 'x'.repeat(2000) })
  t.throws(() => box.takeFrom(large, 0, large.length), { code: 8, details: /larger than max/ })
  t.equal(credit.octets, large.length)
  t.equal(box.takeFrom(large, 0, large.length), large.length, 'what comes after is dropped')
  t.equal(box.taken, false)
  t.equal(credit.octets, 2 * large.length)
  t.equal(failures.length, 1)
  const other = inbox()
  const wrong = message({ text: 'a' })
  wrong[6] = 0xff
  t.throws(() => other.box.takeFrom(wrong, 0, wrong.length), { code: 13, details: /parse/ })
  t.equal(other.credit.octets, wrong.length)
})

t.test('takeFrom: a stream that ends inside a message', async (t) => {
  const { box } = inbox()
  const octets = message({ text: 'abc' })
  box.takeFrom(octets, 0, octets.length - 1)
  t.match(box.end(), { code: 13, details: /ended inside a message/ })
})
