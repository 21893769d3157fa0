/** Security of calls, end to end: TLS, certificates of both sides, reload, key log, and call credentials over it. */
import { createSecretKey } from 'node:crypto'
import type net from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import {
  bearerToken,
  type ChannelOptions,
  type ClientTls,
  combineCredentials,
  connect,
  credentialsFromHeaders,
  type Handlers,
  Server,
  type ServerListenOptions,
  type ServerOptions,
  type ServerTls,
  StatusError,
} from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { ENGINES, echo, rejection } from './support/pair.ts'
import { type methods, Text } from './support/text-service.ts'

const authority = await createAuthority('Our Root')
const stranger = await createAuthority('Another Root')
const { ca } = authority
const identity = await authority.issue('server.test')

/** A server that was started, what it told of failed connections, and clients of it. */
class Peers {
  readonly server: Server
  readonly failures: Error[] = []
  readonly address: string
  readonly #t: Test
  readonly #clientEngine: EngineName

  private constructor(t: Test, clientEngine: EngineName, server: Server, failures: Error[], address: string) {
    this.#t = t
    this.#clientEngine = clientEngine
    this.server = server
    this.failures = failures
    this.address = address
  }

  static async start(
    t: Test,
    [engine, clientEngine]: readonly [EngineName, EngineName],
    listen: ServerListenOptions,
    handlers: Handlers<typeof methods> = echo,
    options: ServerOptions = {},
  ): Promise<Peers> {
    const failures: Error[] = []
    const server = new Server({
      engine,
      ...options,
      onConnectionError: (error) => failures.push(error),
    })
    server.add(Text, handlers)
    const address = await server.listen('127.0.0.1:0', listen)
    t.teardown(() => server.close({ graceMs: 0 }))
    return new Peers(t, clientEngine, server, failures, address)
  }

  get port(): string {
    return this.address.slice(this.address.lastIndexOf(':') + 1)
  }

