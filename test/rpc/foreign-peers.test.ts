/**
 * Peers that are no gRPC server: a call to one ends with the status that the specifications give it, within its deadline,
 * and says in which phase, with which address and why.
 */
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import { type ChannelOptions, connect, Server, Status, StatusError } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { collect, ENGINES, echo, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

const authority = await createAuthority()
const identity = await authority.issue('localhost')
const trusting: ChannelOptions = { tls: { ca: authority.ca } }

/** A server that answers every request over HTTP/2 in the same way. */
function answering(status: number, contentType: string, body: string, end = true): net.Server {
  const server = http2.createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': status, 'content-type': contentType })
    if (end) stream.end(body)
    else stream.write(body)
  })
  return server
}

function onSocket(handle: (socket: net.Socket) => void): net.Server {
  return net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    handle(socket)
  })
}

const page = '<html><body>Welcome</body></html>'
const silent = (): net.Server => onSocket(() => {})
const closing = (): net.Server => onSocket((socket) => socket.destroy())

interface Foreign {
  name: string
  peer: () => net.Server
  options?: ChannelOptions
  code: number
  phase: string
  /** What the message says besides the address. */
  says: RegExp
}

const foreign: readonly Foreign[] = [
  {
    name: 'an HTTP/1.1 server',
    peer: () => http.createServer((_request, response) => response.end(page)),
    code: Status.UNAVAILABLE,
    phase: 'settings',
    says: /Starting HTTP\/2 with .* failed: the peer answered in HTTP\/1\.1: `HTTP\/1\.1 400 Bad Request`/,
  },
  {
    name: 'an HTTP/2 server that answers HTML with 200',
    peer: () => answering(200, 'text/html', page),
    code: Status.UNKNOWN,
    phase: 'headers',
    says: /HTTP status code 200 .*"text\/html".*the peer sent HTML/,
  },
  {
    name: 'an HTTP/2 server that answers HTML with 404',
    peer: () => answering(404, 'text/html', page),
    code: Status.UNIMPLEMENTED,
    phase: 'headers',
    says: /HTTP status code 404 .*the peer sent HTML/,
  },
  {
    name: 'an HTTP/2 server that answers HTML with 502',
    peer: () => answering(502, 'text/html', page),
    code: Status.UNAVAILABLE,
    phase: 'headers',
    says: /HTTP status code 502 .*the peer sent HTML/,
  },
  {
    name: 'HTML under the content-type of gRPC: ASCII in place of a length',
    peer: () => answering(200, 'application/grpc', page, false),
    code: Status.INTERNAL,
    phase: 'messages',
    says: /the peer sent HTML \("<html>.*"\), not a gRPC message/,
  },
  {
    name: 'a TLS port spoken to in plaintext',
    peer: () =>
      tls.createServer({ ...identity, ALPNProtocols: ['h2'] }, (socket) => socket.on('error', () => {})),
    code: Status.UNAVAILABLE,
    phase: 'settings',
    says: /Starting HTTP\/2 with .* failed: the peer speaks TLS; connect with tls/,
  },
  {
    name: 'a plaintext port spoken to with TLS',
    peer: () => http2.createServer(),
    options: trusting,
    code: Status.UNAVAILABLE,
    phase: 'tls',
    says: /TLS with .* failed: the server does not speak TLS on this port/,
  },
  {
    name: 'an HTTPS server without HTTP/2',
    peer: () => tls.createServer({ ...identity, ALPNProtocols: ['http/1.1'] }),
    options: trusting,
    code: Status.UNAVAILABLE,
    phase: 'tls',
    says: /TLS with .*: the server does not speak HTTP\/2 \(no ALPN protocol "h2"\)/,
  },
  {
    name: 'a port that closes at once',
    peer: closing,
    code: Status.UNAVAILABLE,
    phase: 'settings',
    says: /Starting HTTP\/2 with .* failed: the peer closed the connection before sending SETTINGS/,
  },
  {
    name: 'a port that closes at once, with TLS',
    peer: closing,
    options: trusting,
    code: Status.UNAVAILABLE,
    phase: 'tls',
    says: /TLS with .* failed: the connection was closed during the handshake/,
  },
  {
    name: 'a server of another protocol',
    peer: () => onSocket((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')),
    code: Status.UNAVAILABLE,
    phase: 'settings',
    says: /the peer sent text instead of HTTP\/2: `SSH-2\.0-OpenSSH_9\.6`/,
  },
  {
    name: 'a silent port, until the connect deadline',
    peer: silent,
    options: { connectTimeoutMs: 200 },
    code: Status.UNAVAILABLE,
    phase: 'settings',
    says: /Starting HTTP\/2 with .* failed: no SETTINGS within 200 ms; the peer stays silent/,
  },
  {
    name: 'a silent port with TLS, until the connect deadline',
    peer: silent,
    options: { ...trusting, connectTimeoutMs: 200 },
    code: Status.UNAVAILABLE,
    phase: 'tls',
    says: /TLS with .* failed: no finished TLS handshake within 200 ms/,
  },
]

/** Listens on a free port; everything is closed with the test. */
async function listen(t: Test, server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

function open(t: Test, engine: EngineName, address: string, options: ChannelOptions = {}) {
  const channel = connect(address, { engine, ...options })
  t.teardown(() => channel.close({ graceMs: 0 }))
  return channel.client(Text)
}

for (const engine of ENGINES) {
  t.test(`${engine}: calls to what is no gRPC server`, async (t) => {
    for (const { name, peer, options, code, phase, says } of foreign) {
      t.test(name, async (t) => {
        const address = await listen(t, peer())
        const client = open(t, engine, address, options)
        const stream = client.many({ text: 'a' })
        const errors = await Promise.all([rejection(client.one({ text: 'a' })), rejection(collect(stream))])
        for (const error of errors as StatusError[]) {
          t.ok(error instanceof StatusError)
          t.equal(error.code, code, error.message)
          t.equal(error.phase, phase)
          t.match(error.details, says)
          t.ok(error.details.includes(address), `${error.details} names ${address}`)
        }
        t.equal((await stream.status).code, code, 'a stream whose loop failed has ended too')
      })
    }

    t.test('a silent port, until the deadline of the call', async (t) => {
      const address = await listen(t, silent())
      for (const options of [{}, trusting]) {
        const error = await rejection(open(t, engine, address, options).one({ text: 'a' }, { deadline: 100 }))
        t.match(error, {
          code: Status.DEADLINE_EXCEEDED,
          phase: 'connect',
          details: `Deadline exceeded after 0.100s,waiting for a connection to ${address} (CONNECTING)`,
        })
      }
    })

    t.test('an HTTP/2 server that never answers, until the deadline of the call', async (t) => {
      const address = await listen(
        t,
        http2.createServer().on('stream', (stream) => stream.on('error', () => {})),
      )
      const error = await rejection(open(t, engine, address).one({ text: 'a' }, { deadline: 100 }))
      t.match(error, {
        code: Status.DEADLINE_EXCEEDED,
        phase: 'headers',
        details: `Deadline exceeded after 0.100s,remote_addr=${address}`,
      })
    })

    t.test('the server at the address comes to itself: the channel finds it', async (t) => {
      const impostor = closing()
      const address = await listen(t, impostor)
      const client = open(t, engine, address, { initialBackoffMs: 10, maxBackoffMs: 10 })
      t.match(await rejection(client.one({ text: 'a' })), { code: Status.UNAVAILABLE })
      await new Promise((resolve) => impostor.close(resolve))
      const server = new Server({ engine })
      server.add(Text, echo)
      await server.listen(address)
      t.teardown(() => server.close({ graceMs: 0 }))
      t.same(await client.one({ text: 'a' }, { waitForReady: true }), { text: 'a' })
    })
  })
}
