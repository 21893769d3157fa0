import http2 from 'node:http2'
import t from 'tap'
import type { CallSummary } from '../../src/rpc/call-summary.ts'
import { connect } from '../../src/rpc/channel.ts'
import { Metadata } from '../../src/rpc/metadata.ts'
import { Server } from '../../src/rpc/server.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

t.test('what can not be added', async (t) => {
  t.throws(() => new Server({ engine: 'steam' as never }), TypeError)
  t.throws(() => new Server({ compression: 'rot13' }), /"rot13" is unknown/)
  const server = new Server()
  t.throws(() => server.add(Text, { one: 5 as never }), /one of test\.Text is a number/)
  t.throws(
    () => server.add(Text, { won: () => {} } as never),
    /no method for the handler won; it has one, One,/,
  )
  server.add(Text, echo)
  t.throws(() => server.add(Text, echo), /added already/)
  t.same(server.services, [Text])
  await server.close()
  t.match(await rejection(server.listen('127.0.0.1:0')), { message: /has been closed/ })
})

t.test('a method called constructor is not answered by what every object has', async (t) => {
  const method = { ...Text.methods.one, name: 'constructor', path: '/test.Odd/constructor' }
  const server = new Server().add({ name: 'test.Odd', methods: { constructor$: method } }, {})
  const channel = connect(server.inProcess())
  t.match(await rejection(channel.unary(method, {})), { code: 12 })
  await channel.close()
  await server.close()
})

t.test('listening fails with the error of the socket', async (t) => {
  for (const engine of ENGINES) {
    const { address } = await pair(t, engine)
    const second = new Server({ engine })
    t.match(await rejection(second.listen(address)), { code: 'EADDRINUSE' })
    t.match(await rejection(second.listen('nonsense')), { name: 'TypeError' })
    await second.close()
  }
})

/** Sends one raw request by node:http2 and gives header and trailer fields. */
async function raw(address: string, headers: http2.OutgoingHttpHeaders, body?: Buffer) {
  const session = http2.connect(`http://${address}`)
  const stream = session.request(headers, { endStream: body === undefined })
  const result: { headers?: http2.IncomingHttpHeaders; trailers?: http2.IncomingHttpHeaders; rst?: number } =
    {}
  stream.on('response', (fields) => {
    result.headers = fields
  })
  stream.on('trailers', (fields) => {
    result.trailers = fields
  })
  stream.on('error', () => {})
  stream.resume()
  if (body !== undefined) stream.end(body)
  await new Promise((resolve) => stream.once('close', resolve))
  result.rst = stream.rstCode!
  await new Promise<void>((resolve) => session.close(resolve))
  return result
}

