/** The client's call machine without a socket: the test is the server, octet by octet. */
import t from 'tap'
import { ConnectionError, StreamError } from '../../src/http2/errors.ts'
import type { Fields } from '../../src/http2/transport.ts'
import type { CallOptions } from '../../src/rpc/call-options.ts'
import type { CallPlan } from '../../src/rpc/call-plan.ts'
import { AwaitableFace, IterableFace } from '../../src/rpc/calls.ts'
import { type CallHost, ClientCall } from '../../src/rpc/client-call.ts'
import type { Method } from '../../src/rpc/method.ts'
import { requestTemplate } from '../../src/rpc/request-headers.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { Status } from '../../src/wire/grpc/status-codes.ts'
import { FakeConnection, type FakeStream } from './support/fake-connection.ts'
import { collect, rejection } from './support/pair.ts'
import { type Answer, type Ask, methods } from './support/text-service.ts'

const HEADERS: Fields = [':status', '200', 'content-type', 'application/grpc']
const OK: Fields = ['grpc-status', '0']

function message(value: Answer, flag = 0): Uint8Array {
  const body = Buffer.from(JSON.stringify(value))
  const octets = Buffer.alloc(5 + body.length)
  octets[0] = flag
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

class Host implements CallHost {
  readonly connection = new FakeConnection()
  submitted = 0
  over = 0
  /** False keeps calls waiting. */
  ready = true

  submit(call: ClientCall): void {
    this.submitted++
    if (this.ready) call.startOn(this.connection)
  }

  ended(): void {
    this.over++
  }

  waitingFor(): string {
    return 'waiting for a test'
  }

  get stream(): FakeStream {
    return this.connection.streams.at(-1)!
  }
}

function plan(extra: Partial<CallPlan> = {}): CallPlan {
  return {
    template: requestTemplate({
      scheme: 'http',
      path: '/test.Text/One',
      authority: 'a',
      userAgent: 'u',
      acceptEncoding: 'identity',
      encoding: undefined,
    }),
    rules: {
      maxSendMessageOctets: 100,
      encoding: undefined,
      minCompressOctets: 0,
      tooLarge: (_, max) => `max ${max}`,
    },
    maxReceiveMessageOctets: 1000,
    maxMetadataEntries: 3,
    waitForReady: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    metadata: undefined,
    credentials: undefined,
    ...extra,
  }
}

function start(method: Method<Ask, Answer>, options?: CallOptions, extra?: Partial<CallPlan>) {
  const host = new Host()
  const machine = new ClientCall<Ask, Answer>(host, method, plan(extra), options)
  return { host, machine }
}

function unary(options?: CallOptions, extra?: Partial<CallPlan>) {
  const { host, machine } = start(methods.one, options, extra)
  machine.startUnary({ text: 'q' })
  return { host, stream: host.stream, call: new AwaitableFace<Ask, Answer>(machine) }
}

t.test('gRPC PROTOCOL-HTTP2 Requests: headers, one message, end', async (t) => {
  const { stream, call, host } = unary()
  t.same(stream.sent[0], {
    headers: [
      ...[
        ':method',
        'POST',
        ':scheme',
        'http',
        ':path',
        '/test.Text/One',
        ':authority',
        'a',
        'te',
        'trailers',
      ],
      ...['content-type', 'application/grpc', 'user-agent', 'u', 'grpc-accept-encoding', 'identity'],
    ],
    endStream: false,
  })
  t.same(stream.sent[1], { data: '\0\0\0\0\x0c{"text":"q"}', endStream: true })
  stream.listener.onHeaders([...HEADERS, 'x-a', '1'], false)
  stream.data(message({ text: 'r' }))
  stream.listener.onTrailers([...OK, 'x-b', '2'])
  stream.listener.onEnd()
  stream.listener.onClose()
  t.same(await call, { text: 'r' })
  t.equal((await call.headers).get('x-a'), '1')
  t.equal((await call.trailers).get('x-b'), '2')
  t.match(await call.status, { code: 0, details: '' })
  t.equal(host.over, 1)
  t.equal(stream.consumedOctets, message({ text: 'r' }).length, 'the credit of all octets is given back')
  t.equal(stream.sent.length, 2, 'nothing is reset after an ordinary end')
})

t.test('gRPC PROTOCOL-HTTP2 Responses: what trailers, headers and endings mean', async (t) => {
  const cases: readonly {
    name: string
    play: (stream: FakeStream) => void
    code: number
    details: RegExp | string
    phase?: string
  }[] = [
    {
      name: 'Trailers-Only carries the status in the headers',
      play: (s) => {
        s.listener.onHeaders(
          [...HEADERS, 'grpc-status', '5', 'grpc-message', 'gone%20away', 'x-t', '1'],
          true,
        )
        s.listener.onEnd()
      },
      code: 5,
      details: 'gone away',
      phase: 'trailers',
    },
    {
      name: 'no trailers at all',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(message({ text: 'r' }))
        s.listener.onEnd()
      },
      code: Status.INTERNAL,
      details: /without trailers/,
    },
    {
      name: 'OK without a message',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.listener.onTrailers(OK)
        s.listener.onEnd()
      },
      code: Status.UNIMPLEMENTED,
      details: /No message received/,
    },
    {
      name: 'two messages to a unary call end it at once',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(Buffer.concat([message({ text: 'r' }), message({ text: 's' })]))
      },
      code: Status.UNIMPLEMENTED,
      details: /Too many responses received/,
      phase: 'messages',
    },
    {
      name: 'a stream that ends inside a message',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(message({ text: 'r' }).subarray(0, 8))
        s.listener.onTrailers(OK)
        s.listener.onEnd()
      },
      code: Status.INTERNAL,
      details: /ended inside a message/,
    },
    {
      name: 'grpc-status that is no number',
      play: (s) => trailers(s, ['grpc-status', 'abc', 'grpc-message', 'x']),
      code: Status.UNKNOWN,
      details: /"abc".*x/,
    },
    { name: 'grpc-status 99', play: (s) => trailers(s, ['grpc-status', '99']), code: 2, details: /"99"/ },
    { name: 'grpc-status -1', play: (s) => trailers(s, ['grpc-status', '-1']), code: 2, details: /"-1"/ },
    { name: 'empty grpc-status', play: (s) => trailers(s, ['grpc-status', '']), code: 2, details: /""/ },
    {
      name: 'doubled grpc-status',
      play: (s) => trailers(s, ['grpc-status', '0', 'grpc-status', '5']),
      code: 2,
      details: /several/,
    },
    {
      name: 'trailers without grpc-status',
      play: (s) => trailers(s, ['x-a', '1']),
      code: Status.UNKNOWN,
      details: /no grpc-status/,
    },
    {
      name: 'a broken percent sign in grpc-message is kept',
      play: (s) => trailers(s, ['grpc-status', '3', 'grpc-message', '100% %E2%98%83']),
      code: 3,
      details: '100% ☃',
    },
    ...(
      [
        ['400', 13],
        ['401', 16],
        ['403', 7],
        ['404', 12],
        ['429', 14],
        ['502', 14],
        ['503', 14],
        ['504', 14],
        ['500', 2],
        ['200', 2],
      ] as const
    ).map(([httpStatus, code]) => ({
      name: `HTTP ${httpStatus} with HTML (gRPC http-grpc-status-mapping)`,
      play: (s: FakeStream) =>
        s.listener.onHeaders([':status', httpStatus, 'content-type', 'text/html'], false),
      code,
      details: new RegExp(`Received HTTP status code ${httpStatus}.*text/html.*the peer sent HTML`),
      phase: 'headers',
    })),
    {
      name: 'more metadata in the headers than allowed',
      play: (s) => s.listener.onHeaders([...HEADERS, 'a', '1', 'a', '2', 'b-bin', 'AQ,Ag'], false),
      code: Status.RESOURCE_EXHAUSTED,
      details:
        'Received 4 metadata entries in the response headers from 192.0.2.1:50051, more than the 3 that maxMetadataEntries allows',
      phase: 'headers',
    },
    {
      name: 'more metadata in the trailers than allowed, whatever their status',
      play: (s) => trailers(s, [...OK, 'a', '1', 'b', '2', 'c', '3', 'd', '4']),
      code: Status.RESOURCE_EXHAUSTED,
      details: /^Received 4 metadata entries in the trailers from/,
      phase: 'trailers',
    },
    {
      name: 'a compressed message without grpc-encoding',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(message({ text: 'r' }, 1))
      },
      code: Status.INTERNAL,
      details: /declared no grpc-encoding/,
    },
    {
      name: 'a compressed message with an unknown grpc-encoding',
      play: (s) => {
        s.listener.onHeaders([...HEADERS, 'grpc-encoding', 'rot13'], false)
        s.data(message({ text: 'r' }, 1))
      },
      code: Status.INTERNAL,
      details: /"rot13"/,
    },
    {
      name: 'reserved bits in Compressed-Flag',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(message({ text: 'r' }, 2))
      },
      code: Status.INTERNAL,
      details: /Compressed-Flag is 2/,
    },
    {
      name: 'a message over the limit',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(Uint8Array.of(0, 0, 0, 3, 0xe9))
      },
      code: Status.RESOURCE_EXHAUSTED,
      details: 'Received message larger than max (1001 vs 1000)',
    },
    {
      name: 'HTML where a message should be',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(Buffer.from('<html><body>'))
      },
      code: Status.INTERNAL,
      details: /the peer sent HTML/,
    },
    {
      name: 'a message that its codec does not understand',
      play: (s) => {
        s.listener.onHeaders(HEADERS, false)
        s.data(Buffer.from([0, 0, 0, 0, 1, 0x7b]))
      },
      code: Status.INTERNAL,
      details: /^Response message parsing error: /,
    },
  ]
  for (const { name, play, code, details, phase } of cases) {
    t.test(name, async (t) => {
      const { stream, call, host } = unary()
      play(stream)
      const error = await rejection(call)
      t.ok(error instanceof StatusError)
      t.match(error, { code, details, ...(phase !== undefined && { phase }) })
      t.ok((error as Error).message.startsWith(`${code} `))
      t.match(await call.status, { code })
      stream.listener.onClose()
      t.equal(host.over, 1)
    })
  }
})

