/** Windows as arithmetic (RFC 9113 §6.9). */
import t from 'tap'
import { MAX_WINDOW_OCTETS, ReceiveWindow, SendWindow } from '../../../src/http2/pure/flow-control.ts'

t.test('a send window grows to 2^31 - 1 and not beyond (RFC 9113 §6.9.1)', async (t) => {
  const window = new SendWindow()
  t.equal(window.sizeOctets, 65535)
  t.equal(window.add(MAX_WINDOW_OCTETS - 65535), true)
  t.equal(window.sizeOctets, MAX_WINDOW_OCTETS)
  t.equal(window.add(1), false)
  t.equal(window.sizeOctets, MAX_WINDOW_OCTETS, 'unchanged')
})

t.test('a send window goes below zero by SETTINGS and comes back (RFC 9113 §6.9.2)', async (t) => {
  const window = new SendWindow(10)
  t.equal(window.add(-30), true)
  t.equal(window.sizeOctets, -20)
  t.equal(window.add(25), true)
  t.equal(window.sizeOctets, 5)
})

t.test('a receive window takes what it allows, and no octet more', async (t) => {
  const window = new ReceiveWindow(100)
  t.equal(window.receive(60), true)
  t.equal(window.receive(40), true)
  t.equal(window.receive(1), false)
})

t.test('credit comes back when the application has consumed, in steps of half the window', async (t) => {
  const window = new ReceiveWindow(100)
  t.ok(window.receive(100))
  t.equal(window.owed(), 0, 'received is not consumed')
  t.equal(window.consume(49), 0)
  t.equal(window.consume(1), 50)
  t.equal(window.consume(30), 0)
  t.equal(window.consume(20), 50)
  t.equal(window.availableOctets, 100)
  t.equal(window.unconsumedOctets, 0)
})

t.test('consuming more than came gives no credit that is not owed', async (t) => {
  const window = new ReceiveWindow(100)
  window.receive(10)
  window.consume(1000)
  t.equal(window.unconsumedOctets, 0)
  t.equal(window.availableOctets + window.owed(), 90)
})

t.test('a window grows by the next credit, never shrinks, and ends at 2^31 - 1', async (t) => {
  const window = new ReceiveWindow(65535, 200_000)
  t.equal(window.raise(), 200_000 - 65535, 'the start: WINDOW_UPDATE makes it as large as wanted')
  t.equal(window.raise(), 0)
  window.grow(100)
  t.equal(window.targetOctets, 200_000)
  window.grow(2 ** 40)
  t.equal(window.targetOctets, MAX_WINDOW_OCTETS)
  window.receive(10)
  t.equal(window.consume(10), MAX_WINDOW_OCTETS - 200_000 + 10)
  t.equal(window.availableOctets, MAX_WINDOW_OCTETS)
})

t.test('what the peer may send and what we hold never exceed the target', async (t) => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed % below
  }
  const window = new ReceiveWindow(1000)
  let held = 0
  for (let step = 0; step < 10_000; step++) {
    const size = Math.min(random(300), window.availableOctets)
    if (!window.receive(size)) t.fail(`seed 7, step ${step}: refused`)
    held += size
    const taken = random(held + 1)
    window.consume(taken)
    held -= taken
    if (window.availableOctets + held > 1000) t.fail(`seed 7, step ${step}`)
    if (held === 0 && window.availableOctets <= 500) t.fail(`seed 7, step ${step}: credit withheld`)
  }
})
