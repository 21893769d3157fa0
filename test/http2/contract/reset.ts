/** RST_STREAM each way, exceptions of listeners, and misuse (RFC 9113 §5.4.2, §6.4, §8.1). */
import type { Test } from 'tap'
import { StreamError } from '../../../src/http2/errors.ts'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import { type Engines, Pair, request, response, settle } from './harness.ts'

const CODES = [
  ErrorCode.PROTOCOL_ERROR,
  ErrorCode.INTERNAL_ERROR,
  ErrorCode.REFUSED_STREAM,
  ErrorCode.CANCEL,
  ErrorCode.ENHANCE_YOUR_CALM,
  ErrorCode.INADEQUATE_SECURITY,
]

export async function reset(t: Test, engines: Engines): Promise<void> {
  for (const code of CODES) {
    await t.test(`reset with code ${code} reaches the other side, both ways (RFC 9113 §6.4)`, async (t) => {
      const pair = await Pair.start(t, engines)
      const first = await pair.exchange(0)
      first.stream.reset(code)
      t.equal(first.heard.closed, false, 'onClose comes in a later turn')
      await first.heard.closing()
      await first.incoming.heard.closing()
      t.match(first.heard.error, { name: 'StreamError', code, initiator: 'local', streamId: 1 })
      t.match(first.incoming.heard.error, { name: 'StreamError', code, initiator: 'peer', streamId: 1 })

      const second = await pair.exchange(1)
      second.incoming.stream.reset(code)
      await second.heard.closing()
      await second.incoming.heard.closing()
      t.match(second.heard.error, {
        name: 'StreamError',
        code,
        initiator: 'peer',
        unprocessed: code === ErrorCode.REFUSED_STREAM,
      })
      t.match(second.incoming.heard.error, { code, initiator: 'local' })
      for (const { heard, incoming } of [first, second]) {
        t.strictSame(heard.calls, ['close'], 'a reset is no end')
        t.strictSame(incoming.heard.calls, ['close'], 'a reset is no end')
      }
      t.equal(pair.client.state, 'open')
      await settle()
      t.equal(pair.client.openStreams, 0)
    })
  }

  await t.test('a reset in the middle of a response: nothing is told after it but onClose', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange()
    incoming.stream.sendHeaders(response(), false)
    incoming.stream.sendData(Buffer.alloc(1000), false)
    await heard.called('data')
    stream.reset(ErrorCode.CANCEL)
    incoming.stream.sendData(Buffer.alloc(1000), false)
    incoming.stream.sendTrailers(['grpc-status', '0'])
    await heard.closing()
    await incoming.heard.closing()
    t.strictSame(heard.calls, ['headers', 'data', 'close'])
    t.equal(heard.sizeOctets, 1000)
  })

  await t.test('a reset drops what is queued', async (t) => {
    const pair = await Pair.start(t, engines, { server: { streamWindowOctets: 65535 } })
    const { stream, incoming } = await pair.exchange()
    incoming.heard.hold = true
    stream.sendData(Buffer.alloc(1 << 20), true)
    await incoming.heard.called('data')
    stream.reset(ErrorCode.CANCEL)
    await incoming.heard.closing()
    t.ok(incoming.heard.sizeOctets < 1 << 20)
    t.notOk(incoming.heard.calls.includes('end'))
    t.match(incoming.heard.error, { code: ErrorCode.CANCEL })
  })

  await t.test('the end of a reset stream does not wait for a peer that reads nothing', async (t) => {
    const pair = await Pair.start(t, engines, { server: { streamWindowOctets: 65535 } })
    const { stream, heard, incoming } = await pair.exchange()
    incoming.heard.hold = true
    stream.sendData(Buffer.alloc(1 << 20), false)
    await incoming.heard.called('data')
    stream.reset(ErrorCode.CANCEL)
    await heard.closing()
    t.match(heard.error, { code: ErrorCode.CANCEL, initiator: 'local' })
  })

  await t.test('reset before the headers, and in the same turn as they', async (t) => {
    const pair = await Pair.start(t, engines)
    const before = pair.open()
    before.stream.reset(ErrorCode.CANCEL)
    before.stream.reset(ErrorCode.INTERNAL_ERROR)
    before.stream.sendHeaders(request(), false)
    t.equal(before.heard.closed, false)
    await before.heard.closing()
    t.match(before.heard.error, { code: ErrorCode.CANCEL, initiator: 'local' })

    const same = pair.open()
    same.stream.sendHeaders(request(), false)
    same.stream.sendData(Buffer.from('x'), false)
    same.stream.reset(ErrorCode.CANCEL)
    await same.heard.closing()
    t.match(same.heard.error, { code: ErrorCode.CANCEL, initiator: 'local' })

    const after = await pair.exchange((await pair.connection()).requests.length)
    t.ok(after.incoming.stream.id > 0, 'the connection goes on')
    await settle()
    t.equal(pair.client.openStreams, 1)
  })

  await t.test(
    'reset(NO_ERROR) after the local end: the response arrives whole, and both close without error (RFC 9113 §8.1)',
    async (t) => {
      const size = 300_000
      const pair = await Pair.start(t, engines, {
        server: { streamWindowOctets: 65535 },
        onRequest: ({ stream, heard }) => {
          heard.hold = true
          stream.sendHeaders(response(), false)
          stream.sendData(Buffer.alloc(size), false)
          stream.sendTrailers(['grpc-status', '8'])
          stream.reset(ErrorCode.NO_ERROR)
        },
      })
      const { stream, heard } = pair.open()
      stream.sendHeaders(request(), false)
      // far more than the server's window: it will never be read
      stream.sendData(Buffer.alloc(1 << 20), false)
      await heard.closing()
      t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
      t.equal(heard.sizeOctets, size)
      t.strictSame(heard.trailers, ['grpc-status', '8'])
      t.equal(heard.error, undefined)
      const incoming = await pair.request()
      await incoming.heard.closing()
      t.equal(incoming.heard.error, undefined)
      await settle()
      t.equal(pair.client.openStreams, 0)
      t.equal((await pair.connection()).connection?.openStreams, 0)
    },
  )

  await t.test('reset(NO_ERROR) after a Trailers-Only response', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream }) => {
        stream.sendHeaders([':status', '200', 'grpc-status', '12'], true)
        stream.reset(ErrorCode.NO_ERROR)
      },
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), false)
    await heard.closing()
    t.strictSame(heard.calls, ['headers', 'end', 'close'])
    t.equal(heard.error, undefined)
    await (await pair.request()).heard.closing()
  })

  for (const method of ['onHeaders', 'onData', 'onTrailers', 'onEnd'] as const) {
    await t.test(
      `an exception in a client's ${method} resets its stream with INTERNAL_ERROR, and no other`,
      async (t) => {
        const pair = await Pair.start(t, engines)
        const { heard, incoming } = await pair.exchange()
        const other = await pair.exchange(1)
        const thrown = new Error('listener broke')
        heard[method] = () => {
          throw thrown
        }
        for (const answer of [incoming.stream, other.incoming.stream]) {
          answer.sendHeaders(response(), false)
          answer.sendData(Buffer.from('x'), false)
          answer.sendTrailers(['grpc-status', '0'])
        }
        await heard.closing()
        await incoming.heard.closing()
        t.ok(heard.error instanceof StreamError)
        t.match(heard.error, { code: ErrorCode.INTERNAL_ERROR, initiator: 'local', cause: thrown })
        t.match(incoming.heard.error, { code: ErrorCode.INTERNAL_ERROR, initiator: 'peer' })
        other.stream.sendData(Buffer.alloc(0), true)
        await other.heard.closing()
        t.equal(other.heard.error, undefined)
        t.equal(pair.client.state, 'open')
      },
    )
  }

  await t.test('an exception in onStream or in a server listener resets that stream', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ fields, heard }) => {
        if (fields.includes('/refuse')) throw new Error('no handler')
        heard.onData = () => {
          throw new Error('listener broke')
        }
      },
    })
    for (const path of ['/refuse', '/data']) {
      const { stream, heard } = pair.open()
      stream.sendHeaders(
        request().map((part) => (part === '/test.Service/Method' ? path : part)),
        false,
      )
      stream.sendData(Buffer.from('x'), false)
      await heard.closing()
      t.match(heard.error, { code: ErrorCode.INTERNAL_ERROR, initiator: 'peer' }, path)
    }
    t.equal(pair.client.state, 'open')
  })

  await t.test('an exception in onClose reaches nobody', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream, heard, incoming } = await pair.exchange()
    heard.onClose = () => {
      throw new Error('listener broke')
    }
    stream.reset(ErrorCode.CANCEL)
    await incoming.heard.closing()
    await settle()
    t.equal(pair.client.openStreams, 0)
    t.equal(pair.client.state, 'open')
  })

  await t.test('misuse throws, and says what was wrong', async (t) => {
    const pair = await Pair.start(t, engines)
    const { stream } = pair.open()
    t.throws(() => stream.sendData(Buffer.from('x'), false), /sendHeaders/)
    t.throws(() => stream.sendTrailers([]), /sendHeaders/)
    stream.sendHeaders(request(), false)
    t.throws(() => stream.sendHeaders(request(), false), /once|twice/)
    stream.sendData(Buffer.from('x'), true)
    t.throws(() => stream.sendData(Buffer.from('x'), false), /end/)
    t.throws(() => stream.sendTrailers([]), /end/)
    const server = (await pair.connection()).connection
    t.throws(() => server?.open(pair.open().heard), /client/)
    const incoming = await pair.request()
    t.throws(() => incoming.stream.sendData(Buffer.from('x'), false), /sendHeaders/)
    incoming.stream.sendHeaders(response(), true)
    t.throws(() => incoming.stream.sendData(Buffer.from('x'), false), /end/)
  })

  await t.test('after the close every method does nothing', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    await heard.closing()
    const incoming = await pair.request()
    await incoming.heard.closing()
    for (const closed of [stream, incoming.stream]) {
      closed.sendHeaders(request(), false)
      closed.sendData(Buffer.from('x'), false)
      closed.sendTrailers(['a', 'b'])
      closed.reset(ErrorCode.CANCEL)
      closed.consume(1)
    }
    await settle()
    t.strictSame(heard.calls, ['headers', 'end', 'close'])
    t.equal(pair.client.state, 'open')
  })
}
