/**
 * TLS for HTTP/2, shared by both engines: options with ALPN `h2` (RFC 9113 §3.2), TLS 1.2 or newer without
 * the cipher suites that RFC 9113 Appendix A forbids, and the failures of a handshake in words.
 */
import type { Duplex } from 'node:stream'
import tls, { type TLSSocket } from 'node:tls'
import { ConnectionError } from './errors.ts'
import { MAX_TIMER_MS } from './long-timer.ts'
import type { ClientTls, ServerTls } from './transport.ts'

/** The one ALPN protocol name we offer and accept (RFC 9113 §3.1). */
export const ALPN_PROTOCOL = 'h2'

/** Cipher suites: all of TLS 1.3, and those of TLS 1.2 with ephemeral keys and AEAD (RFC 9113 §9.2.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const ALPN_PROTOCOLS = [ALPN_PROTOCOL]

type Pem = string | Uint8Array

function toPem(pem: Pem): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength)
}

function toPems(pems: Pem | readonly Pem[]): (string | Buffer)[] {
  return typeof pems === 'string' || pems instanceof Uint8Array ? [toPem(pems)] : pems.map(toPem)
}

/**
 * Starts a TLS handshake as a client on a connected stream. The caller listens to `secureConnect` and
 * `error`, and then asks {@link alpnFailure}.
 *
 * @param host the name that was connected to: default for SNI and for verifying the certificate
 * @throws Error from OpenSSL if the caller's own certificate or key can't be read
 */
export function startClientTls(duplex: Duplex, options: ClientTls, host: string | undefined): TLSSocket {
  const name = options.servername ?? host ?? 'localhost'
  const connectOptions: tls.ConnectionOptions = {
    socket: duplex,
    host: name,
    ALPNProtocols: ALPN_PROTOCOLS,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
  }
  // RFC 6066 §3: no IP address in SNI
  if (!isIpLiteral(name)) connectOptions.servername = name
  if (options.ca !== undefined) connectOptions.ca = toPems(options.ca)
  if (options.cert !== undefined) connectOptions.cert = toPem(options.cert)
  if (options.key !== undefined) connectOptions.key = toPem(options.key)
  const socket = tls.connect(connectOptions)
  if (options.onKeylog !== undefined) socket.on('keylog', options.onKeylog)
  return socket
}

function isIpLiteral(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name)
}

/** Performs the TLS handshakes of one listening server. */
export class TlsAcceptor {
  readonly #tls: ServerTls | (() => ServerTls)
  readonly #handshakeTimeoutMs: number
  readonly #onSecure: (socket: TLSSocket) => void
  readonly #onFailure: (error: Error, socket: TLSSocket) => void
  #current: ServerTls | undefined
  #server: tls.Server | undefined

