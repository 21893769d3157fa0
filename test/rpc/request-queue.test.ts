import t from 'tap'
import { RequestQueue } from '../../src/rpc/request-queue.ts'
import { collect, rejection } from './support/pair.ts'

t.test('write resolves when the item was taken', async (t) => {
  const queue = new RequestQueue<number>()
  const order: string[] = []
  const written = queue.write(1).then((taken) => order.push(`taken ${taken}`))
  await null
  t.same(order, [])
  const iterator = queue[Symbol.asyncIterator]()
  t.equal((await iterator.next()).value, 1)
  await written
  t.same(order, ['taken true'])
  const later = iterator.next()
  t.equal(await queue.write(2), true)
  t.equal((await later).value, 2)
})

t.test('end, and close', async (t) => {
  const queue = new RequestQueue<number>()
  void queue.write(1)
  queue.end()
  t.match(await rejection(queue.write(2)), { message: /write after end/ })
  t.same(await collect(queue), [1])
  const closed = new RequestQueue<number>()
  const waiting = closed.write(1)
  closed.close()
  t.equal(await waiting, false)
  t.equal(await closed.write(2), false)
  t.same(await collect(closed), [])
})

t.test('closed with a failure, which who writes is told', async (t) => {
  const queue = new RequestQueue<number>()
  const waiting = queue.write(1)
  const failure = new Error('gone')
  queue.close(failure)
  queue.close()
  t.equal(await rejection(waiting), failure)
  t.equal(await rejection(queue.write(2)), failure)
  t.same(await collect(queue), [])
})