  /** A channel of its own, so with a connection of its own. */
  channel(options: ChannelOptions, target = this.address) {
    const channel = connect(target, { engine: this.#clientEngine, ...options })
    this.#t.teardown(() => channel.close({ graceMs: 0 }))
    return channel
  }

  client(clientTls: boolean | ClientTls, target?: string) {
    return this.channel({ tls: clientTls }, target).client(Text)
  }

  /** Waits until the server has told of a connection that failed for this reason. */
  async failure(reason: RegExp): Promise<Error> {
    for (;;) {
      const index = this.failures.findIndex(({ message }) => reason.test(message))
      if (index >= 0) return this.failures.splice(index, 1)[0]!
      await new Promise(setImmediate)
    }
  }
}

/** Answers with what the server knows of the caller. */
const whoCalls: Handlers<typeof methods> = {
  one: (_, { peer }) => {
    const names = [peer.certificate?.subject.CN, peer.certificate?.issuer.CN]
    return { text: JSON.stringify([peer.encrypted, peer.authorized, peer.alpnProtocol, ...names]) }
  },
}

/** A call that must fail before it got a connection. */
async function refused(t: Test, client: ReturnType<Peers['client']>, cause: RegExp): Promise<StatusError> {
  const error = (await rejection(client.one({}))) as StatusError
  t.ok(error instanceof StatusError)
  t.match(error, {
    code: 14,
    phase: 'tls',
    message: /^14 UNAVAILABLE: No connection established\. Last error: TLS with 127\.0\.0\.1:\d+/,
    cause: { name: 'ConnectionError', phase: 'tls', message: cause },
  })
  t.match(error.details, cause)
  return error
}

const pairings = ENGINES.flatMap((server) => ENGINES.map((client) => [server, client] as const))

for (const pairing of pairings) {
  const name = `${pairing[1]} client, ${pairing[0]} server`

  t.test(`${name}: TLS, with all kinds of call and large messages`, async (t) => {
    const peers = await Peers.start(t, pairing, { tls: identity }, { ...echo, ...whoCalls })
    const client = peers.client({ ca })
    t.equal((await client.one({})).text, '[true,false,"h2",null,null]')
    const text = 'x'.repeat(1_000_000)
    t.equal((await client.gather([{ text }, { text: 'end' }])).text.length, 1_000_004)
    let count = 0
    for await (const answer of client.chat(Array.from({ length: 5 }, () => ({ text })))) {
      t.equal(answer.text.length, text.length)
      count++
    }
    t.equal(count, 5)
  })

  t.test(`${name}: mTLS, the handler sees who calls`, async (t) => {
    const peers = await Peers.start(t, pairing, { tls: { ...identity, ca } }, whoCalls)
    const client = peers.client({ ca, ...(await authority.issue('client.test')) })
    t.equal((await client.one({})).text, '[true,true,"h2","client.test","Our Root"]')
  })

  t.test(`${name}: mTLS, a client without a certificate is refused, and so is a stranger's`, async (t) => {
    const peers = await Peers.start(t, pairing, { tls: { ...identity, ca } })
    for (const [own, told] of [
      [{}, /the client sent no certificate, one is required/],
      [await stranger.issue('client.test'), /the client's certificate was refused/],
      [
        await authority.issue('client.test', undefined, -48),
        /the client's certificate was refused \(.*EXPIRED/,
      ],
    ] as const) {
      // In TLS 1.3 the client may have sent its preface before it learns of it.
      const error = (await rejection(peers.client({ ca, ...own }).one({}))) as StatusError
      t.match(error, { code: 14, phase: /^(tls|settings)$/, cause: { name: 'ConnectionError' } })
      t.match(error.details, /certificate|closed/, error.details)
      t.match(await peers.failure(told), { name: 'ConnectionError', phase: 'tls' })
    }
    const client = peers.client({ ca, ...(await authority.issue('client.test')) })
    t.strictSame(await client.one({ text: 'a' }), { text: 'a' }, 'others are served')
  })

  t.test(`${name}: clientCertificate 'request' lets the handler decide`, async (t) => {
    const listen: ServerListenOptions = { tls: { ...identity, ca, clientCertificate: 'request' } }
    const peers = await Peers.start(t, pairing, listen, whoCalls)
    t.equal((await peers.client({ ca }).one({})).text, '[true,false,"h2",null,null]')
    const unknown = { ca, ...(await stranger.issue('s.test')) }
    t.equal((await peers.client(unknown).one({})).text, '[true,false,"h2","s.test","Another Root"]')
    const known = { ca, ...(await authority.issue('c.test')) }
    t.equal((await peers.client(known).one({})).text, '[true,true,"h2","c.test","Our Root"]')
  })

  t.test(`${name}: custom roots, several of them, as text or octets`, async (t) => {
    const peers = await Peers.start(t, pairing, { tls: identity })
    for (const roots of [ca, Buffer.from(ca), [stranger.ca, ca], `${stranger.ca}\n${ca}`]) {
      t.strictSame(await peers.client({ ca: roots }).one({ text: 'a' }), { text: 'a' })
    }
    await refused(
      t,
      peers.client(true),
      /the server's certificate is not trusted .*give its root certificate in tls\.ca/,
    )
    await refused(t, peers.client({ ca: stranger.ca }), /the server's certificate is not trusted/)
    const careless = peers.client({ rejectUnauthorized: false })
    t.strictSame(await careless.one({ text: 'a' }), { text: 'a' })
  })

  t.test(`${name}: the name in the certificate is that of the target, or servername`, async (t) => {
    const named = await authority.issue('named', ['service.test'])
    const peers = await Peers.start(
      t,
      pairing,
      { tls: named },
      {
        one: (_, call) => ({ text: call.authority }),
      },
    )
    const { port } = peers
    t.strictSame(
      await peers.client({ ca, servername: 'service.test' }).one({}),
      { text: peers.address },
      'servername leaves :authority alone',
    )
    const elsewhere = { tls: { ca, servername: 'service.test' }, authority: 'service.test' }
    t.strictSame(await peers.channel(elsewhere).client(Text).one({}), { text: 'service.test' })
    const lookup = async () => ['127.0.0.1']
    const byName = peers.channel({ tls: { ca }, lookup }, `dns:///service.test:${port}`)
    t.strictSame(await byName.client(Text).one({}), { text: `service.test:${port}` })
    await refused(t, peers.client({ ca }), /altnames: IP: 127\.0\.0\.1|does not match/)
    await refused(t, peers.client({ ca, servername: 'other.test' }), /other\.test/)
  })

  t.test(`${name}: a certificate that has expired, or is not valid yet`, async (t) => {
    for (const [laterHours, cause] of [
      [-48, /the server's certificate has expired/],
      [48, /the server's certificate is not valid yet/],
    ] as const) {
      const peers = await Peers.start(t, pairing, {
        tls: await authority.issue('server.test', undefined, laterHours),
      })
      const error = await refused(t, peers.client({ ca }), cause)
      t.ok((error.cause as Error).cause instanceof Error, 'the error of TLS itself is kept')
    }
  })

  t.test(`${name}: certificates are reloaded without a restart`, async (t) => {
    const next = await authority.issue('next.test', ['next.test'])
    let current: ServerTls = identity
    const peers = await Peers.start(t, pairing, { tls: () => current })
    const first = peers.client({ ca })
    t.strictSame(await first.one({ text: 'a' }), { text: 'a' })
    current = next
    t.strictSame(await first.one({ text: 'b' }), { text: 'b' }, 'open connections stay')
    await refused(t, peers.client({ ca }), /127\.0\.0\.1/)
    const second = peers.client({ ca, servername: 'next.test' })
    t.strictSame(await second.one({ text: 'c' }), { text: 'c' })
    current = { cert: 'half a file', key: 'none' }
    t.match(await rejection(peers.client({ ca }).one({})), { code: 14 })
    const told = await peers.failure(/our certificate or key can't be used/)
    t.match(told, { name: 'ConnectionError', phase: 'tls' })
    t.strictSame(await second.one({ text: 'd' }), { text: 'd' }, 'and the server lives')
    current = identity
    t.strictSame(await peers.client({ ca }).one({ text: 'e' }), { text: 'e' })
  })

  t.test(`${name}: both sides give the key log, of the same keys`, async (t) => {
    const logs: Record<'server' | 'client', string[]> = { server: [], client: [] }
    const onKeylog = (side: 'server' | 'client') => (line: Uint8Array) =>
      void logs[side].push(Buffer.from(line).toString('latin1'))
    const peers = await Peers.start(t, pairing, { tls: { ...identity, onKeylog: onKeylog('server') } })
    t.strictSame(await peers.client({ ca, onKeylog: onKeylog('client') }).one({ text: 'a' }), { text: 'a' })
    const secrets = (lines: string[]) => lines.filter((line) => /_TRAFFIC_SECRET_0 /.test(line)).sort()
    t.equal(secrets(logs.client).length, 2)
    t.strictSame(secrets(logs.client), secrets(logs.server))
    for (const line of logs.client) t.match(line, /^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+\n$/)
  })

  t.test(`${name}: call credentials go with each call, over TLS`, async (t) => {
    const seen: (string | undefined)[] = []
    const peers = await Peers.start(
      t,
      pairing,
      { tls: identity },
      {
        one: (_, { metadata }) => {
          seen.push(metadata.get('authorization'))
          return { text: metadata.getAll('x-more').join() }
        },
      },
    )
    let tokens = 0
    const client = peers
      .channel({ tls: { ca }, credentials: bearerToken(async () => `token-${++tokens}`) })
      .client(Text)
    await client.one({})
    await client.one({})
    t.strictSame(seen, ['Bearer token-1', 'Bearer token-2'])
    const more = combineCredentials(
      () => ({ 'x-more': 'a' }),
      () => ({ 'x-more': 'b' }),
    )
    t.strictSame(await client.one({}, { credentials: more }), { text: 'a,b' })
    t.equal(seen[2], 'Bearer token-3', 'those of the call are added to the channel’s')
    const urls: (string | undefined)[] = []
    const google = credentialsFromHeaders({
      getRequestHeaders: async (url) => {
        urls.push(url)
        return new Headers({ Authorization: 'Bearer from-google' })
      },
    })
    await peers.client({ ca }).one({}, { credentials: google })
    t.equal(seen[3], 'Bearer from-google')
    t.strictSame(urls, [`https://${peers.address}/test.Text`])
    const failing = peers.client({ ca }).one(
      {},
      {
        credentials: () => {
          throw new StatusError(16, 'the token has expired')
        },
      },
    )
    t.match(await rejection(failing), { code: 16, details: /the token has expired/ })
    t.equal(seen.length, 4, 'a call whose credentials fail is not sent')
  })

  t.test(`${name}: call credentials are not sent in the clear, unless that is allowed`, async (t) => {
    const seen: (string | undefined)[] = []
    const peers = await Peers.start(
      t,
      pairing,
      {},
      {
        one: (_, { metadata }) => {
          seen.push(metadata.get('authorization'))
          return { text: '' }
        },
      },
    )
    const credentials = bearerToken('secret')
    t.match(await rejection(peers.channel({ credentials }).client(Text).one({})), {
      code: 16,
      details: /not sent on a connection without TLS/,
    })
    t.strictSame(seen, [])
    await peers.channel({ credentials, allowInsecureCredentials: true }).client(Text).one({})
    t.strictSame(seen, ['Bearer secret'])
  })
}

/** Starts a TLS server that is none of ours. */
async function foreign(t: Test, options: tls.TlsOptions): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = tls.createServer({ ...identity, ...options })
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

for (const engine of ENGINES) {
  t.test(`${engine} client: a server without ALPN "h2" is refused at once (RFC 9113 §3.2)`, async (t) => {
    for (const options of [{}, { ALPNProtocols: ['http/1.1'] }]) {
      const channel = connect(await foreign(t, options), { engine, tls: { ca } })
      t.teardown(() => channel.close({ graceMs: 0 }))
      // Without a deadline: nothing else would end the call.
      await refused(t, channel.client(Text), /h2/)
    }
  })

  t.test(`${engine} client: TLS 1.1, and ciphers that RFC 9113 Appendix A forbids`, async (t) => {
    for (const options of [
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
    ] as const) {
      const channel = connect(await foreign(t, { ALPNProtocols: ['h2'], ...options }), {
        engine,
        tls: { ca },
      })
      t.teardown(() => channel.close({ graceMs: 0 }))
      await refused(t, channel.client(Text), /TLS with .* failed/)
    }
  })

  t.test(`${engine} server: clients with TLS 1.1, forbidden ciphers or no ALPN are refused`, async (t) => {
    const peers = await Peers.start(t, [engine, engine], { tls: identity })
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    for (const [options, told] of [
      [{ ...old, ALPNProtocols: ['h2'] }, /no common TLS version/],
      [
        { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256', ALPNProtocols: ['h2'] },
        /no common cipher suite/,
      ],
      [{ ALPNProtocols: ['http/1.1'] }, /no ALPN protocol "h2"/],
      [{}, /did not take part in ALPN/],
    ] as const) {
      const socket = tls.connect({ host: '127.0.0.1', port: Number(peers.port), ca, ...(options as object) })
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('close', resolve))
      t.match(await peers.failure(told), { name: 'ConnectionError', phase: 'tls' })
    }
    t.strictSame(await peers.client({ ca }).one({ text: 'a' }), { text: 'a' })
  })

  t.test(`${engine} client: a certificate or key of its own that can't be read`, async (t) => {
    const peers = await Peers.start(t, [engine, engine], { tls: identity })
    for (const own of [
      { cert: 'no certificate', key: 'no key' },
      { cert: identity.cert, key: createSecretKey(Buffer.alloc(16)).export().toString('hex') },
    ]) {
      t.match(await rejection(peers.client({ ca, ...own }).one({})), { code: 14, phase: 'tls' })
    }
  })

  t.test(
    `${engine} server: a certificate that can't be read is found when it starts to listen`,
    async (t) => {
      const server = new Server({ engine })
      t.match(await rejection(server.listen('127.0.0.1:0', { tls: { cert: 'x', key: 'y' } })), Error)
      await server.close()
    },
  )
}
