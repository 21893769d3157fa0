/** The pure engine on real sockets: how they end, back-pressure, fairness, and what stays behind. */
import { readdirSync } from 'node:fs'
import net from 'node:net'
import { Duplex } from 'node:stream'
import t from 'tap'
import { pureEngine } from '../../../src/http2/index.ts'
import {
  frame,
  headersFrame,
  PREFACE,
  REQUEST_FIELDS,
  rawClient,
  settingsFrame,
  Type,
  u32,
} from '../../support/raw-http2.ts'
import {
  addressOf,
  ConnectionRecorder,
  Pair,
  request,
  response,
  ServerRecorder,
  settle,
  startClient,
  startServer,
} from '../contract/harness.ts'

const engines = { client: pureEngine, server: pureEngine }
const descriptors = () => readdirSync('/proc/self/fd').length

t.test('a client that ends its side: its streams are cancelled, and the socket is gone', async (t) => {
  const { server, heard } = await startServer(t, pureEngine)
  const peer = await rawClient(addressOf(server) as { host: string; port: number })
  peer.write(headersFrame(1, true, ...REQUEST_FIELDS))
  const connection = await heard.connection()
  const { heard: stream } = await connection.request()
  peer.socket.end()
  await connection.closing()
  t.match(stream.error, { name: 'ConnectionError', initiator: 'peer', message: /closed the connection/ })
  t.equal(server.connections.size, 0)
})

t.test('a socket that is reset', async (t) => {
  const { server, heard } = await startServer(t, pureEngine)
  const peer = await rawClient(addressOf(server) as { host: string; port: number })
  peer.write(headersFrame(1, true, ...REQUEST_FIELDS))
  const connection = await heard.connection()
  const { heard: stream } = await connection.request()
  ;(peer.socket as net.Socket).resetAndDestroy()
  await connection.closing()
  t.match(stream.error, { message: /reset the connection/, initiator: 'peer' })
  t.match(connection.error, { phase: 'open', cause: { code: 'ECONNRESET' } })
})

