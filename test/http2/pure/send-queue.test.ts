/** The order of sending (RFC 9218 §10). */
import t from 'tap'
import { type Sendable, SendQueue } from '../../../src/http2/pure/send-queue.ts'

class Entry implements Sendable {
  readonly id: number
  urgency: number
  sequential: boolean
  queued = false
  nextQueued: this | undefined = undefined
  previousQueued: this | undefined = undefined
  constructor(id: number, urgency = 3, sequential = false) {
    this.id = id
    this.urgency = urgency
    this.sequential = sequential
  }
}

function turns(queue: SendQueue<Entry>, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => queue.next()?.id)
}

t.test('in turns within an urgency', async (t) => {
  const queue = new SendQueue<Entry>()
  t.equal(queue.isEmpty, true)
  t.equal(queue.next(), undefined)
  const [a, b, c] = [new Entry(1), new Entry(3), new Entry(5)]
  for (const entry of [a, b, c]) queue.add(entry)
  queue.add(b)
  t.strictSame(turns(queue, 7), [1, 3, 5, 1, 3, 5, 1])
  queue.remove(b)
  queue.remove(b)
  t.strictSame(turns(queue, 4), [5, 1, 5, 1])
  queue.add(b)
  t.strictSame(turns(queue, 3), [5, 1, 3], 'a new one comes last')
  for (const entry of [a, b, c]) queue.remove(entry)
  t.equal(queue.isEmpty, true)
  t.equal(a.nextQueued, undefined, 'nothing is held')
})

t.test('the more urgent first (RFC 9218 §4.1)', async (t) => {
  const queue = new SendQueue<Entry>()
  const entries = [7, 3, 0, 5].map((urgency, index) => new Entry(index, urgency))
  for (const entry of entries) queue.add(entry)
  const order = []
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    order.push(next.urgency)
    queue.remove(next)
  }
  t.strictSame(order, [0, 3, 5, 7])
})

t.test('not incremental: the lowest identifier to its end (RFC 9218 §10)', async (t) => {
  const queue = new SendQueue<Entry>()
  const [late, early, middle] = [new Entry(9, 3, true), new Entry(1, 3, true), new Entry(5, 3, true)]
  for (const entry of [late, early, middle]) queue.add(entry)
  t.strictSame(turns(queue, 3), [1, 1, 1])
  queue.remove(early)
  t.strictSame(turns(queue, 2), [5, 5])
  queue.remove(middle)
  t.strictSame(turns(queue, 2), [9, 9])
})

t.test('both kinds share the turns one to one', async (t) => {
  const queue = new SendQueue<Entry>()
  for (const entry of [new Entry(1, 3, true), new Entry(3), new Entry(5), new Entry(7, 3, true)])
    queue.add(entry)
  t.strictSame(turns(queue, 8), [3, 1, 5, 1, 3, 1, 5, 1])
})

t.test('random additions and removals keep the lists whole', async (t) => {
  let seed = 42
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % below
  }
  const queue = new SendQueue<Entry>()
  const entries = Array.from({ length: 40 }, (_, id) => new Entry(id, random(8), random(2) === 1))
  const inside = new Set<Entry>()
  for (let step = 0; step < 20_000; step++) {
    const entry = entries[random(40)]!
    if (random(2) === 0) {
      queue.add(entry)
      inside.add(entry)
    } else {
      queue.remove(entry)
      inside.delete(entry)
    }
    const next = queue.next()
    const best = Math.min(8, ...[...inside].map((each) => each.urgency))
    if ((next?.urgency ?? 8) !== best || queue.isEmpty !== (inside.size === 0))
      t.fail(`seed 42, step ${step}`)
  }
  // every one that stands there gets its turn
  const urgency = Math.min(...[...inside].map((each) => each.urgency))
  const expected = [...inside].filter((each) => each.urgency === urgency && !each.sequential)
  const seen = new Set(turns(queue, expected.length * 2 + 2))
  t.ok(expected.every((each) => seen.has(each.id)))
})
