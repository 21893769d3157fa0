import t from 'tap'
import { WrittenRequests } from '../../src/rpc/written-requests.ts'
import { collect, rejection } from './support/pair.ts'

const PLAIN = { compress: false }

t.test('options go with the object, however late and often it is asked for', async (t) => {
  const written = new WrittenRequests<object>()
  const [a, b, c] = [{}, {}, {}]
  void written.write(a, PLAIN)
  void written.write(b, undefined)
  void written.write(c, { compress: true })
  written.end()
  t.same(await collect(written), [a, b, c])
  t.equal(written.optionsFor(a), PLAIN)
  t.equal(written.optionsFor(b), undefined)
  t.same(written.optionsFor(c), { compress: true })
  t.equal(written.optionsFor(a), PLAIN)
})

t.test('what replaces a request gets the options of the one taken last', async (t) => {
  const written = new WrittenRequests<string>()
  void written.write('a', PLAIN)
  void written.write('b', undefined)
  const iterator = written[Symbol.asyncIterator]()
  t.equal(written.optionsFor('x'), undefined)
  await iterator.next()
  t.equal(written.optionsFor('A'), PLAIN)
  t.equal(written.optionsFor({}), PLAIN)
  t.equal(written.optionsFor(null), PLAIN)
  await iterator.next()
  t.equal(written.optionsFor('B'), undefined)
})

t.test('an object that is written again has the options of its last time', async (t) => {
  const written = new WrittenRequests<object>()
  const a = {}
  void written.write(a, PLAIN)
  void written.write(a, undefined)
  const iterator = written[Symbol.asyncIterator]()
  await iterator.next()
  t.equal(written.optionsFor(a), PLAIN)
  await iterator.next()
  t.equal(written.optionsFor(a), undefined)
})

t.test('closed, writing says why', async (t) => {
  const written = new WrittenRequests<number>()
  const waiting = written.write(1, undefined)
  const failure = new Error('gone')
  written.close(failure)
  t.equal(await rejection(waiting), failure)
  t.same(await collect(written), [])
})
