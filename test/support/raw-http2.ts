/**
 * A raw HTTP/2 peer for tests: writes any octets, and parses what comes into frames. It has no rules of its
 * own, so that it can break those of the specification. Independent of `src`.
 */
import net from 'node:net'
import type { Duplex } from 'node:stream'

/** The client's connection preface (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Frame types (RFC 9113 §6). */
export const Type = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4

/** One frame as it came. */
export interface RawFrame {
  type: number
  flags: number
  streamId: number
  payload: Buffer
}

/** A frame's octets. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}

/** A field block of literals without indexing and without Huffman (RFC 7541 §6.2.2). */
export function fieldBlock(...fields: string[]): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i < fields.length; i += 2) {
    parts.push(Buffer.from([0]), literal(fields[i] ?? ''), literal(fields[i + 1] ?? ''))
  }
  return Buffer.concat(parts)
}

function literal(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1')
  const length: number[] = []
  let rest = octets.length
  if (rest < 127) length.push(rest)
  else {
    length.push(127)
    for (rest -= 127; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
    length.push(rest)
  }
  return Buffer.concat([Buffer.from(length), octets])
}

export const u32 = (value: number): Buffer => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value >>> 0)
  return octets
}

export const settingsFrame = (...pairs: [number, number][]): Buffer =>
  frame(
    Type.SETTINGS,
    0,
    0,
    Buffer.concat(
      pairs.map(([id, value]) => {
        const octets = Buffer.alloc(6)
        octets.writeUInt16BE(id)
        octets.writeUInt32BE(value, 2)
        return octets
      }),
    ),
  )
export const settingsAck = (): Buffer => frame(Type.SETTINGS, ACK, 0)
export const rstFrame = (streamId: number, code: number): Buffer =>
  frame(Type.RST_STREAM, 0, streamId, u32(code))
export const goawayFrame = (lastStreamId: number, code: number, debug = ''): Buffer =>
  frame(Type.GOAWAY, 0, 0, Buffer.concat([u32(lastStreamId), u32(code), Buffer.from(debug)]))
export const headersFrame = (streamId: number, endStream: boolean, ...fields: string[]): Buffer =>
  frame(Type.HEADERS, END_HEADERS | (endStream ? END_STREAM : 0), streamId, fieldBlock(...fields))
export const dataFrame = (streamId: number, endStream: boolean, payload: Uint8Array | string): Buffer =>
  frame(Type.DATA, endStream ? END_STREAM : 0, streamId, Buffer.from(payload))

/** A plain POST request's fields. */
export const REQUEST_FIELDS = [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':path',
  '/t.S/M',
  ':authority',
  'test',
  'te',
  'trailers',
]

/** The other end of a connection, spoken to in octets. */
export class RawPeer {
  readonly socket: Duplex
  readonly frames: RawFrame[] = []
  /** Everything that came, where it is no HTTP/2. */
  octets: Buffer = Buffer.alloc(0)
  ended = false
  closed = false
  #parsed = 0
  #skip: number
  readonly #waiters = new Set<() => void>()

  /** @param skipOctets not parsed as frames: the preface, on the server's side */
  constructor(socket: Duplex, skipOctets: number) {
    this.socket = socket
    this.#skip = skipOctets
    socket.on('data', (chunk: Buffer) => {
      this.octets = Buffer.concat([this.octets, chunk])
      this.#parse()
      this.#wake()
    })
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  #parse(): void {
    if (this.#skip > 0) {
      if (this.octets.length < this.#skip) return
      this.#parsed = this.#skip
      this.#skip = 0
    }
    while (this.octets.length - this.#parsed >= 9) {
      const length = this.octets.readUIntBE(this.#parsed, 3)
      const end = this.#parsed + 9 + length
      if (this.octets.length < end) return
      this.frames.push({
        type: this.octets[this.#parsed + 3] ?? 0,
        flags: this.octets[this.#parsed + 4] ?? 0,
        streamId: this.octets.readUInt32BE(this.#parsed + 5) & 0x7fffffff,
        payload: this.octets.subarray(this.#parsed + 9, end),
      })
      this.#parsed = end
    }
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
  }

  /** Resolves when `ready` answers something else than undefined, looking again at every octet. */
  until<T>(ready: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const found = ready()
        if (found === undefined) return
        this.#waiters.delete(look)
        resolve(found)
      }
      this.#waiters.add(look)
      look()
    })
  }

  /** The first frame of a type (and stream) that came or will come. */
  frame(type: number, streamId?: number): Promise<RawFrame> {
    return this.until(() =>
      this.frames.find((f) => f.type === type && (streamId ?? f.streamId) === f.streamId),
    )
  }

  /** Resolves when the other side has ended or closed. */
  async gone(): Promise<void> {
    await this.until(() => this.ended || this.closed || undefined)
  }

  write(...octets: Uint8Array[]): void {
    this.socket.write(Buffer.concat(octets))
  }
}

/** Connects as a raw client; with `greet` the preface and SETTINGS are exchanged first. */
export async function rawClient(
  address: { host: string; port: number } | { path: string },
  greet = true,
): Promise<RawPeer> {
  const socket = net.connect(address)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  const peer = new RawPeer(socket, 0)
  if (greet) {
    peer.write(PREFACE, settingsFrame())
    await peer.frame(Type.SETTINGS)
    peer.write(settingsAck())
  }
  return peer
}

/** A raw server: each connection is told to `onPeer`. */
export class RawServer {
  readonly server: net.Server
  readonly peers: RawPeer[] = []
  readonly address: { host: string; port: number }

  private constructor(server: net.Server, port: number) {
    this.server = server
    this.address = { host: '127.0.0.1', port }
  }

  /** @param onPeer called for each connection, before any octet; `greet` on the peer for SETTINGS */
  static async start(onPeer: (peer: RawPeer, socket: net.Socket) => void): Promise<RawServer> {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const raw = new RawServer(server, (server.address() as net.AddressInfo).port)
    server.on('connection', (socket) => {
      const peer = new RawPeer(socket, PREFACE.length)
      raw.peers.push(peer)
      onPeer(peer, socket)
    })
    return raw
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }
}

/** Sends SETTINGS and acknowledges the client's. */
export async function greetAsServer(peer: RawPeer, ...settings: [number, number][]): Promise<void> {
  peer.write(settingsFrame(...settings))
  await peer.frame(Type.SETTINGS)
  peer.write(settingsAck())
}
