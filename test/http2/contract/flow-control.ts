/** Back-pressure: what bounds memory on both sides (RFC 9113 §5.2, §6.9). */
import type { Test } from 'tap'
import { type Engines, Pair, pause, request, response, settle } from './harness.ts'

const KIB = 1024
const CHUNK = Buffer.alloc(16 * KIB, 7)

export async function flowControl(t: Test, engines: Engines): Promise<void> {
  for (const sender of ['server', 'client'] as const) {
    await t.test(
      `a ${sender} that obeys sendData is stopped by a reader that consumes nothing`,
      async (t) => {
        const windowOctets = 128 * KIB
        const sendBufferOctets = 64 * KIB
        const options = { streamWindowOctets: windowOctets, sendBufferOctets }
        const pair = await Pair.start(t, engines, { client: options, server: options })
        const { stream, heard, incoming } = await pair.exchange()
        incoming.stream.sendHeaders(response(), false)
        await heard.called('headers')
        const [from, fromHeard, toHeard] =
          sender === 'server' ? [incoming.stream, incoming.heard, heard] : [stream, heard, incoming.heard]
        toHeard.hold = true

        const totalOctets = 2048 * KIB
        let sentOctets = 0
        const send = () => {
          while (sentOctets < totalOctets) {
            sentOctets += CHUNK.length
            if (!from.sendData(CHUNK, sentOctets === totalOctets) && sentOctets < totalOctets) return
          }
        }
        fromHeard.onDrain = () => {
          fromHeard.drains++
          send()
        }
        send()
        await pause(150)
        await settle()
        const slack = 64 * KIB
        t.ok(toHeard.sizeOctets <= 1.5 * windowOctets + slack, `delivered ${toHeard.sizeOctets} octets`)
        t.ok(
          sentOctets <= 2 * windowOctets + sendBufferOctets + slack,
          `the sender was stopped after ${sentOctets} octets`,
        )
        toHeard.release()
        await toHeard.called('end')
        t.equal(toHeard.sizeOctets, totalOctets)
        t.ok(fromHeard.drains > 0)
      },
    )
  }

  await t.test(
    'sendData says false above sendBufferOctets, and onDrain follows once there is room',
    async (t) => {
      const pair = await Pair.start(t, engines, { client: { sendBufferOctets: 1000 } })
      const { stream, heard } = pair.open()
      stream.sendHeaders(request(), false)
      t.equal(stream.sendData(Buffer.alloc(600), false), true)
      t.equal(stream.sendData(Buffer.alloc(600), false), false)
      t.equal(heard.drains, 0, 'not before sendData has returned')
      await heard.until(() => heard.drains === 1)
      const incoming = await pair.request()
      await incoming.heard.until(() => incoming.heard.sizeOctets === 1200)
      t.equal(stream.sendData(Buffer.alloc(600), false), true)
      await settle()
      t.equal(heard.drains, 1, 'onDrain is told only after false')
      t.equal(stream.sendData(Buffer.alloc(70_000), false), false)
      await heard.until(() => heard.drains === 2)
    },
  )

  await t.test('a stream that nobody reads does not hold up another one', async (t) => {
    const pair = await Pair.start(t, engines)
    const stalled = await pair.exchange()
    stalled.heard.hold = true
    stalled.incoming.stream.sendHeaders(response(), false)
    stalled.incoming.stream.sendData(Buffer.alloc(3 * 1024 * KIB), false)
    await stalled.heard.called('data')
    const other = await pair.exchange(1)
    other.incoming.stream.sendHeaders(response(), false)
    other.incoming.stream.sendData(Buffer.alloc(3 * 1024 * KIB), true)
    other.stream.sendData(Buffer.alloc(0), true)
    await other.heard.closing()
    t.equal(other.heard.sizeOctets, 3 * 1024 * KIB)
    t.ok(stalled.heard.sizeOctets < 3 * 1024 * KIB)
  })

  await t.test('a small message need not wait for large ones that were sent before it', async (t) => {
    const count = 4
    const large = Buffer.alloc(1024 * KIB)
    for (let i = 0; i < large.length; i += 4) large.writeUInt32BE(i, i)
    const pair = await Pair.start(t, engines)
    const others: Awaited<ReturnType<Pair['exchange']>>[] = []
    for (let i = 0; i < count; i++) others.push(await pair.exchange(i))
    const last = await pair.exchange(count)
    for (const { incoming } of [...others, last]) incoming.stream.sendHeaders(response(), false)
    for (const { incoming } of others) {
      incoming.stream.sendData(large, false)
      incoming.stream.sendData(Buffer.from('and some more'), true)
    }
    await settle(2)
    last.incoming.stream.sendData(Buffer.from('small'), true)
    await last.heard.called('end')
    const before = others.reduce((sum, { heard }) => sum + heard.sizeOctets, 0)
    t.ok(before < count * large.length * 0.75, `after ${before} octets of others`)
    for (const { stream, heard } of others) {
      stream.sendData(Buffer.alloc(0), true)
      await heard.closing()
      t.ok(heard.body.equals(Buffer.concat([large, Buffer.from('and some more')])), 'whole, and in order')
    }
  })

  await t.test('the smallest windows still let everything through', async (t) => {
    const options = { streamWindowOctets: 1024, connectionWindowOctets: 65535 }
    const pair = await Pair.start(t, engines, { client: options, server: options })
    const { stream, heard, incoming } = await pair.exchange()
    incoming.stream.sendHeaders(response(), false)
    incoming.stream.sendData(Buffer.alloc(200 * KIB), true)
    stream.sendData(Buffer.alloc(200 * KIB), true)
    await heard.closing()
    await incoming.heard.closing()
    t.equal(heard.sizeOctets, 200 * KIB)
    t.equal(incoming.heard.sizeOctets, 200 * KIB)
  })

  await t.test('a response that ended is delivered whole to a slow reader, trailers last', async (t) => {
    const pair = await Pair.start(t, engines, {
      client: { streamWindowOctets: 64 * KIB },
      onRequest: ({ stream }) => {
        stream.sendHeaders(response(), false)
        stream.sendData(Buffer.alloc(300 * KIB), false)
        stream.sendTrailers(['grpc-status', '0'])
      },
    })
    const { stream, heard } = pair.open()
    heard.hold = true
    stream.sendHeaders(request(), true)
    await heard.called('data')
    await settle()
    t.strictSame(heard.calls, ['headers', 'data'])
    while (!heard.closed) {
      const octets = heard.heldOctets
      heard.heldOctets = 0
      stream.consume(octets)
      await settle(2)
    }
    t.equal(heard.sizeOctets, 300 * KIB)
    t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
  })

  await t.test('consume of more than was delivered, or after the close, does no harm', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream }) => {
        stream.sendHeaders(response(), false)
        stream.sendData(Buffer.from('x'), true)
      },
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    stream.consume(1000)
    await heard.closing()
    stream.consume(1000)
    t.equal(heard.text, 'x')
    t.equal(heard.error, undefined)
    t.equal(pair.client.state, 'open')
  })
}
