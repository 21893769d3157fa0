/** What raw peers send, frame by frame: legal oddities are understood, illegal ones end in order and leave nothing open. */
import type net from 'node:net'
import type { Test } from 'tap'
import type { ConnectOptions } from '../../../src/http2/transport.ts'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import { openSockets } from '../../support/descriptors.ts'
import {
  dataFrame,
  frame,
  goawayFrame,
  greetAsServer,
  headersFrame,
  PREFACE,
  type RawPeer,
  RawServer,
  REQUEST_FIELDS,
  rawClient,
  rstFrame,
  settingsFrame,
  Type,
  u32,
} from '../../support/raw-http2.ts'
import {
  addressOf,
  type Engines,
  request,
  response,
  StreamRecorder,
  settle,
  startClient,
  startServer,
} from './harness.ts'

/** Short, so that the tests are: how long a broken session may stay unnoticed. */
const WATCHDOG_MS = 50

const BROKEN: [string, Buffer][] = [
  ['WINDOW_UPDATE of length 0 (RFC 9113 §6.9)', frame(Type.WINDOW_UPDATE, 0, 0)],
  ['DATA on an idle stream (RFC 9113 §5.1)', dataFrame(99, false, 'x')],
  [
    'an invalid HPACK index (RFC 7541 §2.3.3)',
    frame(Type.HEADERS, 0x5, 1, Buffer.from([0xff, 0xff, 0xff, 0x7f])),
  ],
  ['PING of length 4 (RFC 9113 §6.7)', frame(Type.PING, 0, 0, Buffer.alloc(4))],
  ['SETTINGS of length 5 (RFC 9113 §6.5)', frame(Type.SETTINGS, 0, 0, Buffer.alloc(5))],
  [
    'a frame larger than SETTINGS_MAX_FRAME_SIZE (RFC 9113 §4.2)',
    frame(Type.DATA, 0, 1, Buffer.alloc(20_000)),
  ],
  ['RST_STREAM on an idle stream (RFC 9113 §6.4)', rstFrame(99, 8)],
  ['WINDOW_UPDATE beyond 2^31-1 (RFC 9113 §6.9.1)', frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fffffff))],
]

async function rawServerPair(
  t: Test,
  engines: Engines,
  options: ConnectOptions = {},
  settings: [number, number][] = [],
) {
  const raw = await RawServer.start((peer) => void greetAsServer(peer, ...settings))
  t.teardown(() => raw.close())
  const client = startClient(t, engines.client, raw.address, options)
  await client.heard.until(() => client.heard.opened)
  const peer = raw.peers[0] as RawPeer
  const open = (endStream = true) => {
    const heard = new StreamRecorder()
    const stream = client.connection.open(heard)
    heard.stream = stream
    stream.sendHeaders(request(), endStream)
    return { heard, stream }
  }
  return { raw, peer, open, ...client }
}