function trailers(stream: FakeStream, fields: Fields): void {
  stream.listener.onHeaders(HEADERS, false)
  stream.data(message({ text: 'r' }))
  stream.listener.onTrailers(fields)
  stream.listener.onEnd()
}

t.test('gRPC PROTOCOL-HTTP2 Errors: RST_STREAM codes', async (t) => {
  const expected = [13, 13, 13, 13, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13, 13]
  for (const [code, status] of expected.entries()) {
    const { stream, call } = unary()
    stream.listener.onHeaders(HEADERS, false)
    stream.listener.onClose(new StreamError('reset', { code, streamId: 1, initiator: 'peer' }))
    t.match(await rejection(call), { code: status }, `code ${code}`)
  }
  const { stream, call } = unary()
  stream.listener.onClose(new StreamError('bad frame', { code: 1, streamId: 1, initiator: 'local' }))
  t.match(await rejection(call), { code: 13, details: /broke HTTP\/2: bad frame/ })
  const greedy = unary()
  greedy.stream.listener.onClose(
    new StreamError('header list', { code: 11, streamId: 1, initiator: 'local' }),
  )
  t.match(await rejection(greedy.call), { code: 8, details: 'The server sent too much: header list' })
})

t.test('CANCEL from the server after our deadline is DEADLINE_EXCEEDED', async (t) => {
  const deadlineMs = Date.now() + 20
  const { stream, call } = unary(undefined, { deadlineMs })
  // The event loop is kept busy, so that the reset is what comes first.
  while (Date.now() < deadlineMs);
  stream.listener.onClose(new StreamError('reset', { code: 8, streamId: 1, initiator: 'peer' }))
  t.match(await rejection(call), { code: 4, details: 'Deadline exceeded: the server ended the call' })
})

