/** Peers that speak something else, or nothing: each failure names phase, address and cause. */
import http from 'node:http'
import type net from 'node:net'
import type { Test } from 'tap'
import { RawServer, rawClient } from '../../support/raw-http2.ts'
import { addressOf, type Engines, request, StreamRecorder, startClient, startServer } from './harness.ts'

/** What a server says that is no HTTP/2 server, and what the client's error must say. */
const SERVERS: [string, (socket: net.Socket) => void, RegExp][] = [
  [
    'an HTTP/1.1 server',
    (socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
    /answered in HTTP\/1\.1: `HTTP\/1\.1 400 Bad Request`/,
  ],
  [
    'an HTTP/1.1 server that keeps the connection',
    (socket) => socket.once('data', () => socket.write('HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n')),
    /`HTTP\/1\.1 505 HTTP Version Not Supported`/,
  ],
  [
    'a server that answers HTML',
    (socket) => socket.write('<html><body>Hello, visitor</body></html>'),
    /HTML.*<html>/,
  ],
  [
    'a server that greets in text',
    (socket) => socket.write('220 mail.example ESMTP ready\r\n'),
    /`220 mail\.example ESMTP ready`/,
  ],
  ['a server that sends octets', (socket) => socket.write(Buffer.alloc(64, 0xee)), /no HTTP\/2: eeeeee/],
  ['a server that closes at once', (socket) => socket.end(), /closed/],
]

/** What a client says that is no HTTP/2 client, and what the server's failure must say. */
const CLIENTS: [string, string | Buffer, RegExp][] = [
  ['an HTTP/1.1 client', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /HTTP\/1\.1 request \(`GET \/ HTTP\/1\.1`\)/],
  ['a TLS client', Buffer.from('160301020001000001fc0303', 'hex'), /speaks TLS.*plaintext/],
  ['garbage', Buffer.alloc(64, 0xee), /no HTTP\/2: eeeeee/],
  ['a preface that goes wrong at its end', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rX', /PRI \* HTTP\/2\.0/],
  ['a single wrong octet', 'Q', /no HTTP\/2: 51/],
]

export async function peers(t: Test, engines: Engines): Promise<void> {
  for (const [name, onSocket, says] of SERVERS) {
    await t.test(`client: ${name}`, async (t) => {
      const raw = await RawServer.start((_, socket) => onSocket(socket))
      t.teardown(() => raw.close())
      const { connection, heard } = startClient(t, engines.client, raw.address, { handshakeTimeoutMs: 5000 })
      const stream = new StreamRecorder()
      connection.open(stream).sendHeaders(request(), true)
      await heard.closing()
      t.match(heard.error, {
        name: 'ConnectionError',
        phase: 'settings',
        address: `127.0.0.1:${raw.address.port}`,
      })
      t.match(heard.error?.message, says)
      t.match(heard.error?.message, `127.0.0.1:${raw.address.port}`)
      t.equal(heard.opened, false)
      t.match(stream.error, { name: 'ConnectionError', phase: 'settings' })
    })
  }

  await t.test("client: Node's own HTTP/1.1 server", async (t) => {
    const server = http.createServer((_, response) => response.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as net.AddressInfo
    const { heard } = startClient(t, engines.client, { host: '127.0.0.1', port })
    await heard.closing()
    t.match(heard.error?.message, /answered in HTTP\/1\.1/)
  })

  await t.test('client: a port that accepts and stays silent ends after handshakeTimeoutMs', async (t) => {
    const raw = await RawServer.start(() => {})
    t.teardown(() => raw.close())
    const { heard } = startClient(t, engines.client, raw.address, { handshakeTimeoutMs: 150 })
    await heard.closing()
    t.match(heard.error, { name: 'ConnectionError', phase: 'settings' })
    t.match(heard.error?.message, /150 ms.*silent/)
    await raw.peers[0]?.gone()
  })

  await t.test('client: a port that resets', async (t) => {
    const raw = await RawServer.start((_, socket) => socket.once('data', () => socket.resetAndDestroy()))
    t.teardown(() => raw.close())
    const { heard } = startClient(t, engines.client, raw.address)
    await heard.closing()
    t.match(heard.error, { name: 'ConnectionError', phase: 'settings' })
    t.match(heard.error?.message, /reset|closed/)
  })

  await t.test('client: a host name that does not exist', async (t) => {
    const { heard } = startClient(t, engines.client, { host: 'no-such-host.invalid', port: 1 })
    await heard.closing()
    t.match(heard.error, { name: 'ConnectionError', phase: 'connect', address: 'no-such-host.invalid:1' })
    t.match(heard.error?.message, /host name/)
  })

  for (const [name, octets, says] of CLIENTS) {
    await t.test(`server: ${name}`, async (t) => {
      const { server, heard } = await startServer(t, engines.server)
      const peer = await rawClient(addressOf(server) as { host: string; port: number }, false)
      peer.socket.write(octets)
      const failure = await heard.failure()
      t.match(failure, { name: 'ConnectionError', phase: 'settings', initiator: 'peer' })
      t.match(failure.message, says)
      t.match(failure.message, /127\.0\.0\.1:\d+/)
      await peer.gone()
      await heard.connections[0]?.closing()
      t.match(heard.connections[0]?.calls, ['close'])
      t.equal(server.connections.size, 0)
    })
  }

  await t.test('server: a client that says nothing is closed after handshakeTimeoutMs', async (t) => {
    const { server, heard } = await startServer(t, engines.server, { handshakeTimeoutMs: 100 })
    const peer = await rawClient(addressOf(server) as { host: string; port: number }, false)
    peer.socket.write('PRI * HTT')
    const failure = await heard.failure()
    t.match(failure, { phase: 'settings' })
    t.match(failure.message, /100 ms/)
    await peer.gone()
  })

  await t.test('server: a client that closes at once, or resets', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const polite = await rawClient(addressOf(server) as { host: string; port: number }, false)
    polite.socket.end()
    t.match(await heard.failure(0), { phase: 'settings' })
    const rude = await rawClient(addressOf(server) as { host: string; port: number }, false)
    ;(rude.socket as net.Socket).resetAndDestroy()
    t.match(await heard.failure(1), { phase: 'settings' })
    await Promise.all(heard.connections.map((connection) => connection.closing()))
    t.equal(server.connections.size, 0)
  })

  await t.test('server: a preface in single octets is one', async (t) => {
    const { server, heard } = await startServer(t, engines.server)
    const peer = await rawClient(addressOf(server) as { host: string; port: number }, false)
    ;(peer.socket as net.Socket).setNoDelay(true)
    for (const octet of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')) {
      peer.socket.write(Buffer.from([octet]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const connection = await heard.connection()
    await connection.until(() => connection.opened)
    t.equal(heard.failures.length, 0)
    peer.socket.destroy()
    await connection.closing()
  })
}
