/** The server's call machine without a socket: the test is the client, octet by octet. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Fields } from '../../src/http2/transport.ts'
import type { HandlerCall } from '../../src/rpc/handlers.ts'
import type { Method } from '../../src/rpc/method.ts'
import { readRequestHead } from '../../src/rpc/request-headers.ts'
import { ServerCall, type ServerCallHost } from '../../src/rpc/server-call.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { FakeConnection, FakeStream, PEER } from './support/fake-connection.ts'
import { methods } from './support/text-service.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const COLLECTIONS = 20
const RESPONSE: Fields = [':status', '200', 'content-type', 'application/grpc']

function message(value: unknown, flag = 0): Uint8Array {
  const body = Buffer.from(JSON.stringify(value))
  const octets = Buffer.alloc(5 + body.length)
  octets[0] = flag
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

class Host implements ServerCallHost {
  readonly responseFields = RESPONSE
  readonly unwantedRequestMs = 0
  readonly maxReceiveMessageOctets = 1000
  readonly thrown: unknown[] = []
  over = 0

  sendRules() {
    return {
      maxSendMessageOctets: 200,
      encoding: undefined,
      minCompressOctets: 0,
      tooLarge: (size: number, max: number) => `too large (${size} vs. ${max})`,
    }
  }
  handlerFailed(error: unknown): void {
    this.thrown.push(error)
  }
  ended(): void {
    this.over++
  }
}

function start(
  method: Method,
  handler: (request: never, call: HandlerCall) => unknown,
  timeoutMs = Number.POSITIVE_INFINITY,
  extra: Fields = [],
) {
  const host = new Host()
  const fields = [':method', 'POST', ':path', method.path, ':authority', 'a', 'x-a', '1', ...extra]
  const stream = new FakeStream(new FakeConnection(), undefined as never)
  const call = new ServerCall(
    host,
    { method, handler } as never,
    stream,
    readRequestHead(fields),
    fields,
    timeoutMs,
  )
  stream.listener = call
  call.start()
  return { host, stream, call }
}

function ask(stream: FakeStream, value: unknown = { text: 'q' }): void {
  stream.data(message(value))
  stream.listener.onEnd()
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('a handler that returns at once is answered in the same turn', async (t) => {
  const { stream, host, call } = start(methods.one, (request: { text: string }, handlerCall) => {
    t.equal(handlerCall.metadata.get('x-a'), '1')
    t.equal(handlerCall.authority, 'a')
    t.equal(handlerCall.deadline, undefined)
    t.equal(handlerCall.peer, PEER)
    return { text: request.text.toUpperCase() }
  })
  t.same(stream.sent, [])
  ask(stream)
  t.same(stream.sent, [
    { headers: RESPONSE, endStream: false },
    { data: '\0\0\0\0\x0c{"text":"Q"}', endStream: false },
    { trailers: ['grpc-status', '0'] },
  ])
  t.equal(host.over, 1)
  t.match(call, { code: 0, messagesReceived: 1, messagesSent: 1 })
  stream.listener.onClose()
  t.equal(host.over, 1)
})

t.test('how handlers fail', async (t) => {
  const secret = new Error('password is 1234')
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const cases: readonly {
    name: string
    handler: (request: never, call: HandlerCall) => unknown
    status: Fields
    told: number
  }[] = [
    {
      name: 'StatusError with details and metadata',
      handler: () => {
        throw new StatusError(5, 'no "ü" here', { metadata: { 'x-b': '2' } })
      },
      status: ['grpc-status', '5', 'grpc-message', 'no "%C3%BC" here', 'x-b', '2'],
      told: 0,
    },
    {
      name: 'an object as handlers of grpc-js throw',
      handler: () => {
        throw { code: 3, details: 'bad' }
      },
      status: ['grpc-status', '3', 'grpc-message', 'bad'],
      told: 0,
    },
    {
      name: 'synchronous Error: its text stays here',
      handler: () => {
        throw secret
      },
      status: ['grpc-status', '2', 'grpc-message', 'Unknown error'],
      told: 1,
    },
    {
      name: 'rejection',
      handler: () => Promise.reject(secret),
      status: ['grpc-status', '2', 'grpc-message', 'Unknown error'],
      told: 1,
    },
    {
      name: 'undefined thrown',
      handler: () => {
        throw undefined
      },
      status: ['grpc-status', '2', 'grpc-message', 'Unknown error'],
      told: 1,
    },
    {
      name: 'a cyclic object thrown',
      handler: () => {
        throw cyclic
      },
      status: ['grpc-status', '2', 'grpc-message', 'Unknown error'],
      told: 1,
    },
    {
      name: 'a response that cannot be encoded',
      handler: () => ({ unencodable: true }),
      status: ['grpc-status', '13', 'grpc-message', 'Error serializing response'],
      told: 1,
    },
    {
      name: 'a response over the limit',
      handler: () => ({ text: 'x'.repeat(300) }),
      status: ['grpc-status', '8', 'grpc-message', 'too large (311 vs. 200)'],
      told: 0,
    },
  ]
  for (const { name, handler, status, told } of cases) {
    t.test(name, async (t) => {
      const { stream, host } = start(methods.one, handler)
      ask(stream)
      await turn()
      t.same(stream.sent, [{ headers: [...RESPONSE, ...status], endStream: true }], 'Trailers-Only')
      t.equal(host.thrown.length, told)
      t.equal(host.over, 1)
    })
  }
})

t.test('requests that are none', async (t) => {
  const cases: readonly {
    name: string
    play: (stream: FakeStream) => void
    code: string
    text: RegExp
    whole: boolean
  }[] = [
    {
      name: 'no message',
      play: (s) => s.listener.onEnd(),
      code: '12',
      text: /Received%20no|Received no request message/,
      whole: true,
    },
    {
      name: 'two messages',
      play: (s) => s.data(Buffer.concat([message({}), message({})])),
      code: '12',
      text: /second request message/,
      whole: false,
    },
    {
      name: 'a stream that ends inside a message',
      play: (s) => {
        s.data(message({ text: 'q' }).subarray(0, 9))
        s.listener.onEnd()
      },
      code: '13',
      text: /ended inside a message/,
      whole: true,
    },
    {
      name: 'a cut prefix',
      play: (s) => {
        s.data(Uint8Array.of(0, 0))
        s.listener.onEnd()
      },
      code: '13',
      text: /message prefix/,
      whole: true,
    },
    {
      name: 'no JSON',
      play: (s) => s.data(Uint8Array.of(0, 0, 0, 0, 1, 0x7b)),
      code: '13',
      text: /^Error deserializing request$/,
      whole: false,
    },
    {
      name: 'limit + 1',
      play: (s) => s.data(Uint8Array.of(0, 0, 0, 3, 0xe9)),
      code: '8',
      text: /larger than max \(1001 vs 1000\)/,
      whole: false,
    },
    {
      name: 'Compressed-Flag without encoding',
      play: (s) => s.data(message({}, 1)),
      code: '13',
      text: /Compressed-Flag 1/,
      whole: false,
    },
    {
      name: 'reserved flag bits',
      play: (s) => s.data(message({}, 255)),
      code: '13',
      text: /Compressed-Flag is 255/,
      whole: false,
    },
  ]
  for (const { name, play, code, text, whole } of cases) {
    t.test(name, async (t) => {
      const { stream, host } = start(methods.one, () => t.fail('the handler must not run'))
      play(stream)
      const [answer, reset] = stream.sent
      const { headers } = answer as { headers: Fields }
      t.same(headers.slice(0, 6), [...RESPONSE, 'grpc-status', code])
      t.match(headers[7], text)
      t.same(reset, whole ? undefined : { reset: 0 }, 'RFC 9113 §8.1: the rest of the request is not wanted')
      t.equal(host.over, 1)
    })
  }
})

t.test('sendHeaders, setTrailers', async (t) => {
  const { stream } = start(methods.one, async (_request: never, call) => {
    call.sendHeaders({ 'x-h': 'early' })
    t.throws(() => call.sendHeaders(), /sent already/)
    t.throws(() => call.setTrailers({ 'grpc-status': '0' }), TypeError)
    call.setTrailers({ 'x-t': '1' })
    call.setTrailers({ 'x-t': '2' })
    await turn()
    return { text: 'r' }
  })
  ask(stream)
  t.same(stream.sent, [{ headers: [...RESPONSE, 'x-h', 'early'], endStream: false }])
  await turn()
  await turn()
  t.same(stream.sent.at(-1), { trailers: ['grpc-status', '0', 'x-t', '1', 'x-t', '2'] })
})

t.test('a stream of responses waits for room', async (t) => {
  let made = 0
  const { stream } = start(methods.many, async function* () {
    for (; made < 3; made++) yield { text: String(made) }
  })
  stream.room = false
  ask(stream)
  await turn()
  t.equal(made, 0, 'the generator stays at its first yield')
  t.equal(stream.sent.length, 2)
  stream.room = true
  stream.listener.onDrain()
  await turn()
  t.equal(made, 3)
  t.same(stream.sent.at(-1), { trailers: ['grpc-status', '0'] })
})

t.test('responses from an array, a promise of one, and what is no stream', async (t) => {
  for (const [handler, sent] of [
    [() => [{ text: 'a' }, { text: 'b' }], 4],
    [async () => [{ text: 'a' }], 3],
    [async () => (async function* () {})(), 1],
  ] as const) {
    const { stream } = start(methods.many, handler)
    ask(stream)
    await turn()
    t.equal(stream.sent.length, sent)
  }
  for (const handler of [() => undefined, () => 5, () => ({})]) {
    const { stream, host } = start(methods.many, handler)
    ask(stream)
    await turn()
    t.match(stream.sent[0], { headers: [...RESPONSE, 'grpc-status', '2'], endStream: true })
    t.match(host.thrown[0], { message: /returned .*; a streaming response is an async generator/ })
  }
})

t.test('a stream of responses does not hold its request', async (t) => {
  let request: WeakRef<object> | undefined
  const { stream, call } = start(methods.many, (asked: { text: string }) => {
    request = new WeakRef(asked)
    return (async function* () {
      yield { text: 'a' }
    })()
  })
  stream.room = false
  ask(stream)
  for (let i = 0; i < COLLECTIONS && request?.deref() !== undefined; i++) {
    await turn()
    collect()
  }
  t.ok(request)
  t.equal(request?.deref(), undefined)
  t.equal(call.code, -1, 'the call still runs')
  stream.listener.onClose()
})

t.test('a generator that ends its own call is left after its step, without an error', async (t) => {
  let left: string[] = []
  for (const [kind, handler] of [
    [
      'not async',
      function* (_request: never, call: HandlerCall) {
        try {
          call.sendHeaders({ 'x-large': 'a'.repeat(2000) })
          yield { text: 'a' }
        } finally {
          left.push('not async')
        }
      },
    ],
    [
      'async',
      async function* (_request: never, call: HandlerCall) {
        try {
          call.sendHeaders({ 'x-large': 'a'.repeat(2000) })
          yield { text: 'a' }
        } finally {
          left.push('async')
        }
      },
    ],
  ] as const) {
    left = []
    const { stream, host } = start(methods.many, handler)
    Object.assign(stream.connection.remoteSettings, { maxHeaderListSize: 1000 })
    ask(stream)
    await turn()
    t.equal(stream.sent.length, 1, kind)
    t.match((stream.sent[0] as { headers: Fields }).headers.join(' '), /grpc-status 8 /)
    t.same(left, [kind])
    t.same(host.thrown, [])
  }
})

t.test('trailers that a generator sets at once when it is left are sent', async (t) => {
  const { stream } = start(methods.many, function* (_request, call) {
    try {
      yield { unencodable: true }
    } finally {
      call.setTrailers({ 'x-rows': '7' })
    }
  })
  ask(stream)
  await turn()
  t.match(stream.sent, [{ endStream: true }])
  t.match((stream.sent[0] as { headers: Fields }).headers.join(' '), /grpc-status 13 .*x-rows 7/)
})

t.test('an error in the middle of a stream comes after what was yielded', async (t) => {
  const { stream } = start(methods.many, async function* () {
    yield { text: 'a' }
    throw new StatusError(10, 'lost')
  })
  ask(stream)
  await turn()
  t.same(stream.sent.slice(2), [{ trailers: ['grpc-status', '10', 'grpc-message', 'lost'] }])
})

t.test('cancellation', async (t) => {
  t.test('ends signal, requests and generator; nothing more is sent', async (t) => {
    let left = false
    let signalled: unknown
    const { stream, host, call } = start(methods.chat, async function* (
      requests: AsyncIterable<unknown>,
      handlerCall: HandlerCall,
    ) {
      handlerCall.signal.addEventListener('abort', () => {
        signalled = handlerCall.signal.reason
      })
      try {
        for await (const _ of requests) yield { text: 'x' }
      } finally {
        left = true
      }
    } as never)
    stream.data(message({}))
    await turn()
    t.equal(stream.sent.length, 2)
    stream.listener.onClose()
    await turn()
    t.match(signalled, { code: 1 })
    t.equal(left, true)
    t.equal(call.cancelled, true)
    t.equal(stream.sent.length, 2)
    t.equal(host.over, 1)
    t.same(host.thrown, [])
    t.equal(call.code, 1)
  })
  t.test('a signal that is read later is aborted already', async (t) => {
    let call: HandlerCall | undefined
    const { stream } = start(methods.one, (_request: never, handlerCall) => {
      call = handlerCall
      return new Promise(() => {})
    })
    ask(stream)
    stream.listener.onClose()
    t.equal(call?.signal.aborted, true)
  })
  t.test('what a handler returns or throws after it goes nowhere', async (t) => {
    for (const end of ['resolve', 'reject'] as const) {
      let settle: (() => void) | undefined
      const { stream, host } = start(
        methods.one,
        () =>
          new Promise((resolve, reject) => {
            settle = () => (end === 'resolve' ? resolve({ text: 'late' }) : reject(new Error('late')))
          }),
      )
      ask(stream)
      stream.listener.onClose()
      settle?.()
      await turn()
      t.same(stream.sent, [])
      t.equal(host.over, 1)
    }
  })
})

t.test('deadline: the server answers by itself and tells the handler', async (t) => {
  let reason: unknown
  const { stream, call } = start(
    methods.one,
    (_request: never, handlerCall) => {
      t.ok(handlerCall.deadline instanceof Date)
      handlerCall.signal.addEventListener('abort', () => {
        reason = handlerCall.signal.reason
      })
      return new Promise(() => {})
    },
    5,
  )
  ask(stream)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.same(stream.sent, [
    { headers: [...RESPONSE, 'grpc-status', '4', 'grpc-message', 'Deadline exceeded'], endStream: true },
  ])
  t.match(reason, { code: 4 })
  t.equal(call.code, 4)
})

t.test('deadline behind a stalled message: the stream is reset', async (t) => {
  const { stream } = start(
    methods.many,
    async function* () {
      for (;;) yield { text: 'x' }
    },
    5,
  )
  stream.room = false
  ask(stream)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.same(stream.sent.at(-1), { reset: 8 })
})

t.test('a deadline of 0 has passed', async (t) => {
  const { stream } = start(methods.one, () => new Promise(() => {}), 0)
  ask(stream)
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.match(stream.sent[0], { headers: [...RESPONSE, 'grpc-status', '4'] })
})

t.test('a handler that answers before it has read everything', async (t) => {
  const { stream, host } = start(methods.gather, async (requests: AsyncIterable<unknown>) => {
    for await (const _ of requests) break
    return { text: 'enough' }
  })
  const one = message({})
  stream.data(Buffer.concat([one, one, one]))
  await turn()
  t.same(stream.sent.slice(2), [{ trailers: ['grpc-status', '0'] }, { reset: 0 }])
  t.equal(stream.consumedOctets, one.length * 3, 'the credit of what is dropped is given back')
  stream.data(one)
  t.equal(stream.consumedOctets, one.length * 4)
  t.equal(host.over, 1)
})

t.test('terminate ends a running call from the server', async (t) => {
  const { stream, call } = start(methods.one, () => new Promise(() => {}))
  ask(stream)
  call.terminate(14, 'The server is shutting down')
  call.terminate(14, 'again')
  t.equal(stream.sent.length, 1)
  t.equal(call.signal.aborted, true)
})
