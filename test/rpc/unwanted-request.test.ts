/** RFC 9113 §8.1: a request that was answered before its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Http2Stream } from '../../src/http2/transport.ts'
import { UnwantedRequest } from '../../src/rpc/unwanted-request.ts'

/** A stream that notes what is done to it. */
function noting(): { stream: Http2Stream; done: string[] } {
  const done: string[] = []
  const stream = {
    consume: (sizeOctets: number) => done.push(`consume ${sizeOctets}`),
    reset: (code: number) => done.push(`reset ${code}`),
  }
  return { stream: stream as unknown as Http2Stream, done }
}

t.test('a client that ends in time is not reset', async (t) => {
  const { stream, done } = noting()
  const unwanted = new UnwantedRequest(stream, 5)
  unwanted.received(10)
  unwanted.ended()
  await sleep(20)
  t.strictSame(done, ['consume 10'])
})

t.test('a client that does not end is reset with NO_ERROR, once', async (t) => {
  const { stream, done } = noting()
  const unwanted = new UnwantedRequest(stream, 5)
  await sleep(20)
  unwanted.received(70000)
  t.strictSame(done, ['reset 0', 'consume 70000'])
})

t.test('a client that sends on and on is reset before the time is over', async (t) => {
  const { stream, done } = noting()
  const unwanted = new UnwantedRequest(stream, 60_000)
  unwanted.received(65536)
  unwanted.received(1)
  unwanted.received(1)
  t.strictSame(done, ['consume 65536', 'consume 1', 'reset 0', 'consume 1'])
})
