/** Requests and responses: what is told, and in which order (RFC 9113 §8.1). */
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import {
  addressOf,
  type Engines,
  Pair,
  request,
  response,
  StreamRecorder,
  settle,
  startClient,
} from './harness.ts'

const MIB = 1 << 20

/** Octets that repeat in no short pattern. */
function content(sizeOctets: number): Buffer {
  const octets = Buffer.alloc(sizeOctets)
  let state = 1
  for (let i = 0; i + 4 <= sizeOctets; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    octets.writeUInt32LE(state, i)
  }
  return octets
}

const hash = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex')

export async function streams(t: Test, engines: Engines): Promise<void> {
  await t.test(
    'a request and its response are told in wire order, onClose last (RFC 9113 §8.1)',
    async (t) => {
      const pair = await Pair.start(t, engines)
      const { stream, heard } = pair.open()
      t.equal(stream.connection, pair.client)
      stream.sendHeaders(request('x-question', 'yes'), false)
      stream.sendData(Buffer.from('question'), true)
      const incoming = await pair.request()
      t.equal(incoming.endStream, false)
      t.match(incoming.fields, request('x-question', 'yes'))
      await incoming.heard.called('end')
      t.equal(incoming.heard.text, 'question')
      incoming.stream.sendHeaders(response(), false)
      incoming.stream.sendData(Buffer.from('answer'), false)
      incoming.stream.sendTrailers(['grpc-status', '0', 'x-b', 'c'])
      await heard.closing()
      await incoming.heard.closing()
      t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
      t.strictSame(heard.headers, response())
      t.equal(heard.text, 'answer')
      t.strictSame(heard.trailers, ['grpc-status', '0', 'x-b', 'c'])
      t.equal(heard.error, undefined)
      t.strictSame(incoming.heard.calls, ['data', 'end', 'close'])
      t.equal(incoming.heard.error, undefined)
      await settle()
      t.equal(pair.client.openStreams, 0)
    },
  )

  await t.test('END_STREAM with the headers: onEnd follows without data, on both sides', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: (incoming) => {
        t.equal(incoming.endStream, true)
        incoming.stream.sendHeaders([':status', '200', 'grpc-status', '12'], true)
      },
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    await heard.closing()
    t.strictSame(heard.calls, ['headers', 'end', 'close'])
    t.equal(heard.headersEndStream, true)
    t.strictSame(heard.headers, [':status', '200', 'grpc-status', '12'])
    const incoming = await pair.request()
    await incoming.heard.closing()
    t.strictSame(incoming.heard.calls, ['end', 'close'])
  })

  await t.test('a response that ends with data, or with none, has no trailers', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream, fields }) => {
        stream.sendHeaders(response(), false)
        if (fields.includes('with-data')) stream.sendData(Buffer.from('x'), true)
        else stream.sendData(Buffer.alloc(0), true)
      },
    })
    for (const [kind, calls] of [
      ['with-data', ['headers', 'data', 'end', 'close']],
      ['empty', ['headers', 'end', 'close']],
    ] as const) {
      const { stream, heard } = pair.open()
      stream.sendHeaders(request('kind', kind), true)
      await heard.closing()
      t.strictSame(heard.calls, calls, kind)
      t.equal(heard.error, undefined)
      t.equal(heard.trailers, undefined)
    }
  })

  await t.test('a request may end with trailers', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange(0, { trailers: true })
    stream.sendData(Buffer.from('body'), false)
    stream.sendTrailers(['x-checksum', '1234'])
    await incoming.heard.called('end')
    t.strictSame(incoming.heard.calls, ['data', 'trailers', 'end'])
    t.strictSame(incoming.heard.trailers, ['x-checksum', '1234'])
    incoming.stream.sendHeaders([':status', '200'], true)
    await heard.closing()
    t.equal(heard.error, undefined)
  })

  await t.test('trailers without data', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream }) => {
        stream.sendHeaders(response(), false)
        stream.sendTrailers(['grpc-status', '0'])
      },
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    await heard.closing()
    t.strictSame(heard.calls, ['headers', 'trailers', 'end', 'close'])
  })

  await t.test('both directions flow at the same time', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange()
    incoming.stream.sendHeaders(response(), false)
    await heard.called('headers')
    for (let turn = 1; turn <= 50; turn++) {
      stream.sendData(Buffer.from(`${turn};`), false)
      await incoming.heard.until(() => incoming.heard.text.endsWith(`${turn};`))
      incoming.stream.sendData(Buffer.from(`${turn}!`), false)
      await heard.until(() => heard.text.endsWith(`${turn}!`))
    }
    t.strictSame(heard.calls, ['headers', 'data'])
    stream.sendData(Buffer.alloc(0), true)
    await incoming.heard.called('end')
    incoming.stream.sendTrailers(['grpc-status', '0'])
    await heard.closing()
    t.equal(heard.error, undefined)
  })

  await t.test('the response may be complete before the request is, and both end in order', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange()
    incoming.stream.sendHeaders([':status', '200'], true)
    await heard.called('end')
    t.equal(heard.closed, false)
    stream.sendData(Buffer.from('rest'), true)
    await heard.closing()
    await incoming.heard.closing()
    t.equal(heard.error, undefined)
    t.equal(incoming.heard.error, undefined)
    t.equal(incoming.heard.text, 'rest')
  })

  await t.test(
    'client streams have odd identifiers in rising order, 0 before (RFC 9113 §5.1.1)',
    async (t) => {
      const pair = await Pair.start(t, engines)
      const ids: number[] = []
      for (let i = 0; i < 3; i++) {
        const { stream } = pair.open()
        t.equal(stream.id, 0)
        stream.sendHeaders(request(), true)
        const incoming = await pair.request(i)
        t.equal(incoming.stream.id, stream.id)
        ids.push(stream.id)
      }
      t.strictSame(ids, [1, 3, 5])
      t.equal(pair.client.openStreams, 3)
      t.equal((await pair.connection()).connection?.openStreams, 3)
    },
  )

  await t.test('8 MiB each way at once arrive unchanged', async (t) => {
    const sent = content(8 * MIB)
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange()
    incoming.stream.sendHeaders(response(), false)
    // once in one piece, once in odd pieces
    stream.sendData(sent, true)
    for (let at = 0; at < sent.length; at += 65521) {
      incoming.stream.sendData(sent.subarray(at, Math.min(at + 65521, sent.length)), false)
    }
    incoming.stream.sendTrailers(['grpc-status', '0'])
    await heard.closing()
    await incoming.heard.closing()
    t.equal(heard.error, undefined)
    t.equal(hash(heard.body), hash(sent))
    t.equal(hash(incoming.heard.body), hash(sent))
  })

  await t.test('1 000 streams at once on one connection, each with its own answer', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream, heard }) => {
        heard.onEnd = () => {
          stream.sendHeaders(response(), false)
          stream.sendData(heard.body, false)
          stream.sendTrailers(['grpc-status', '0'])
        }
      },
    })
    const opened = Array.from({ length: 1000 }, (_, i) => {
      const { stream, heard } = pair.open()
      stream.sendHeaders(request(), false)
      stream.sendData(Buffer.from(`message ${i}`), true)
      return heard
    })
    await Promise.all(opened.map((heard) => heard.closing()))
    t.ok(opened.every((heard, i) => heard.text === `message ${i}` && heard.error === undefined))
    await settle()
    t.equal(pair.client.openStreams, 0)
  })

  await t.test('what is sent before the connection is open is sent when it is', async (t) => {
    const pair = await Pair.start(t, engines)
    const early = startClient(t, engines.client, addressOf(pair.server))
    const heard = new StreamRecorder()
    const stream = early.connection.open(heard)
    t.equal(early.connection.state, 'connecting')
    stream.sendHeaders(request(), false)
    stream.sendData(Buffer.from('early '), false)
    stream.sendData(Buffer.from('bird'), true)
    const incoming = await (await pair.serverHeard.connection(1)).request()
    await incoming.heard.called('end')
    t.equal(incoming.heard.text, 'early bird')
    incoming.stream.sendHeaders([':status', '200'], true)
    await heard.closing()
    t.equal(heard.error, undefined)
  })
}