t.test('resets of every kind leave no descriptor and no stream, 200 times', async (t) => {
  const { server, heard } = await startServer(t, pureEngine)
  const before = descriptors()
  for (let n = 0; n < 200; n++) {
    const peer = await rawClient(addressOf(server) as { host: string; port: number }, false)
    const octets = Buffer.concat([PREFACE, settingsFrame(), headersFrame(1, false, ...REQUEST_FIELDS)])
    peer.write(octets.subarray(0, (n * 7) % octets.length))
    if (n % 3 === 0) peer.socket.end()
    else if (n % 3 === 1) (peer.socket as net.Socket).resetAndDestroy()
    else peer.socket.destroy()
    await heard.until(() => heard.connections.length === n + 1)
    await heard.connections[n]!.closing()
    peer.socket.destroy()
  }
  await settle()
  t.equal(server.connections.size, 0)
  t.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`)
})

t.test('what the peer still sends after our GOAWAY does not hide it', async (t) => {
  const { server, heard } = await startServer(t, pureEngine)
  const peer = await rawClient(addressOf(server) as { host: string; port: number })
  peer.write(frame(Type.WINDOW_UPDATE, 0, 0, Buffer.alloc(3)), Buffer.alloc(500_000))
  const { payload } = await peer.frame(Type.GOAWAY)
  t.equal(payload.readUInt32BE(4), 6)
  await peer.gone()
  peer.socket.destroy()
  await (await heard.connection()).closing()
})

t.test('a peer that never closes is left after the linger time', async (t) => {
  const { server, heard } = await startServer(t, pureEngine, { lingerTimeoutMs: 50 } as object)
  const socket = net.connect({
    ...(addressOf(server) as { host: string; port: number }),
    allowHalfOpen: true,
  })
  socket.on('error', () => {})
  socket.resume()
  socket.write(Buffer.concat([PREFACE, frame(Type.PING, 0, 0)]))
  const connection = await heard.connection()
  await connection.closing()
  t.match(connection.error, { name: 'ConnectionError' })
  t.equal(server.connections.size, 0)
  socket.destroy()
})

t.test('large messages both ways, byte for byte', async (t) => {
  const pair = await Pair.start(t, engines, {
    onRequest: ({ stream, heard }) => {
      stream.sendHeaders(response(), false)
      void heard.called('end').then(() => stream.sendData(heard.body, true))
    },
  })
  const body = Buffer.alloc(9_000_000)
  for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2654435761) >>> 0, at)
  const { stream, heard } = pair.open()
  stream.sendHeaders(request(), false)
  stream.sendData(body.subarray(0, 5_000_000), false)
  stream.sendData(body.subarray(5_000_000), true)
  await heard.closing()
  t.equal(heard.error, undefined)
  t.ok(heard.body.equals(body))
})

t.test('a stream of 256 MiB does not hold up small calls on the same connection', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, 7)
  const total = 256
  const pair = await Pair.start(t, engines, {
    onRequest: ({ stream, heard, fields }) => {
      stream.sendHeaders(response(), false)
      if (!fields.includes('x-big')) {
        stream.sendTrailers(['grpc-status', '0'])
        return
      }
      let sent = 0
      const send = () => {
        while (sent < total) {
          sent++
          if (!stream.sendData(chunk, sent === total)) return
        }
      }
      heard.onDrain = send
      send()
    },
  })
  let received = 0
  let ended = false
  const big = pair.client.open({
    onHeaders() {},
    onData(_chunk, start, end) {
      received += end - start
      big.consume(end - start)
    },
    onTrailers() {},
    onEnd() {},
    onDrain() {},
    onClose() {
      ended = true
    },
  })
  big.sendHeaders(request('x-big', '1'), true)
  let small = 0
  while (!ended) {
    const { stream, heard } = pair.open()
    const before = received
    stream.sendHeaders(request(), true)
    await heard.closing()
    if (heard.error !== undefined) t.fail(heard.error.message)
    // what is under way in sockets is not ours to overtake: some megabytes on loopback
    if (!ended && received - before > 64 * 1024 * 1024) t.fail(`${received - before} octets went first`)
    small++
  }
  t.equal(received, total * chunk.length)
  t.ok(small > 10, `${small} small calls meanwhile`)
})

t.test('a peer that does not read: what a stream queues is bounded by what it was told', async (t) => {
  const { server, heard } = await startServer(t, pureEngine)
  const peer = await rawClient(addressOf(server) as { host: string; port: number })
  peer.socket.pause()
  let accepted = 0
  heard.onRequest = ({ stream }) => {
    stream.sendHeaders(response(), false)
    // a polite application stops when it is told to
    const send = () => {
      while (stream.sendData(Buffer.alloc(16_384), false)) accepted += 16_384
      accepted += 16_384
    }
    send()
  }
  peer.write(frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65535)))
  for (let n = 0; n < 100; n++) peer.write(headersFrame(2 * n + 1, true, ...REQUEST_FIELDS))
  const connection = await heard.connection()
  await connection.until(() => connection.requests.length === 100)
  t.ok(accepted / 100 <= 65_536 + 2 * 16_384, `${accepted / 100} octets a stream`)
  peer.socket.destroy()
  await connection.closing()
})

t.test('a thousand streams on one connection, all at once', async (t) => {
  const pair = await Pair.start(t, engines, {
    server: { maxConcurrentStreams: 2000 },
    onRequest: ({ stream, fields }) => stream.sendHeaders(response('x-n', String(fields.at(-1))), true),
  })
  const calls = Array.from({ length: 1000 }, (_, n) => {
    const call = pair.open()
    call.stream.sendHeaders(request('x-n', String(n)), true)
    return call
  })
  for (const [n, { heard }] of calls.entries()) {
    await heard.closing()
    if (heard.headers.at(-1) !== String(n)) t.fail(`${n}: ${heard.headers}`)
  }
  t.equal(pair.client.openStreams, 0)
})

t.test('a Duplex of JavaScript, destroyed by its owner', async (t) => {
  const ends: Duplex[] = []
  for (let n = 0; n < 2; n++) {
    ends.push(
      new Duplex({
        read() {},
        write(chunk, _encoding, done) {
          ends[1 - n]!.push(Buffer.from(chunk))
          done()
        },
        final(done) {
          ends[1 - n]!.push(null)
          done()
        },
      }),
    )
  }
  const serverHeard = new ServerRecorder()
  const clientHeard = new ConnectionRecorder()
  pureEngine.acceptOn(ends[0]!, {}, serverHeard)
  const client = pureEngine.connectOn(ends[1]!, {}, clientHeard)
  await clientHeard.until(() => clientHeard.opened)
  t.equal(client.state, 'open')
  ends[1]!.destroy(new Error('by its owner'))
  await clientHeard.closing()
  t.match(clientHeard.error?.message, /by its owner/)
  ends[0]!.destroy()
  await serverHeard.connections[0]!.closing()
})

t.test('a Duplex that is destroyed already, and one that answers in something else', async (t) => {
  const dead = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done()
    },
  })
  dead.destroy()
  const heard = new ConnectionRecorder()
  pureEngine.connectOn(dead, {}, heard)
  await heard.closing()
  t.match(heard.error?.message, /destroyed/)
  const http1 = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const other = new ConnectionRecorder()
  pureEngine.connectOn(http1, {}, other)
  http1.push('HTTP/1.1 400 Bad Request\r\n\r\n')
  await other.closing()
  t.match(other.error?.message, /HTTP\/1.1 400 Bad Request/)
  http1.destroy()
})

t.test('ref and unref reach the socket, before and after TLS takes its place', async (t) => {
  const { server } = await startServer(t, pureEngine)
  const { connection, heard } = startClient(t, pureEngine, addressOf(server))
  connection.unref()
  connection.ref()
  await heard.until(() => heard.opened)
  connection.unref()
  connection.ref()
  t.equal(connection.state, 'open')
})

t.test('one write a turn: what the application sends in one turn leaves as one piece', async (t) => {
  const pieces: number[] = []
  const heard = new ConnectionRecorder()
  const end = new Duplex({
    read() {},
    writev(chunks, done) {
      pieces.push(chunks.length)
      done()
    },
    write(_chunk, _encoding, done) {
      pieces.push(1)
      done()
    },
  })
  const client = pureEngine.connectOn(end, {}, heard)
  await settle(3)
  end.push(settingsFrame())
  end.push(frame(Type.SETTINGS, 1, 0))
  await heard.until(() => heard.opened)
  await settle(3)
  const before = pieces.length
  for (let n = 0; n < 50; n++) {
    const stream = client.open({
      onHeaders() {},
      onData() {},
      onTrailers() {},
      onEnd() {},
      onDrain() {},
      onClose() {},
    })
    stream.sendHeaders(request(), false)
    stream.sendData(Buffer.alloc(100), true)
  }
  await settle(3)
  t.equal(pieces.length - before, 1)
  client.destroy()
  end.destroy()
  await heard.closing()
})
