/**
 * The seam between gRPC and HTTP/2: types only, implemented by both engines and used by `src/rpc`.
 *
 * A connection opens streams (client) or accepts them (server). What comes from the peer is told to a
 * listener by plain method calls, in wire order. Rules that both engines keep, and that the contract suite
 * in `test/http2/contract` checks:
 *
 * - A listener's `onClose` is called exactly once and is always the last call.
 * - No method of a stream or connection throws because of what the peer did; after the close they do nothing.
 * - No listener method is called before the call that installed the listener has returned.
 * - Octets given to `sendData` must not be changed afterwards; octets given to `onData` may be kept.
 * - An exception thrown by a listener resets its stream with INTERNAL_ERROR and reaches nobody else.
 */
import type { Duplex } from 'node:stream'
import type { ConnectionError, StreamError } from './errors.ts'

/**
 * Header or trailer fields as a flat list: name, value, name, value, in wire order.
 *
 * Names are in lower case, pseudo-header fields come first, and a repeated name stays repeated.
 *
 * @example
 * const request: Fields = [':method', 'POST', ':scheme', 'http', ':path', '/p.S/M', 'te', 'trailers']
 */
export type Fields = readonly string[]

/** Which implementation of HTTP/2: Node's own, or the one written from scratch here. */
export type EngineName = 'node' | 'pure'

/** Priority of a stream among those of its connection (RFC 9218). The `node` engine only sends it as a field. */
export interface Priority {
  /** 0 (most urgent) to 7; default 3. */
  urgency?: number
  /** True to share bandwidth with others of the same urgency; default false. */
  incremental?: boolean
}

/** What a stream tells to the layer above. */
export interface StreamListener {
  /**
   * The peer's header section: for a client the response headers (informational 1xx are not told), for a
   * server never called (it gets them by `onStream`). With `endStream` no data and no trailers follow.
   */
  onHeaders(fields: Fields, endStream: boolean): void
  /** Octets `start` to `end` of `chunk` arrived as DATA; give their credit back with `consume`. Never empty. */
  onData(chunk: Uint8Array, start: number, end: number): void
  /** The peer's trailer section. `onEnd` follows. */
  onTrailers(fields: Fields): void
  /**
   * The peer ended its side in order (END_STREAM); called once, after everything else the peer sent, and also
   * after an `onHeaders` or `onStream` with `endStream`.
   */
  onEnd(): void
  /** `sendData` returned false before, and there is room again. */
  onDrain(): void
  /**
   * The stream is over. Without `error` both sides ended in order, or one side reset with NO_ERROR after its
   * end: what was missing of the request isn't needed then (RFC 9113 §8.1).
   */
  onClose(error?: StreamError | ConnectionError): void
}

/** One HTTP/2 stream: a request and its response. */
export interface Http2Stream {
  /** Stream identifier, 0 until the engine has assigned one. */
  readonly id: number
  /** The connection that carries it. */
  readonly connection: Http2Connection
  /**
   * Sends the request or response header section. Must come first, and once.
   * @throws Error if headers were sent already (misuse)
   * @throws TypeError naming a field that HTTP/2 does not allow; nothing was sent then, and other headers may be
   */
  sendHeaders(fields: Fields, endStream: boolean): void
  /**
   * Queues octets as DATA. Everything is accepted; false asks the caller to wait for `onDrain`.
   * @throws Error before `sendHeaders` or after the local end (misuse)
   */
  sendData(octets: Uint8Array, endStream: boolean): boolean
  /**
   * Queues the trailer section and ends the local side. A client says so beforehand ({@link OpenOptions}).
   * @throws Error before `sendHeaders` or after the local end (misuse)
   * @throws TypeError naming a field that HTTP/2 does not allow; nothing was sent then
   */
  sendTrailers(fields: Fields): void
  /**
   * Ends the stream at once with RST_STREAM and drops what is queued; `onClose` follows in a later turn with
   * a local {@link StreamError}. Exception: NO_ERROR after the local end is sent once everything queued is
   * out, and closes without error (RFC 9113 §8.1: the server needs no more of the request).
   */
  reset(code: number): void
  /** Gives back flow-control credit for octets that `onData` delivered and the application has taken. */
  consume(sizeOctets: number): void
}

/** What is known about the other end of a connection. */
export interface PeerInfo {
  /** As in `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/x.sock`, `in-process`. */
  readonly address: string
  /** True on TLS. */
  readonly encrypted: boolean
  /** True if the peer's certificate was verified (for a server: a client certificate against `ca`). */
  readonly authorized: boolean
  /** ALPN protocol that TLS agreed on. */
  readonly alpnProtocol: string | undefined
  /** The peer's certificate (DER in `raw`, names and dates), read when asked; undefined without one. */
  readonly certificate: import('node:tls').PeerCertificate | undefined
}

