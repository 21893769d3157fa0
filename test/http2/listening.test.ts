/** The listening side without an engine: sockets come out as they are. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import type { ConnectionError } from '../../src/http2/errors.ts'
import { acceptTls, ListeningServer } from '../../src/http2/listening.ts'
import type { ListenOptions, ServerListener, SocketAddress } from '../../src/http2/transport.ts'
import { createAuthority } from '../support/certificates.ts'

const LOCAL: SocketAddress = { host: '127.0.0.1', port: 0 }

/** A listener that nobody tells of connections, only of failures. */
function listenerOf(onFailure: (error: ConnectionError) => void): ServerListener {
  return {
    onConnection: () => {
      throw new Error('there is no engine here')
    },
    onFailure,
  }
}

async function start(
  t: Test,
  options: ListenOptions = {},
  onFailure: (error: ConnectionError) => void = (error) => t.fail(error.message),
  address: SocketAddress = LOCAL,
) {
  const opened: { socket: Duplex; address: string }[] = []
  // Node's own server: whether accepting fails can't be brought about from outside.
  const made = t.capture(net, 'createServer', net.createServer)
  const server = new ListeningServer(
    options,
    1000,
    listenerOf(onFailure),
    (socket, peerAddress, connections) => {
      t.equal(connections, server.connections)
      opened.push({ socket, address: peerAddress })
      socket.on('error', () => {}).write('hello')
    },
  )
  made.restore()
  const [{ returned: native }] = made() as unknown as [{ returned: net.Server }]
  await server.listen(address)
  t.teardown(async () => {
    for (const { socket } of opened) socket.destroy()
    await server.close()
  })
  return { server, opened, native }
}

const portOf = (server: ListeningServer) => Number(server.address.split(':').at(-1))

/** What a client is told before its connection ends or goes silent. */
async function greeting(socket: net.Socket): Promise<string> {
  const [octets] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return octets.toString()
}

function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket
      .on('error', () => {})
      .on('close', () => resolve())
      .resume()
  })
}

t.test('TCP: the address has the real port, and each socket its own', async (t) => {
  const { server, opened } = await start(t)
  t.match(server.address, /^127\.0\.0\.1:\d+$/)
  t.not(portOf(server), 0)
  const client = net.connect(portOf(server), '127.0.0.1')
  await once(client, 'connect')
  const { localPort } = client
  t.equal(await greeting(client), 'hello')
  t.equal(opened[0]?.address, `127.0.0.1:${localPort}`)
})

t.test('a Unix domain socket: clients have its name, as they have none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'glass-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 's')
  const { server, opened } = await start(t, {}, undefined, { path })
  t.equal(server.address, `unix:${path}`)
  t.equal(await greeting(net.connect(path)), 'hello')
  t.equal(opened[0]?.address, `unix:${path}`)
})

t.test('an address that is taken rejects', async (t) => {
  const { server } = await start(t)
  const second = new ListeningServer(
    {},
    0,
    listenerOf(() => {}),
    () => {},
  )
  await t.rejects(second.listen({ host: '127.0.0.1', port: portOf(server) }), { code: 'EADDRINUSE' })
})

t.test('close does not wait for connections, and takes no new ones', async (t) => {
  const { server, opened } = await start(t)
  const client = net.connect(portOf(server), '127.0.0.1')
  await once(client, 'data')
  await server.close()
  t.equal(opened[0]?.socket.destroyed, false)
  const [error] = (await once(net.connect(portOf(server), '127.0.0.1'), 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNREFUSED')
  client.destroy()
})

t.test('accepting fails: it is told, and the server goes on', async (t) => {
  const failures: ConnectionError[] = []
  const { server, native } = await start(t, {}, (error) => failures.push(error))
  native.emit('error', new Error('accept EMFILE'))
  t.match(failures, [
    { phase: 'connect', initiator: 'local', message: 'Accepting a connection failed: accept EMFILE' },
  ])
  t.equal(await greeting(net.connect(portOf(server), '127.0.0.1')), 'hello')
})

t.test('TLS: the socket comes out when its handshake is done; failures are told', async (t) => {
  const authority = await createAuthority()
  const failures: ConnectionError[] = []
  const identity = await authority.issue('localhost', ['localhost'])
  const { server, opened } = await start(t, { tls: identity }, (error) => failures.push(error))
  const client = tls.connect({
    port: portOf(server),
    host: '127.0.0.1',
    ca: authority.ca,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  })
  t.equal(await greeting(client), 'hello')
  t.ok(opened[0]?.socket instanceof tls.TLSSocket)
  const plain = net.connect(portOf(server), '127.0.0.1', () => plain.write('GET / HTTP/1.1\r\n\r\n'))
  await closed(plain)
  t.match(failures, [{ phase: 'tls', message: /HTTP\/1 in plaintext, this port expects TLS/ }])
  t.equal(opened.length, 1)
})

t.test('a certificate that can not be used: at once where it is known, later told', async (t) => {
  const bad = { cert: 'nonsense', key: 'nonsense' }
  t.throws(
    () =>
      new ListeningServer(
        { tls: bad },
        0,
        listenerOf(() => {}),
        () => {},
      ),
  )
  const authority = await createAuthority()
  let current = await authority.issue('localhost')
  const failures: ConnectionError[] = []
  const { server } = await start(t, { tls: () => current }, (error) => failures.push(error))
  current = bad
  await closed(net.connect(portOf(server), '127.0.0.1'))
  t.match(failures, [{ phase: 'tls', initiator: 'local', message: /our certificate or key can't be used/ }])
  current = await authority.issue('localhost')
  const next = tls.connect({
    port: portOf(server),
    host: '127.0.0.1',
    ca: authority.ca,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  })
  t.equal(await greeting(next), 'hello', 'once it can be used again, it is')
})

t.test('onFailure that throws is a warning', async (t) => {
  const warnings: Error[] = []
  const warn = (warning: Error) => warnings.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { native } = await start(t, {}, () => {
    throw new Error('oops')
  })
  native.emit('error', new Error('accept'))
  await new Promise(setImmediate)
  t.match(warnings, [
    { name: 'GrpcGlassWarning', message: /onFailure of an HTTP\/2 server threw: Error: oops/ },
  ])
})

t.test('TLS on a stream accepted elsewhere', async (t) => {
  const authority = await createAuthority()
  const identity = await authority.issue('localhost', ['localhost'])
  const secured: tls.TLSSocket[] = []
  const failures: ConnectionError[] = []
  let current = identity
  const server = net.createServer((socket) =>
    acceptTls(
      socket,
      () => current,
      (secure) => secured.push(secure.end('hello')),
      (error) => {
        failures.push(error)
        socket.destroy()
      },
    ),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const connect = () =>
    tls.connect({ port, host: '127.0.0.1', ca: authority.ca, servername: 'localhost', ALPNProtocols: ['h2'] })
  t.equal(await greeting(connect()), 'hello')
  t.equal(secured.length, 1)
  current = { cert: 'nonsense', key: 'nonsense' }
  await closed(connect())
  t.match(failures, [{ message: /our certificate or key can't be used/ }])
})