  /**
   * @param onSecure a handshake succeeded, with ALPN `h2`
   * @param onFailure a handshake failed (a {@link ConnectionError} of phase `tls`); the socket is destroyed
   */
  constructor(
    options: ServerTls | (() => ServerTls),
    handshakeTimeoutMs: number,
    onSecure: (socket: TLSSocket) => void,
    onFailure: (error: ConnectionError, socket: TLSSocket) => void,
  ) {
    this.#tls = options
    this.#handshakeTimeoutMs = handshakeTimeoutMs
    this.#onSecure = (socket) => {
      const failure = alpnFailure(socket, 'server', undefined)
      if (failure === undefined) onSecure(socket)
      else {
        socket.on('error', ignore)
        socket.destroy()
        onFailure(failure, socket)
      }
    }
    this.#onFailure = (error, socket) => {
      // an error may follow while the socket goes down: it has been told already
      socket.on('error', ignore)
      socket.destroy()
      onFailure(tlsFailure(error, 'server', undefined, socket), socket)
    }
  }

  /**
   * Starts the handshake of an accepted stream.
   * @throws Error from OpenSSL if the certificate or key can't be read
   */
  accept(duplex: Duplex): void {
    this.prepare().emit('connection', duplex)
  }

  /**
   * Reads the current certificate, so that a bad one is found before anybody connects.
   * @throws Error from OpenSSL if the certificate or key can't be read
   */
  prepare(): tls.Server {
    const current = typeof this.#tls === 'function' ? this.#tls() : this.#tls
    if (this.#server === undefined || current !== this.#current) {
      this.#server = this.#createServer(current)
      this.#current = current
    }
    return this.#server
  }

  #createServer(options: ServerTls): tls.Server {
    const mode = options.clientCertificate ?? (options.ca === undefined ? 'none' : 'require')
    const serverOptions: tls.TlsOptions = {
      cert: toPem(options.cert),
      key: toPem(options.key),
      ALPNProtocols: ALPN_PROTOCOLS,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      requestCert: mode !== 'none',
      rejectUnauthorized: mode === 'require',
    }
    if (options.ca !== undefined) serverOptions.ca = toPems(options.ca)
    if (this.#handshakeTimeoutMs > 0) {
      serverOptions.handshakeTimeout = Math.min(this.#handshakeTimeoutMs, MAX_TIMER_MS)
    }
    const server = tls.createServer(serverOptions)
    server.on('secureConnection', this.#onSecure)
    server.on('tlsClientError', this.#onFailure)
    const { onKeylog } = options
    if (onKeylog !== undefined) server.on('keylog', (line: Buffer) => onKeylog(line))
    return server
  }
}

function ignore(): void {}

/** What is wrong with the ALPN protocol that a finished handshake agreed on; undefined if it is `h2`. */
export function alpnFailure(
  socket: TLSSocket,
  role: 'client' | 'server',
  address: string | undefined,
): ConnectionError | undefined {
  const { alpnProtocol } = socket
  if (alpnProtocol === ALPN_PROTOCOL) return undefined
  const other = role === 'client' ? 'server' : 'client'
  const what = alpnProtocol ? `chose "${alpnProtocol}"` : 'did not take part in ALPN'
  return new ConnectionError(
    `TLS with ${address ?? `the ${other}`}: ${other} ${what}, expected ALPN protocol "h2" (HTTP/2)`,
    {
      initiator: 'peer',
      phase: 'tls',
      section: 'RFC 9113 §3.2',
      ...(address === undefined ? {} : { address }),
    },
  )
}

/**
 * A failed TLS handshake in words that say what to do.
 *
 * @param socket where a server finds out why it refused a client's certificate
 */
export function tlsFailure(
  error: Error,
  role: 'client' | 'server',
  address: string | undefined,
  socket?: TLSSocket,
): ConnectionError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  // set by Node where the certificate was refused, else null
  const refused = socket?.authorizationError as unknown
  const words =
    (role === 'server' &&
      typeof refused === 'string' &&
      `the client's certificate was refused (${refused})`) ||
    tlsFailureWords(code, role) ||
    error.message
  const where = address ?? (role === 'client' ? 'the server' : 'a client')
  return new ConnectionError(`TLS with ${where} failed: ${words}`, {
    initiator: 'peer',
    phase: 'tls',
    cause: error,
    ...(address === undefined ? {} : { address }),
  })
}

/** The reason behind an OpenSSL or Node TLS error code; undefined where its own message says enough. */
export function tlsFailureWords(code: string, role: 'client' | 'server'): string | undefined {
  const client = role === 'client'
  if (/^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/.test(code) && client) {
    return code.endsWith('REQUIRED')
      ? 'the server requires a client certificate; give tls.cert and tls.key'
      : 'the server refused our handshake; it may require a client certificate or another TLS version'
  }
  if (/^ERR_SSL_.*ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)$/.test(code)) {
    return `the ${client ? 'server' : 'client'} does not accept our certificate (${code.replace(/^.*ALERT_/, '')})`
  }
  switch (code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_UNKNOWN_PROTOCOL':
      return client
        ? 'the server does not speak TLS on this port; connect without tls, or to its TLS port'
        : 'the client does not speak TLS, this port expects it'
    case 'ERR_SSL_HTTP_REQUEST':
      return 'the client sent HTTP/1 in plaintext, this port expects TLS'
    case 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL':
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
      return `${client ? 'the server' : 'the client'} does not speak HTTP/2 (no ALPN protocol "h2")`
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'the client sent no certificate, one is required'
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return 'no common TLS version; TLS 1.2 or newer is required (RFC 9113 §9.2)'
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return 'no common cipher suite; HTTP/2 wants ephemeral keys and AEAD (RFC 9113 §9.2.2)'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the server's certificate is not trusted (${code}); give its root certificate in tls.ca`
    case 'CERT_HAS_EXPIRED':
      return "the server's certificate has expired"
    case 'CERT_NOT_YET_VALID':
      return "the server's certificate is not valid yet"
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'the handshake was not finished in time'
    case 'ECONNRESET':
      return 'the connection was closed during the handshake'
    default:
      return undefined
  }
}