t.test('gRFC A6: transparent retry', async (t) => {
  const refused = () =>
    new StreamError('refused', { code: 7, streamId: 1, initiator: 'peer', unprocessed: true })
  t.test('a refused stream is tried once more with the same octets, and only once', async (t) => {
    const { host, stream, call } = unary()
    stream.listener.onClose(refused())
    t.equal(host.submitted, 2)
    t.same(host.stream.sent, stream.sent)
    host.stream.listener.onClose(refused())
    t.match(await rejection(call), { code: 14, details: 'Stream refused by server' })
    t.equal(host.submitted, 2)
  })
  t.test('what never left moves on each time, what a GOAWAY left out once', async (t) => {
    const { host, call } = unary()
    const goaway = () =>
      new ConnectionError('GOAWAY', { initiator: 'peer', phase: 'open', unprocessed: true, code: 0 })
    for (let i = 0; i < 3; i++) {
      host.stream.id = 0
      host.stream.listener.onClose(goaway())
    }
    t.equal(host.submitted, 4)
    host.stream.listener.onClose(goaway())
    t.equal(host.submitted, 5)
    host.stream.listener.onClose(goaway())
    t.match(await rejection(call), { code: 14, details: 'Connection dropped: GOAWAY' })
    t.equal(host.submitted, 5)
  })
  t.test('not after response headers', async (t) => {
    const { host, stream, call } = unary()
    stream.listener.onHeaders(HEADERS, false)
    stream.listener.onClose(refused())
    t.match(await rejection(call), { code: 14 })
    t.equal(host.submitted, 1)
  })
  t.test('a connection that broke is not retried', async (t) => {
    const { host, stream, call } = unary()
    stream.listener.onClose(new ConnectionError('ECONNRESET', { initiator: 'peer', phase: 'open' }))
    t.match(await rejection(call), { code: 14, details: /^Connection dropped: ECONNRESET/ })
    t.equal(host.submitted, 1)
  })
})