/** The six settings of RFC 9113 §6.5.2, by their names. Absent means not sent. */
export interface Settings {
  /** SETTINGS_HEADER_TABLE_SIZE: the largest HPACK dynamic table, in octets. */
  headerTableSize?: number
  /** SETTINGS_ENABLE_PUSH: whether the sender takes pushed responses. */
  enablePush?: boolean
  /** SETTINGS_MAX_CONCURRENT_STREAMS: how many streams the other end may have open. */
  maxConcurrentStreams?: number
  /** SETTINGS_INITIAL_WINDOW_SIZE: the receive window of a new stream, in octets. */
  initialWindowSize?: number
  /** SETTINGS_MAX_FRAME_SIZE: the largest frame payload, in octets. */
  maxFrameSize?: number
  /** SETTINGS_MAX_HEADER_LIST_SIZE: the largest header section, uncompressed, in octets. */
  maxHeaderListSize?: number
}

/** The peer's GOAWAY (RFC 9113 §6.8). */
export interface Goaway {
  /** Streams above this one were not processed. */
  readonly lastStreamId: number
  /** Error code (RFC 9113 §7); NO_ERROR for a graceful end. */
  readonly code: number
  /** Additional Debug Data as text, cut to 1024 characters. */
  readonly debugData: string
}

/** What a connection tells to the layer above. */
export interface ConnectionListener {
  /** The peer's connection preface and SETTINGS arrived: the connection is usable. */
  onOpen(): void
  /** Server only: a request arrived. The returned listener hears the rest of the stream. */
  onStream?(stream: Http2Stream, fields: Fields, endStream: boolean): StreamListener
  /** The peer's SETTINGS changed (also called for the first ones, before `onOpen`). */
  onSettings?(settings: Settings): void
  /** The peer sent GOAWAY: no new streams here, those above `lastStreamId` end as unprocessed. */
  onGoaway(goaway: Goaway): void
  /** The connection is gone, socket included; called after every stream's `onClose`. */
  onClose(error?: ConnectionError): void
}

/** One HTTP/2 connection of either role. */
export interface Http2Connection {
  /** The implementation behind this connection. */
  readonly engine: EngineName
  /** Which end of the connection this is. */
  readonly role: 'client' | 'server'
  /** The other end. */
  readonly peer: PeerInfo
  /** `draining`: GOAWAY sent or received; open streams go on, no new ones start. */
  readonly state: 'connecting' | 'open' | 'draining' | 'closed'
  /** Streams that are open or waiting to be opened. */
  readonly openStreams: number
  /** The last SETTINGS of the peer, and ours. */
  readonly remoteSettings: Settings
  /** The SETTINGS we sent last. */
  readonly localSettings: Settings
  /**
   * Client only: a new stream, to be started with `sendHeaders`. Beyond the peer's
   * SETTINGS_MAX_CONCURRENT_STREAMS it waits for its turn (RFC 9113 §5.1.2).
   */
  open(listener: StreamListener, options?: OpenOptions): Http2Stream
  /** Measures a round trip (RFC 9113 §6.7). `onResult` is called once, with an error if the connection ends first. */
  ping(onResult: (error: Error | undefined, roundTripMs: number) => void): void
  /** Graceful end: GOAWAY, open streams finish, then the socket closes. */
  close(): void
  /** Ends at once: GOAWAY with `code` (default NO_ERROR) and `reason` as debug data, then the socket is destroyed. */
  destroy(code?: number, reason?: string): void
  /** Whether the connection keeps the process alive; it does when new, and a caller may switch it. */
  ref(): void
  /** Lets the process end although the connection is open. */
  unref(): void
}

/** Options of one stream. */
export interface OpenOptions {
  /** Urgency among the streams of the connection (RFC 9218); default urgency 3. */
  priority?: Priority
  /** True if `sendTrailers` will end the request; the `node` engine must know before the headers. Default false. */
  trailers?: boolean
}

/** Where to connect or listen: a TCP host and port, or a socket's path (`\0name` for an abstract one). */
export type SocketAddress = { host: string; port: number } | { path: string }

/** TLS of a client; the ALPN protocol is always `h2`. */
export interface ClientTls {
  /** PEM root certificates; default Node's. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** PEM client certificate chain and its key. */
  cert?: string | Uint8Array
  /** PEM key of the client certificate. */
  key?: string | Uint8Array
  /** Name for SNI and for verifying the certificate; default the host. */
  servername?: string
  /** False accepts any certificate (tests only); default true. */
  rejectUnauthorized?: boolean
  /** Called with each line of the TLS key log (NSS format). */
  onKeylog?: (line: Uint8Array) => void
}

/** TLS of a server; the ALPN protocol is always `h2`. */
export interface ServerTls {
  /** PEM certificate chain and its key. */
  cert: string | Uint8Array
  /** PEM key of the certificate. */
  key: string | Uint8Array
  /** PEM roots for client certificates. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** `none` asks for no client certificate, `request` takes one, `require` refuses clients without; default `none`, or `require` with `ca`. */
  clientCertificate?: 'none' | 'request' | 'require'
  /** Called with each line of the TLS key log (NSS format). */
  onKeylog?: (line: Uint8Array) => void
}