export async function frames(t: Test, engines: Engines): Promise<void> {
  for (const [name, octets] of BROKEN) {
    await t.test(`server: ${name} ends the connection, with open streams and without`, async (t) => {
      const { server, heard } = await startServer(t, engines.server, { watchdogIntervalMs: WATCHDOG_MS })
      for (const withStream of [false, true]) {
        const peer = await rawClient(addressOf(server) as { host: string; port: number })
        const index = heard.connections.length - 1
        const connection = await heard.connection(index)
        if (withStream) {
          peer.write(headersFrame(1, false, ...REQUEST_FIELDS))
          await connection.request()
        }
        peer.write(octets)
        await peer.gone()
        await connection.closing()
        t.match(connection.error, { name: 'ConnectionError', phase: 'open' })
        if (withStream) t.match(connection.requests[0]?.heard.error, { name: 'ConnectionError' })
        t.ok(
          peer.frames.some((f) => f.type === Type.GOAWAY && f.payload.readUInt32BE(4) !== ErrorCode.NO_ERROR),
          'GOAWAY names an error (RFC 9113 §5.4.1)',
        )
        peer.socket.destroy()
      }
      t.equal(server.connections.size, 0)
    })

    await t.test(`client: ${name} ends the connection and every stream on it`, async (t) => {
      const { peer, open, heard } = await rawServerPair(t, engines, { watchdogIntervalMs: WATCHDOG_MS })
      const pending = open()
      await peer.frame(Type.HEADERS)
      peer.write(octets)
      await pending.heard.closing()
      t.match(pending.heard.error, { name: 'ConnectionError' })
      await heard.closing()
      t.match(heard.error, { name: 'ConnectionError', phase: 'open' })
      await peer.gone()
    })
  }

  await t.test('server: 500 broken connections leave no descriptor behind', async (t) => {
    const { server, heard } = await startServer(t, engines.server, { watchdogIntervalMs: WATCHDOG_MS })
    const before = openSockets()
    for (let batch = 0; batch < 10; batch++) {
      const peers = await Promise.all(
        Array.from({ length: 50 }, () => rawClient(addressOf(server) as { host: string; port: number })),
      )
      peers.forEach((peer, i) => {
        if (i % 3 === 0) peer.write(headersFrame(1, false, ...REQUEST_FIELDS))
        peer.write((BROKEN[i % BROKEN.length] as [string, Buffer])[1])
      })
      await Promise.all(peers.map((peer) => peer.gone()))
      for (const peer of peers) peer.socket.destroy()
    }
    await Promise.all(heard.connections.map((connection) => connection.closing()))
    await settle()
    t.equal(heard.connections.length, 500)
    t.equal(server.connections.size, 0)
    t.equal(openSockets(), before)
  })

  await t.test('client: 100 broken connections leave no descriptor behind', async (t) => {
    const raw = await RawServer.start((peer) => void greetAsServer(peer))
    t.teardown(() => raw.close())
    const before = openSockets()
    for (let i = 0; i < 100; i++) {
      const client = startClient(t, engines.client, raw.address, { watchdogIntervalMs: 10 })
      await client.heard.until(() => client.heard.opened)
      const peer = raw.peers[i] as RawPeer
      peer.write((BROKEN[i % BROKEN.length] as [string, Buffer])[1])
      await client.heard.closing()
      await peer.gone()
      peer.socket.destroy()
    }
    await settle()
    t.equal(openSockets(), before)
  })

  await t.test('server: a socket that is reset in the middle of everything', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    peer.write(headersFrame(1, false, ...REQUEST_FIELDS))
    const connection = await heard.connection()
    const { stream, heard: streamHeard } = await connection.request()
    stream.sendHeaders(response(), false)
    stream.sendData(Buffer.alloc(1 << 20), false)
    ;(peer.socket as net.Socket).resetAndDestroy()
    await connection.closing()
    t.match(connection.error, { name: 'ConnectionError', initiator: 'peer' })
    t.match(streamHeard.error, { name: 'ConnectionError' })
  })

  await t.test('server: a connection that closes in order, streams open', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    peer.write(headersFrame(1, true, ...REQUEST_FIELDS))
    const connection = await heard.connection()
    const { heard: streamHeard } = await connection.request()
    peer.socket.end()
    await connection.closing()
    t.match(streamHeard.error, { name: 'ConnectionError' })
    t.equal(server.connections.size, 0)
  })

  for (const [code, unprocessed] of [
    [ErrorCode.NO_ERROR, false],
    [ErrorCode.CANCEL, false],
    [ErrorCode.INTERNAL_ERROR, false],
    [ErrorCode.REFUSED_STREAM, true],
    [0x7f, false],
  ] as const) {
    await t.test(`client: RST_STREAM with code ${code} before the response ended`, async (t) => {
      const { peer, open, connection } = await rawServerPair(t, engines)
      for (const [id, started] of [
        [1, false],
        [3, true],
      ] as const) {
        const { heard } = open(id === 1)
        await peer.frame(Type.HEADERS, id)
        if (started) peer.write(headersFrame(id, false, ':status', '200'), dataFrame(id, false, 'half'))
        peer.write(rstFrame(id, code))
        await heard.closing()
        t.match(heard.error, { name: 'StreamError', code, initiator: 'peer', unprocessed, streamId: id })
        t.notOk(heard.calls.includes('end'))
      }
      t.equal(connection.state, 'open')
    })
  }

  await t.test(
    'client: RST_STREAM(NO_ERROR) after a complete response is no error (RFC 9113 §8.1)',
    async (t) => {
      const { peer, open } = await rawServerPair(t, engines)
      const { heard } = open(false)
      await peer.frame(Type.HEADERS, 1)
      peer.write(
        headersFrame(1, false, ':status', '200'),
        dataFrame(1, false, 'all'),
        headersFrame(1, true, 'grpc-status', '0'),
        rstFrame(1, ErrorCode.NO_ERROR),
      )
      await heard.closing()
      t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
      t.equal(heard.error, undefined)
    },
  )

  await t.test('server: RST_STREAM of the client, also with NO_ERROR, is told with its code', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    const connection = await heard.connection()
    let id = 1
    for (const code of [ErrorCode.NO_ERROR, ErrorCode.CANCEL, ErrorCode.PROTOCOL_ERROR]) {
      for (const ended of [false, true]) {
        peer.write(headersFrame(id, ended, ...REQUEST_FIELDS))
        const incoming = await connection.request((id - 1) / 2)
        peer.write(rstFrame(id, code))
        await incoming.heard.closing()
        t.match(incoming.heard.error, { name: 'StreamError', code, initiator: 'peer', streamId: id })
        t.equal(incoming.heard.calls.includes('end'), ended)
        id += 2
      }
    }
    peer.socket.destroy()
    await connection.closing()
  })

  await t.test('server: requests that are reset in the same breath are told and forgotten', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number })
    const connection = await heard.connection()
    const ids = Array.from({ length: 200 }, (_, i) => 2 * i + 1)
    peer.write(
      ...ids.flatMap((id) => [
        headersFrame(id, false, ...REQUEST_FIELDS),
        dataFrame(id, false, 'x'),
        rstFrame(id, ErrorCode.CANCEL),
      ]),
    )
    await connection.request(199)
    for (const request of connection.requests) await request.heard.closing()
    t.ok(connection.requests.every(({ heard }) => !heard.calls.includes('end')))
    t.match(connection.requests[199]?.heard.error, { code: ErrorCode.CANCEL, initiator: 'peer' })
    t.equal(connection.connection?.openStreams, 0)
    peer.socket.destroy()
    await connection.closing()
  })

  await t.test('server: after an early response the end of the request is still told exactly', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    heard.onRequest = ({ stream }) => stream.sendHeaders([':status', '200'], true)
    for (const end of ['with the request', 'later', 'by reset', 'by the connection'] as const) {
      const peer = await rawClient(addressOf(server) as { host: string; port: number })
      const connection = await heard.connection(heard.connections.length - 1)
      const whole = end === 'with the request'
      peer.write(headersFrame(1, false, ...REQUEST_FIELDS), dataFrame(1, whole, 'all'))
      const { heard: stream } = await connection.request()
      await peer.frame(Type.HEADERS, 1)
      if (end === 'later') peer.write(dataFrame(1, true, 'x'))
      else if (end === 'by reset') peer.write(rstFrame(1, ErrorCode.NO_ERROR))
      else if (end === 'by the connection') peer.socket.end()
      await stream.closing()
      t.equal(stream.calls.includes('end'), whole || end === 'later', end)
      t.equal(stream.error === undefined, whole || end === 'later', end)
      peer.socket.destroy()
      await connection.closing()
    }
  })

  await t.test('server: requests that arrive in one piece with the preface', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number }, false)
    peer.write(
      PREFACE,
      settingsFrame(),
      headersFrame(1, false, ...REQUEST_FIELDS),
      dataFrame(1, false, 'in two '),
      dataFrame(1, true, 'frames'),
      headersFrame(3, false, ...REQUEST_FIELDS),
      dataFrame(3, true, ''),
      headersFrame(5, true, ...REQUEST_FIELDS),
      headersFrame(7, false, ...REQUEST_FIELDS),
      dataFrame(7, false, 'with trailers'),
      headersFrame(7, true, 'x-checksum', '1'),
      headersFrame(9, false, ...REQUEST_FIELDS),
      dataFrame(9, false, 'reset'),
      rstFrame(9, ErrorCode.CANCEL),
    )
    const connection = await heard.connection()
    await connection.request(4)
    const [first, second, third, fourth, fifth] = connection.requests.map((request) => request.heard)
    await Promise.all([first, second, third, fourth].map((heard) => heard?.called('end')))
    t.equal(first?.text, 'in two frames')
    t.strictSame(second?.calls, ['end'])
    t.strictSame(third?.calls, ['end'])
    t.strictSame(fourth?.calls, ['data', 'trailers', 'end'])
    t.equal(fourth?.text, 'with trailers')
    await fifth?.closing()
    t.match(fifth?.error, { code: ErrorCode.CANCEL, initiator: 'peer' })
    t.equal(fifth?.calls.includes('end'), false)
    for (const { stream } of connection.requests) stream.sendHeaders([':status', '200'], true)
    for (const heard of [first, second, third, fourth]) t.equal((await heard?.closing())?.error, undefined)
    peer.socket.destroy()
    await connection.closing()
  })

  await t.test('client: a peer that has stopped reading holds up neither a reset nor the end', async (t) => {
    const raw = await RawServer.start((peer) => {
      peer.write(settingsFrame([4, 0x7fffffff]), frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65535)))
    })
    t.teardown(() => raw.close())
    const { connection, heard } = startClient(t, engines.client, raw.address)
    await heard.until(() => heard.opened)
    const stream = new StreamRecorder()
    const opened = connection.open(stream)
    opened.sendHeaders(request(), false)
    await raw.peers[0]?.frame(Type.HEADERS)
    raw.peers[0]?.socket.pause()
    // more than all socket buffers on the way
    opened.sendData(Buffer.alloc(32 << 20), false)
    await settle()
    opened.reset(ErrorCode.CANCEL)
    await stream.closing()
    t.match(stream.error, { code: ErrorCode.CANCEL, initiator: 'local' })
    connection.destroy()
    await heard.closing()
    t.equal(heard.error, undefined)
  })

  await t.test(
    'client: GOAWAY ends the streams above its last one as unprocessed, the others go on (RFC 9113 §6.8)',
    async (t) => {
      const { peer, open, connection, heard } = await rawServerPair(t, engines)
      const first = open()
      const second = open()
      const third = open()
      await peer.frame(Type.HEADERS, 5)
      peer.write(goawayFrame(1, ErrorCode.NO_ERROR, 'maintenance'))
      await second.heard.closing()
      await third.heard.closing()
      for (const { heard } of [second, third]) t.match(heard.error, { unprocessed: true })
      t.strictSame(heard.goaway, { lastStreamId: 1, code: ErrorCode.NO_ERROR, debugData: 'maintenance' })
      t.equal(connection.state, 'draining')
      t.equal(first.heard.closed, false)
      peer.write(
        headersFrame(1, false, ':status', '200'),
        dataFrame(1, false, 'x'),
        headersFrame(1, true, 'grpc-status', '0'),
      )
      await first.heard.closing()
      t.equal(first.heard.error, undefined)
      await heard.closing()
      t.equal(heard.error, undefined)
      await peer.gone()
    },
  )

  await t.test('client: GOAWAY with an error names its code and debug data', async (t) => {
    const { peer, open, heard } = await rawServerPair(t, engines)
    const first = open()
    const second = open()
    await peer.frame(Type.HEADERS, 3)
    peer.write(goawayFrame(1, ErrorCode.ENHANCE_YOUR_CALM, 'too_many_pings'))
    peer.socket.end()
    await heard.closing()
    t.match(heard.error, {
      name: 'ConnectionError',
      code: ErrorCode.ENHANCE_YOUR_CALM,
      debugData: 'too_many_pings',
      initiator: 'peer',
    })
    t.match(first.heard.error, { code: ErrorCode.ENHANCE_YOUR_CALM, unprocessed: false })
    t.match(second.heard.error, { code: ErrorCode.ENHANCE_YOUR_CALM, unprocessed: true })
  })

  await t.test('client: informational responses are not told (RFC 9110 §15.2)', async (t) => {
    const { peer, open } = await rawServerPair(t, engines)
    const { heard } = open()
    await peer.frame(Type.HEADERS, 1)
    peer.write(
      headersFrame(1, false, ':status', '100'),
      headersFrame(1, false, ':status', '103', 'link', '</x>'),
      headersFrame(1, false, ':status', '200'),
      dataFrame(1, true, 'x'),
    )
    await heard.closing()
    t.strictSame(heard.calls, ['headers', 'data', 'end', 'close'])
    t.strictSame(heard.headers, [':status', '200'])
  })

  await t.test(
    'client: a response that is whole is delivered although the connection closes behind it',
    async (t) => {
      const { peer, open } = await rawServerPair(t, engines, { streamWindowOctets: 65535 })
      const { heard } = open()
      heard.hold = true
      await peer.frame(Type.HEADERS, 1)
      peer.write(
        headersFrame(1, false, ':status', '200'),
        ...Array.from({ length: 4 }, () => dataFrame(1, false, Buffer.alloc(16_000))),
        headersFrame(1, true, 'grpc-status', '0'),
      )
      peer.socket.end()
      await heard.closing()
      t.equal(heard.sizeOctets, 64_000)
      t.strictSame(heard.trailers, ['grpc-status', '0'])
      t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
      t.equal(heard.error, undefined)
    },
  )

  await t.test('client: a response cut off by the end of the connection is an error', async (t) => {
    const { peer, open } = await rawServerPair(t, engines)
    const { heard } = open()
    await peer.frame(Type.HEADERS, 1)
    peer.write(headersFrame(1, false, ':status', '200'), dataFrame(1, false, 'half'))
    await heard.called('data')
    peer.socket.end()
    await heard.closing()
    t.strictSame(heard.calls, ['headers', 'data', 'close'])
    t.match(heard.error, { name: 'ConnectionError', unprocessed: false })
  })

  await t.test(
    'padding, unknown frames, PRIORITY and unknown settings are read over (RFC 9113 §4.1, §5.5, §6.1)',
    async (t) => {
      const { peer, open } = await rawServerPair(t, engines)
      const { heard } = open()
      await peer.frame(Type.HEADERS, 1)
      peer.write(
        frame(0xbb, 0xff, 1, Buffer.alloc(77)),
        settingsFrame([0x4242, 42]),
        headersFrame(1, false, ':status', '200'),
        frame(Type.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 0, 15])),
        frame(Type.DATA, 0x8, 1, Buffer.concat([Buffer.from([5]), Buffer.from('padded'), Buffer.alloc(5)])),
        frame(Type.DATA, 0x8, 1, Buffer.concat([Buffer.from([9]), Buffer.alloc(9)])),
        dataFrame(1, true, ''),
      )
      await heard.closing()
      t.equal(heard.text, 'padded')
      t.strictSame(heard.calls, ['headers', 'data', 'end', 'close'])
    },
  )

  await t.test(
    'client: a limit of streams that the server lowers and raises is obeyed (RFC 9113 §6.5.2)',
    async (t) => {
      const { peer, open, heard } = await rawServerPair(t, engines, {}, [[3, 1]])
      open()
      open()
      open()
      await peer.frame(Type.HEADERS, 1)
      await settle()
      const headers = () => peer.frames.filter((f) => f.type === Type.HEADERS).length
      t.equal(headers(), 1)
      peer.write(settingsFrame([3, 2]))
      await peer.frame(Type.HEADERS, 3)
      await settle()
      t.equal(headers(), 2)
      peer.write(rstFrame(1, ErrorCode.CANCEL))
      await peer.frame(Type.HEADERS, 5)
      t.strictSame(heard.calls.filter((call) => call === 'settings').length, 2, 'each SETTINGS is told')
    },
  )

  await t.test('destroy with a reason writes it into GOAWAY (RFC 9113 §6.8)', async (t) => {
    const { peer, connection } = await rawServerPair(t, engines)
    connection.destroy(ErrorCode.ENHANCE_YOUR_CALM, 'no thanks')
    const goaway = await peer.frame(Type.GOAWAY)
    t.equal(goaway.payload.readUInt32BE(4), ErrorCode.ENHANCE_YOUR_CALM)
    t.equal(goaway.payload.subarray(8).toString(), 'no thanks')
    await peer.gone()
  })

  await t.test('a peer that never closes its side does not keep a socket alive', async (t) => {
    const raw = await RawServer.start((peer) => void greetAsServer(peer))
    t.teardown(() => raw.close())
    raw.server.removeAllListeners('connection')
    const half = await import('node:net').then(({ createServer }) => createServer({ allowHalfOpen: true }))
    const peers: net.Socket[] = []
    half.on('connection', (socket) => {
      peers.push(socket)
      socket.on('error', () => {})
      socket.resume()
      socket.write(settingsFrame())
    })
    await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve))
    const { port } = half.address() as net.AddressInfo
    const { connection, heard } = startClient(t, engines.client, { host: '127.0.0.1', port })
    await heard.until(() => heard.opened)
    connection.close()
    await heard.closing()
    t.equal(heard.error, undefined)
    for (const socket of peers) socket.destroy()
    await new Promise((resolve) => half.close(resolve))
  })
}
