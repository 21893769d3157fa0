/** TLS with ALPN, certificates of both sides, and what is said when it fails (RFC 9113 §3.2, §9.2). */

import net from 'node:net'
import { duplexPair } from 'node:stream'
import tls from 'node:tls'
import type { Test } from 'tap'
import { createAuthority } from '../../support/certificates.ts'
import {
  addressOf,
  ConnectionRecorder,
  type Engines,
  Pair,
  request,
  ServerRecorder,
  startClient,
  startServer,
} from './harness.ts'

export async function tlsContract(t: Test, engines: Engines): Promise<void> {
  const authority = await createAuthority('Contract Root')
  const server = await authority.issue('server.test')
  const client = await authority.issue('client.test')
  const { ca } = authority

  await t.test('TLS with ALPN h2: the peer is verified and described', async (t) => {
    const keylog: Uint8Array[] = []
    const pair = await Pair.start(t, engines, {
      server: { tls: server },
      client: { tls: { ca, onKeylog: (line) => keylog.push(line) } },
    })
    const { stream, heard, incoming } = await pair.exchange()
    stream.sendData(Buffer.alloc(200_000), true)
    await incoming.heard.called('end')
    t.equal(incoming.heard.sizeOctets, 200_000)
    incoming.stream.sendHeaders([':status', '200'], true)
    await heard.closing()
    t.equal(heard.error, undefined)
    t.match(pair.client.peer, { encrypted: true, authorized: true, alpnProtocol: 'h2' })
    t.equal(pair.client.peer.certificate?.subject.CN, 'server.test')
    t.ok(pair.client.peer.certificate?.raw.length)
    const accepted = (await pair.connection()).connection
    t.match(accepted?.peer, { encrypted: true, authorized: false, alpnProtocol: 'h2' })
    t.equal(accepted?.peer.certificate, undefined)
    t.ok(keylog.length > 0)
    pair.client.close()
    await pair.clientHeard.closing()
    t.equal(pair.clientHeard.error, undefined)
  })

  await t.test('a client certificate is verified against ca, and seen by the server', async (t) => {
    const pair = await Pair.start(t, engines, {
      server: { tls: { ...server, ca } },
      client: { tls: { ca, ...client } },
    })
    const peer = (await pair.connection()).connection?.peer
    t.equal(peer?.authorized, true)
    t.equal(peer?.certificate?.subject.CN, 'client.test')
  })

  await t.test('with ca a client without certificate is refused, and told why', async (t) => {
    const { server: listening, heard } = await startServer(t, engines.server, { tls: { ...server, ca } })
    const { heard: clientHeard } = startClient(t, engines.client, addressOf(listening), { tls: { ca } })
    await clientHeard.closing()
    t.match(clientHeard.error, { name: 'ConnectionError', address: listening.address })
    t.match(clientHeard.error?.message, /certificate/)
    const failure = await heard.failure()
    t.match(failure, { name: 'ConnectionError', phase: 'tls' })
    t.match(failure.message, /certificate/)
    t.equal(heard.connections.length, 0)
  })

  await t.test("clientCertificate 'request' takes clients with and without", async (t) => {
    const options = { tls: { ...server, ca, clientCertificate: 'request' as const } }
    const without = await Pair.start(t, engines, { server: options, client: { tls: { ca } } })
    t.equal((await without.connection()).connection?.peer.authorized, false)
    const other = await createAuthority('Stranger')
    const stranger = await Pair.start(t, engines, {
      server: options,
      client: { tls: { ca, ...(await other.issue('stranger.test')) } },
    })
    const peer = (await stranger.connection()).connection?.peer
    t.equal(peer?.authorized, false)
    t.equal(peer?.certificate?.subject.CN, 'stranger.test')
  })

  await t.test('a certificate that is not trusted, or for another name', async (t) => {
    const { server: listening } = await startServer(t, engines.server, { tls: server })
    const untrusted = startClient(t, engines.client, addressOf(listening), { tls: {} })
    await untrusted.heard.closing()
    t.match(untrusted.heard.error, { name: 'ConnectionError', phase: 'tls', address: listening.address })
    t.match(untrusted.heard.error?.message, /not trusted/)

    const misnamed = startClient(t, engines.client, addressOf(listening), {
      tls: { ca, servername: 'other.test' },
    })
    await misnamed.heard.closing()
    t.match(misnamed.heard.error, { phase: 'tls' })
    t.match(misnamed.heard.error?.message, /other\.test/)

    const careless = startClient(t, engines.client, addressOf(listening), {
      tls: { rejectUnauthorized: false },
    })
    await careless.heard.until(() => careless.heard.opened)
    t.match(careless.connection.peer, { encrypted: true, authorized: false })
  })

  await t.test('a certificate that can not be read', async (t) => {
    await t.rejects(
      engines.server.listen(
        { host: '127.0.0.1', port: 0 },
        { tls: { cert: 'x', key: 'y' } },
        new ServerRecorder(),
      ),
    )
    const { server: listening } = await startServer(t, engines.server, { tls: server })
    const { heard } = startClient(t, engines.client, addressOf(listening), { tls: { cert: 'x', key: 'y' } })
    await heard.closing()
    t.match(heard.error, { name: 'ConnectionError', phase: 'tls', initiator: 'local' })
  })

  await t.test(
    'a server without h2 in ALPN, and one without ALPN, are refused at once (RFC 9113 §3.2)',
    async (t) => {
      for (const protocols of [['http/1.1'], undefined]) {
        const sockets = new Set<net.Socket>()
        const other = tls.createServer({ ...server, ...(protocols ? { ALPNProtocols: protocols } : {}) })
        other.on('connection', (socket) => sockets.add(socket))
        other.on('tlsClientError', () => {})
        await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
        const { port } = other.address() as net.AddressInfo
        const { heard } = startClient(t, engines.client, { host: '127.0.0.1', port }, { tls: { ca } })
        await heard.closing()
        t.match(heard.error, { name: 'ConnectionError', phase: 'tls', address: `127.0.0.1:${port}` })
        t.match(heard.error?.message, /ALPN.*h2/)
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => other.close(resolve))
      }
    },
  )

  await t.test('a client without h2 in ALPN is refused by our server', async (t) => {
    for (const protocols of [['http/1.1'], undefined]) {
      const { server: listening, heard } = await startServer(t, engines.server, { tls: server })
      const socket = tls.connect({
        ...(addressOf(listening) as { host: string; port: number }),
        rejectUnauthorized: false,
        ...(protocols ? { ALPNProtocols: protocols } : {}),
      })
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.on('close', resolve))
      const failure = await heard.failure()
      t.match(failure, { name: 'ConnectionError', phase: 'tls' })
      t.match(failure.message, /h2/)
      await closed
      t.equal(heard.connections.length, 0)
    }
  })

  await t.test('plaintext to a TLS port, and TLS to a plaintext port, are told in words', async (t) => {
    const secure = await startServer(t, engines.server, { tls: server })
    const plainClient = startClient(t, engines.client, addressOf(secure.server))
    await plainClient.heard.closing()
    t.match(plainClient.heard.error, { name: 'ConnectionError', address: secure.server.address })
    t.match(plainClient.heard.error?.message, /speaks TLS.*connect with tls/)
    t.match((await secure.heard.failure()).message, /does not speak TLS/)

    const plain = await startServer(t, engines.server)
    const tlsClient = startClient(t, engines.client, addressOf(plain.server), { tls: { ca } })
    await tlsClient.heard.closing()
    t.match(tlsClient.heard.error, { name: 'ConnectionError', phase: 'tls', address: plain.server.address })
    t.match(tlsClient.heard.error?.message, /does not speak TLS/)
    const failure = await plain.heard.failure()
    t.match(failure.message, /speaks TLS.*plaintext/)

    const socket = net.connect(addressOf(secure.server) as { host: string; port: number })
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await secure.heard.until(() => secure.heard.failures.some((failure) => /HTTP\/1/.test(failure.message)))
  })

  await t.test('a function gives what is current for each connection', async (t) => {
    const next = await authority.issue('next.test')
    let current = server
    const { server: listening } = await startServer(t, engines.server, { tls: () => current })
    const subjects: unknown[] = []
    for (const identity of [server, next]) {
      current = identity
      const { connection, heard } = startClient(t, engines.client, addressOf(listening), { tls: { ca } })
      await heard.until(() => heard.opened)
      subjects.push(connection.peer.certificate?.subject.CN)
    }
    t.strictSame(subjects, ['server.test', 'next.test'])
  })

  await t.test('TLS on a duplex stream handed in', async (t) => {
    const [clientEnd, serverEnd] = duplexPair()
    const serverHeard = new ServerRecorder()
    engines.server.acceptOn(serverEnd, { tls: server }, serverHeard)
    const clientHeard = new ConnectionRecorder()
    const connection = engines.client.connectOn(
      clientEnd,
      { tls: { ca, servername: 'localhost' } },
      clientHeard,
    )
    await clientHeard.until(() => clientHeard.opened)
    t.equal(connection.peer.encrypted, true)
    connection.close()
    await clientHeard.closing()
    await serverHeard.connections[0]?.closing()
  })

  await t.test('a TLS handshake that never comes ends after handshakeTimeoutMs, on both sides', async (t) => {
    const { server: listening, heard } = await startServer(t, engines.server, {
      tls: server,
      handshakeTimeoutMs: 100,
    })
    const socket = net.connect(addressOf(listening) as { host: string; port: number })
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.on('close', resolve))
    const failure = await heard.failure()
    t.match(failure, { phase: 'tls' })
    await closed

    const sockets = new Set<net.Socket>()
    const silent = net.createServer((socket) => sockets.add(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = { host: '127.0.0.1', port: (silent.address() as net.AddressInfo).port }
    const client = startClient(t, engines.client, address, { tls: { ca }, handshakeTimeoutMs: 100 })
    await client.heard.closing()
    t.match(client.heard.error, { phase: 'tls' })
    t.match(client.heard.error?.message, /100 ms/)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })

  await t.test('requests pass on TLS while the handshake of another client hangs', async (t) => {
    const pair = await Pair.start(t, engines, {
      server: { tls: server },
      client: { tls: { ca } },
      onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
    })
    const socket = net.connect(addressOf(pair.server) as { host: string; port: number })
    socket.on('error', () => {})
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    await heard.closing()
    t.equal(heard.error, undefined)
    socket.destroy()
  })
}