/** Limits and settings that both engines take; each engine documents further ones. */
export interface EngineOptions {
  /** SETTINGS_MAX_CONCURRENT_STREAMS we advertise; server default 256, Infinity for no limit. */
  maxConcurrentStreams?: number
  /** SETTINGS_MAX_HEADER_LIST_SIZE we advertise and enforce, in octets (RFC 9113 §10.5.1); default 16384, Infinity for no limit. */
  maxHeaderListSizeOctets?: number
  /** Receive window of a stream, in octets; default 1 MiB. */
  streamWindowOctets?: number
  /** Receive window of the connection, in octets; default 4 MiB. */
  connectionWindowOctets?: number
  /** Octets queued on a stream above which `sendData` returns false; default 65536. */
  sendBufferOctets?: number
  /** Time for TCP, TLS, preface and SETTINGS, in milliseconds; default 20000 for a client, 10000 for a server. */
  handshakeTimeoutMs?: number
  /**
   * `node` engine: how often a session is checked for having been given up by node:http2 without a word, in
   * milliseconds, 0 for never; default 1000. The check sends nothing; for peers that vanish see `ping`.
   */
  watchdogIntervalMs?: number
  /** Silence of the peer after which we send a PING (gRFC A8), in milliseconds; default Infinity: none. */
  keepaliveTimeMs?: number
  /** Time for any sign of life after that PING, before the connection is given up, in milliseconds; default 20000. */
  keepaliveTimeoutMs?: number
  /** True pings while no stream is open too; servers may take that for abuse. Default false. */
  keepaliveWithoutCalls?: boolean
}

/** Options of a client connection. */
export interface ConnectOptions extends EngineOptions {
  /** TLS; absent means HTTP/2 with prior knowledge in the clear. */
  tls?: ClientTls
}

/** Options of a listening server. */
export interface ListenOptions extends EngineOptions {
  /** TLS; absent means HTTP/2 with prior knowledge in the clear. A function gives what is current for each connection. */
  tls?: ServerTls | (() => ServerTls)
  /**
   * Shortest time between a client's pings, in milliseconds (gRFC A9); without open streams it is two hours. A client
   * that comes too early three times gets GOAWAY ENHANCE_YOUR_CALM `too_many_pings`; response HEADERS and DATA wipe
   * the slate clean. Default 0: any pace.
   */
  minPingIntervalMs?: number
  /** True lets a client ping as often without open streams as with them; default false. */
  permitPingsWithoutCalls?: boolean
  /** Age at which a connection is drained by GOAWAY (gRFC A9), in milliseconds, spread by 10 % either way; default Infinity. */
  maxConnectionAgeMs?: number
  /** Time from there until the streams that are still open are cut, in milliseconds; default Infinity. */
  maxConnectionAgeGraceMs?: number
  /** Time without open streams after which a connection is drained, in milliseconds; default Infinity. */
  maxConnectionIdleMs?: number
}

/** What a listening server tells. */
export interface ServerListener {
  /** A connection was accepted (its TLS handshake is done, its preface is not): `onOpen` follows, or `onClose`. */
  onConnection(connection: Http2Connection): ConnectionListener
  /**
   * A connection failed before its `onOpen` (TLS, preface, HTTP/1.1 client); it is closed already. Told for
   * logging, also where `onConnection` was called and `onClose` tells the same.
   */
  onFailure?(error: ConnectionError): void
}

/** A listening server. */
export interface Http2Server {
  /** As in `127.0.0.1:50051` with the real port, or `unix:/run/x.sock`. */
  readonly address: string
  /** The connections that are open now. */
  readonly connections: ReadonlySet<Http2Connection>
  /** Stops accepting; open connections go on. Resolves when the listening socket is closed. */
  close(): Promise<void>
}

/** An implementation of HTTP/2: the two of this package are `nodeEngine` and `pureEngine`. */
export interface Http2Engine {
  /** By which options choose it. */
  readonly name: EngineName
  /** Starts a connection; failures are told by `listener.onClose`. */
  connect(address: SocketAddress, options: ConnectOptions, listener: ConnectionListener): Http2Connection
  /** Starts to listen. @throws the socket's error, for example EADDRINUSE (as a rejection) */
  listen(address: SocketAddress, options: ListenOptions, listener: ServerListener): Promise<Http2Server>
  /** Speaks HTTP/2 as a client on a connected duplex stream handed in by the caller. */
  connectOn(duplex: Duplex, options: ConnectOptions, listener: ConnectionListener): Http2Connection
  /** Speaks HTTP/2 as a server on a connected duplex stream handed in by the caller. */
  acceptOn(duplex: Duplex, options: ListenOptions, listener: ServerListener): Http2Connection
}