for (const engine of ENGINES) {
  t.test(
    `${engine}: requests that are no gRPC get the HTTP status the protocol asks for, and are logged`,
    async (t) => {
      const log: CallSummary[] = []
      const { address } = await pair(t, engine, echo, { server: { onCall: (summary) => log.push(summary) } })
      const good = {
        ':path': '/test.Text/One',
        ':method': 'POST',
        'content-type': 'application/grpc',
        te: 'trailers',
      }
      const cases: readonly [string, http2.OutgoingHttpHeaders, object][] = [
        ['GET', { ...good, ':method': 'GET' }, { ':status': 405, allow: 'POST' }],
        ['PUT', { ...good, ':method': 'PUT' }, { ':status': 405 }],
        ['text/html', { ...good, 'content-type': 'text/html' }, { ':status': 415 }],
        ['no content-type', { ':path': '/test.Text/One', ':method': 'POST' }, { ':status': 415 }],
        ['application/grpcfoo', { ...good, 'content-type': 'application/grpcfoo' }, { ':status': 415 }],
        [
          'unknown method',
          { ...good, ':path': '/test.Text/Nothing' },
          { ':status': 200, 'grpc-status': '12' },
        ],
        ['double slash', { ...good, ':path': '//test.Text/One' }, { 'grpc-status': '12' }],
        ['__proto__', { ...good, ':path': '/__proto__/constructor' }, { 'grpc-status': '12' }],
        [
          'bad timeout',
          { ...good, 'grpc-timeout': 'abc' },
          { 'grpc-status': '13', 'grpc-message': 'Invalid grpc-timeout value "abc"' },
        ],
        ['9 digits', { ...good, 'grpc-timeout': '123456789m' }, { 'grpc-status': '13' }],
        [
          'unknown encoding',
          { ...good, 'grpc-encoding': 'rot13' },
          { 'grpc-status': '12', 'grpc-accept-encoding': /^identity,gzip,deflate/ },
        ],
      ]
      for (const [name, headers, expected] of cases) {
        t.match((await raw(address, headers, Buffer.alloc(0))).headers, expected, name)
      }
      t.equal(log.length, cases.length, 'each is logged')
      t.match(log[0], { path: '/test.Text/One', httpStatus: 405, details: /GET/ })
      t.match(log[5], { path: '/test.Text/Nothing', httpStatus: 200, code: 12 })
      const ok = await raw(address, good, Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]))
      t.match(ok.headers, { ':status': 200, 'content-type': 'application/grpc' })
      t.match(ok.trailers, { 'grpc-status': '0' })
      t.equal(ok.headers!.date, undefined, 'no field that nobody asked for')
    },
  )

  t.test(`${engine}: metadata, headers, trailers and status details go both ways`, async (t) => {
    const log: CallSummary[] = []
    const { client } = await pair(
      t,
      engine,
      {
        one: (_, call) => {
          call.sendHeaders({
            'x-echo': call.metadata.getAll('x-in'),
            'echo-bin': call.metadata.get('in-bin')!,
          })
          call.setTrailers({ 'x-t': ['1', '2'] })
          throw new StatusError(3, 'grüß ☃ %', {
            metadata: { 'x-e': 'e', 'details-bin': Uint8Array.of(0, 255) },
          })
        },
      },
      { server: { onCall: (summary) => log.push(summary) } },
    )
    const call = client.one(
      {},
      { metadata: new Metadata({ 'x-in': ['a', 'b'], 'in-bin': Uint8Array.of(1, 2, 3) }) },
    )
    const headers = await call.headers
    t.same(headers.getAll('x-echo'), ['a', 'b'])
    t.same([...headers.get('echo-bin')!], [1, 2, 3])
    const error = (await rejection(call)) as StatusError
    t.match(error, { code: 3, details: 'grüß ☃ %' })
    t.same(error.metadata.getAll('x-t'), ['1', '2'])
    t.same([...error.metadata.get('details-bin')!], [0, 255])
    t.equal((await call.trailers).get('x-e'), 'e')
    t.match(log, [
      {
        path: '/test.Text/One',
        code: 3,
        httpStatus: 200,
        messagesReceived: 1,
        messagesSent: 0,
        peer: /^127/,
      },
    ])
  })

  t.test(`${engine}: a method without handler`, async (t) => {
    const { client } = await pair(t, engine, { many: echo.many! })
    t.match(await rejection(client.one({})), {
      code: 12,
      details: 'The server does not implement the method /test.Text/One',
    })
    t.equal((await collect(client.many({}))).length, 3)
  })

  t.test(`${engine}: handlers by the name in the .proto file, and methods of a class`, async (t) => {
    class Implementation {
      readonly #prefix = 'class '
      One({ text = '' }) {
        return { text: this.#prefix + text }
      }
    }
    const { client } = await pair(t, engine, new Implementation() as never)
    t.same(await client.one({ text: 'x' }), { text: 'class x' })
  })

  t.test(`${engine}: a slow reader bounds the memory of a fast writer`, async (t) => {
    let made = 0
    const text = 'x'.repeat(64 * 1024)
    const { client } = await pair(t, engine, {
      many: async function* () {
        for (; made < 10_000; made++) yield { text }
      },
      gather: async (requests) => {
        let taken = 0
        for await (const _ of requests) {
          if (++taken === 1) await new Promise((resolve) => setTimeout(resolve, 200))
          if (taken === 5) break
        }
        return { text: String(taken) }
      },
    })
    const call = client.many({})
    const iterator = call[Symbol.asyncIterator]()
    await iterator.next()
    await new Promise((resolve) => setTimeout(resolve, 200))
    t.ok(made < 200, `the server made ${made} messages of 64 KiB for a reader that took one`)
    await iterator.return?.()
    t.match(await call.status, { code: 1 })
    let written = 0
    const upload = client.gather()
    while (written < 10_000 && (await upload.write({ text }))) written++
    t.same(await upload, { text: '5' })
    t.ok(written < 400, `the client wrote ${written} messages of 64 KiB to a handler that took five`)
  })

  t.test(`${engine}: limits`, async (t) => {
    const { client } = await pair(t, engine, echo, {
      server: { maxReceiveMessageOctets: 100, maxSendMessageOctets: 90 },
    })
    t.match(await rejection(client.one({ text: 'x'.repeat(100) })), {
      code: 8,
      details: 'Received message larger than max (111 vs 100)',
    })
    t.match(await rejection(client.one({ text: 'x'.repeat(85) })), {
      code: 8,
      details: 'Sent message larger than max (96 vs. 90)',
    })
    t.match(await rejection(client.one({ text: 'x' }, { maxReceiveMessageOctets: 5 })), {
      code: 8,
      details: 'Received message larger than max (12 vs 5)',
    })
    t.match(await rejection(client.one({ text: 'x' }, { maxSendMessageOctets: 5 })), {
      code: 8,
      details: 'Attempted to send message with a size larger than 5',
    })
    const exact = 'x'.repeat(79)
    t.same(await client.one({ text: exact }), { text: exact }, 'exactly at the limit')
  })

  t.test(`${engine}: what is told of calls may throw: a warning, and the call goes on`, async (t) => {
    const warnings: Error[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    t.teardown(() => process.off('warning', warn))
    const throwing = () => {
      throw new Error('oops')
    }
    const { client, server } = await pair(
      t,
      engine,
      { ...echo, many: throwing },
      { server: { onCall: throwing, onHandlerError: throwing } },
    )
    t.same(await client.one({ text: 'a' }), { text: 'a' })
    t.match(await rejection(collect(client.many({}))), { code: 2 })
    t.same(await client.gather([{ text: 'b' }]), { text: 'b' })
    t.equal(server.runningCalls, 0)
    t.match(warnings.map(String), [/onCall of a server threw/, /onHandlerError/, /onCall/, /onCall/])
  })

  t.test(`${engine}: maxConcurrentCalls`, async (t) => {
    let release: (() => void) | undefined
    const { client } = await pair(
      t,
      engine,
      {
        one: () =>
          new Promise((resolve) => {
            release = () => resolve({ text: '' })
          }),
      },
      { server: { maxConcurrentCalls: 1 } },
    )
    const first = client.one({})
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.match(await rejection(client.one({})), { code: 8, details: /runs 1 calls already/ })
    release!()
    await first
  })

  t.test(`${engine}: compression of responses and requests`, async (t) => {
    const text = 'x'.repeat(5000)
    for (const compression of ['gzip', 'deflate', 'br', 'identity']) {
      const { client } = await pair(
        t,
        engine,
        {
          ...echo,
          many: async function* (_, call) {
            yield { text }
            call.compress = false
            yield { text }
          },
        },
        { server: { compression }, channel: { compression } },
      )
      t.same(await client.one({ text }), { text }, compression)
      t.equal((await collect(client.many({}))).length, 2)
      const upload = client.gather()
      await upload.write({ text }, { compress: false })
      await upload.write({ text })
      upload.end()
      t.equal((await upload).text.length, 10_001)
      t.same(await client.one({ text }, { compression: 'identity' }), { text })
    }
  })

  t.test(`${engine}: close drains; graceMs cuts what still runs`, async (t) => {
    let release: (() => void) | undefined
    const { server, client, channel } = await pair(t, engine, {
      one: ({ text = '' }) =>
        new Promise((resolve) => {
          release = () => resolve({ text })
        }),
    })
    const call = client.one({ text: 'x' })
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    let closed = false
    const closing = server.close().then(() => {
      closed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    t.equal(closed, false)
    release()
    t.same(await call, { text: 'x' }, 'the call that ran is answered')
    await closing
    t.match(await rejection(client.one({}, { deadline: 2000 })), { code: 14 }, 'new calls find nobody')
    await channel.close()

    const other = await pair(t, engine, { one: () => new Promise(() => {}) })
    const cut = rejection(other.client.one({}))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await other.server.close({ graceMs: 20 })
    t.match(await cut, { code: 14 })
  })

  t.test(`${engine}: handlers are told of cancellation`, async (t) => {
    let seen: unknown
    let called: (() => void) | undefined
    const running = new Promise<void>((resolve) => {
      called = resolve
    })
    const { client } = await pair(t, engine, {
      one: (_, call) => {
        called!()
        return new Promise((resolve) => {
          call.signal.addEventListener('abort', () => {
            seen = call.signal.reason
            resolve({ text: 'late' })
          })
        })
      },
    })
    const call = client.one({})
    await running
    call.cancel()
    t.match(await rejection(call), { code: 1 })
    while (seen === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    t.match(seen, { code: 1 })
  })

  t.test(`${engine}: a deadline ends the call on both sides`, async (t) => {
    const log: CallSummary[] = []
    let left: number | undefined
    const { client } = await pair(
      t,
      engine,
      {
        one: (_, call) => {
          left = call.deadline!.getTime() - Date.now()
          return new Promise(() => {})
        },
      },
      { server: { onCall: (summary) => log.push(summary) } },
    )
    const start = Date.now()
    t.match(await rejection(client.one({}, { deadline: 100 })), { code: 4 })
    t.ok(Date.now() - start >= 95)
    t.ok(left! > 0 && left! <= 101, `the server was told ${left} ms`)
    while (log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    t.match(log, [{ code: /^(1|4)$/ }])
    t.match(
      await client.one({}, { deadline: 30 * 24 * 3600 * 1000, signal: AbortSignal.timeout(50) }).status,
      { code: 1 },
      '30 days are no problem',
    )
  })
}