t.test('cancel, signal and deadline reset the stream with CANCEL and end the call once', async (t) => {
  t.test('cancel', async (t) => {
    const { host, stream, call } = unary()
    call.cancel()
    call.cancel('again')
    t.same(stream.sent.at(-1), { reset: 8 })
    t.match(await rejection(call), { code: 1, details: 'Cancelled on client' })
    stream.listener.onClose()
    t.equal(host.over, 1)
  })
  t.test('AbortSignal', async (t) => {
    const controller = new AbortController()
    const { stream, call } = unary({ signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    t.match(await rejection(call), { code: 1, cause: reason })
    t.same(stream.sent.at(-1), { reset: 8 })
  })
  t.test('a signal that was aborted before sends nothing', async (t) => {
    const { host, machine } = start(methods.one, { signal: AbortSignal.abort() })
    machine.startUnary({ text: 'q' })
    t.match(await rejection(machine.result()), { code: 1 })
    t.equal(host.submitted, 0)
  })
  t.test('deadline', async (t) => {
    const { stream, call } = unary(undefined, { deadlineMs: Date.now() + 20 })
    t.match(await rejection(call), {
      code: 4,
      details: /^Deadline exceeded after 0\.0\d\ds,remote_addr=192\.0\.2\.1:50051$/,
    })
    t.same(stream.sent.at(-1), { reset: 8 })
    t.match((stream.sent[0] as { headers: Fields }).headers.slice(8, 12), [
      'te',
      'trailers',
      'grpc-timeout',
      /^\d+m$/,
    ])
  })
  t.test('a deadline that has passed sends nothing', async (t) => {
    const { host, machine } = start(methods.one, undefined, { deadlineMs: Date.now() - 1 })
    machine.startUnary({ text: 'q' })
    t.match(await rejection(machine.result()), { code: 4, details: /waiting for a test/ })
    t.equal(host.submitted, 0)
  })
})

t.test('the metadata of a status belongs to its call alone', async (t) => {
  const ended = (trailers: Fields) => {
    const { stream, call } = unary()
    stream.listener.onHeaders(HEADERS, false)
    stream.data(message({ text: 'r' }))
    stream.listener.onTrailers(trailers)
    stream.listener.onEnd()
    return call
  }
  for (const trailers of [OK, ['grpc-status', '9']]) {
    const early = unary()
    const awaited = early.call.trailers
    early.stream.listener.onHeaders(HEADERS, false)
    early.stream.data(message({ text: 'r' }))
    early.stream.listener.onTrailers(trailers)
    early.stream.listener.onEnd()
    for (const metadata of [await awaited, await ended(trailers).trailers]) metadata.set('x-mine', '1')
    const { metadata } = await ended(trailers).status
    t.same([...metadata], [])
  }
  const call = ended(OK)
  ;(await call.trailers).set('x-mine', '1')
  t.equal((await call.status).metadata.get('x-mine'), '1', 'one call has one status')
})

t.test('messages that came before an error status are delivered first', async (t) => {
  const { host, machine } = start(methods.many)
  machine.startUnary({})
  const { stream } = host
  stream.listener.onHeaders(HEADERS, false)
  stream.data(Buffer.concat([message({ text: 'a' }), message({ text: 'b' })]))
  stream.listener.onTrailers(['grpc-status', '9', 'grpc-message', 'no'])
  stream.listener.onEnd()
  const got: string[] = []
  const error = await rejection(
    (async () => {
      for await (const { text } of new IterableFace<Ask, Answer>(machine)) got.push(text)
    })(),
  )
  t.same(got, ['a', 'b'])
  t.match(error, { code: 9, details: 'no' })
})

t.test('what a slow reader has not taken keeps its credit', async (t) => {
  const { host, machine } = start(methods.many)
  machine.startUnary({})
  const { stream } = host
  stream.listener.onHeaders(HEADERS, false)
  const one = message({ text: 'a' })
  stream.data(Buffer.concat([one, one, one]))
  t.equal(stream.consumedOctets, 0)
  const iterator = machine.messages()
  await iterator.next()
  t.equal(stream.consumedOctets, one.length)
  await iterator.return?.()
  t.same(stream.sent.at(-1), { reset: 8 }, 'leaving the loop cancels the call')
  t.match(await machine.status(), { code: 1 })
})

t.test('write: back-pressure, and what it says when the call is over', async (t) => {
  const { host, machine } = start(methods.gather)
  const call = new AwaitableFace<Ask, Answer>(machine)
  machine.startStreaming(undefined)
  const { stream } = host
  t.equal(await call.write({ text: '1' }), true)
  stream.room = false
  let drained = false
  const waiting = call.write({ text: '2' }).then((room) => {
    drained = room
  })
  await null
  t.equal(drained, false)
  stream.listener.onDrain()
  await waiting
  t.equal(drained, true)
  const blocked = call.write({ text: '3' })
  trailers(stream, OK)
  t.equal(await blocked, false, 'a call that ended with OK takes no more')
  t.equal(await call.write({ text: '4' }), false)
  t.same(stream.sent.at(-1), { reset: 0 }, 'RFC 9113 §8.1: the rest of the request is not wanted')
  t.same(await call, { text: 'r' })
})

t.test('write after end and after a failure', async (t) => {
  const { host, machine } = start(methods.gather)
  machine.startStreaming(undefined)
  machine.end()
  t.match(await rejection(machine.write({ text: 'x' })), { message: /write after end/ })
  host.stream.listener.onHeaders([...HEADERS, 'grpc-status', '7'], true)
  host.stream.listener.onEnd()
  t.match(await rejection(machine.write({ text: 'x' })), { code: 7 })
})

t.test('a message that cannot be encoded, or is too large, ends the call', async (t) => {
  const { host, machine } = start(methods.one)
  machine.startUnary({ unencodable: true })
  t.match(await rejection(machine.result()), {
    code: 13,
    details: "Request message serialization failure: test.Ask.unencodable: it can't be encoded",
  })
  t.equal(host.submitted, 0)
  const { machine: large } = start(methods.one)
  large.startUnary({ text: 'x'.repeat(100) })
  t.match(await rejection(large.result()), { code: 8, details: 'max 100' })
  const { host: third, machine: stream } = start(methods.gather)
  stream.startStreaming(undefined)
  t.match(await rejection(stream.write({ unencodable: true })), { code: 13 })
  t.same(third.stream.sent.at(-1), { reset: 8 })
})

t.test('a source of requests', async (t) => {
  t.test('that throws cancels the call', async (t) => {
    const { host, machine } = start(methods.gather)
    async function* source(): AsyncGenerator<Ask> {
      yield { text: 'a' }
      throw new Error('tap ran dry')
    }
    machine.startStreaming(source())
    t.match(await rejection(machine.result()), {
      code: 1,
      details: 'The source of requests failed: tap ran dry',
    })
    t.same(host.stream.sent.at(-1), { reset: 8 })
  })
  t.test('is left when the call ends first', async (t) => {
    const { host, machine } = start(methods.gather)
    let left = false
    async function* source(): AsyncGenerator<Ask> {
      try {
        for (;;) {
          yield { text: 'a' }
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        left = true
      }
    }
    machine.startStreaming(source())
    await new Promise((resolve) => setImmediate(resolve))
    trailers(host.stream, OK)
    await machine.result()
    await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(left, true)
  })
})

t.test('requests written before there is a connection go out with it', async (t) => {
  const host = new Host()
  host.ready = false
  const machine = new ClientCall<Ask, Answer>(host, methods.chat, plan(), undefined)
  machine.startStreaming(undefined)
  const first = machine.write({ text: 'a' })
  machine.end()
  machine.startOn(host.connection)
  t.equal(await first, true)
  t.same(
    host.stream.sent.slice(1).map((sent) => ('data' in sent ? [sent.data.length > 5, sent.endStream] : sent)),
    [[true, true]],
  )
  machine.cancel()
  t.same(await collect(machine.messages()).catch((error) => error.code), 1)
})

t.test('headers reject if the call fails before them, without an unhandled rejection', async (t) => {
  const { call } = unary()
  const headers = call.headers
  call.cancel()
  t.match(await rejection(headers), { code: 1 })
  t.match(await rejection(call.headers), { code: 1 })
  t.same([...(await call.trailers)], [])
})

t.test('priority goes to the connection', async (t) => {
  const { host } = unary({ priority: { urgency: 1 } })
  t.same(host.connection.opened, [{ priority: { urgency: 1 } }])
})

t.test('a connection that refuses the headers fails the call', async (t) => {
  const host = new Host()
  host.ready = false
  const machine = new ClientCall<Ask, Answer>(host, methods.one, plan(), undefined)
  machine.startUnary({})
  host.connection.open = () => {
    throw new Error('no more streams')
  }
  machine.startOn(host.connection)
  t.match(await rejection(machine.result()), {
    code: 13,
    details: /Failed to start HTTP\/2 stream.*no more streams/,
  })
})
