/**
 * A connection core under a virtual clock, spoken to in frames: what is sent to it, what it answers and what its
 * listeners hear are written down as lines. No socket, no timer, no waiting.
 */

import type { ConnectionError, StreamError } from '../../../../src/http2/errors.ts'
import { ConnectionCore } from '../../../../src/http2/pure/connection-core.ts'
import {
  type PureConnectOptions,
  type PureListenOptions,
  resolveOptions,
} from '../../../../src/http2/pure/options.ts'
import type { PureStream } from '../../../../src/http2/pure/stream.ts'
import type {
  Fields,
  Goaway,
  Http2Connection,
  Http2Stream,
  StreamListener,
} from '../../../../src/http2/transport.ts'
import { CONNECTION_PREFACE } from '../../../../src/wire/frame/connection-preface.ts'
import { describeFrame } from '../../../../src/wire/frame/describe.ts'
import { errorCodeName } from '../../../../src/wire/frame/error-codes.ts'
import type { Frame, FrameContent, HeadersContent } from '../../../../src/wire/frame/frame.ts'
import { FrameReader } from '../../../../src/wire/frame/frame-reader.ts'
import { writeFrame } from '../../../../src/wire/frame/write-frame.ts'
import { HpackDecoder } from '../../../../src/wire/hpack/decoder.ts'
import { HpackEncoder } from '../../../../src/wire/hpack/encoder.ts'
import { OctetWriter } from '../../../../src/wire/octets.ts'

export const GET: Fields = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'x']
export const POST: Fields = [':method', 'POST', ':scheme', 'http', ':path', '/p.S/M', ':authority', 'x']
export const OK: Fields = [':status', '200']

/** Hears one stream and writes it down as lines; what happens in each call can be set. */
export class StreamLog implements StreamListener {
  readonly lines: string[] = []
  stream: Http2Stream | undefined
  error: StreamError | ConnectionError | undefined
  closed = false
  /** Give credit back at once. */
  consumes = true
  on: Partial<StreamListener> = {}

  onHeaders(fields: Fields, endStream: boolean): void {
    this.lines.push(`headers ${fields.join(' ')}${endStream ? ' end' : ''}`)
    this.on.onHeaders?.(fields, endStream)
  }

  onData(chunk: Uint8Array, start: number, end: number): void {
    this.lines.push(`data ${end - start}`)
    if (this.consumes) this.stream?.consume(end - start)
    this.on.onData?.(chunk, start, end)
  }

  onTrailers(fields: Fields): void {
    this.lines.push(`trailers ${fields.join(' ')}`)
    this.on.onTrailers?.(fields)
  }

  onEnd(): void {
    this.lines.push('end')
    this.on.onEnd?.()
  }

  onDrain(): void {
    this.lines.push('drain')
    this.on.onDrain?.()
  }

  onClose(error?: StreamError | ConnectionError): void {
    if (this.closed) throw new Error('onClose twice')
    this.closed = true
    this.error = error
    this.lines.push(error === undefined ? 'close' : `close ${errorCodeName(error.code ?? 0)}`)
    this.on.onClose?.(error)
  }
}

/** A request as the server side got it. */
export interface Request {
  stream: PureStream
  fields: Fields
  log: StreamLog
}

/** One core and the test as its peer. */
export class CoreDialogue {
  readonly core: ConnectionCore
  readonly role: 'client' | 'server'
  nowMs = 1_000_000
  /** What the connection's listener heard. */
  readonly events: string[] = []
  readonly requests: Request[] = []
  closeError: ConnectionError | undefined
  readonly encoder = new HpackEncoder()
  readonly decoder = new HpackDecoder({ maxHeaderListSizeOctets: Number.POSITIVE_INFINITY })
  readonly #reader = new FrameReader({ maxFrameSize: 16_777_215 })
  #prefaceLeft = 0
  /** What a server does with a request; default nothing. */
  onRequest: (request: Request) => void = () => {}
  onPush: ((stream: PureStream, request: Fields) => StreamListener | undefined) | undefined

  constructor(role: 'client' | 'server', options: PureConnectOptions | PureListenOptions = {}) {
    this.role = role
    this.core = new ConnectionCore(role, resolveOptions(options, role), this, this.nowMs, 0.5)
    this.core.context.connection = { role } as Http2Connection
    this.core.context.listener = {
      onOpen: () => this.events.push('open'),
      onStream: (stream, fields) => {
        const log = new StreamLog()
        log.stream = stream
        const request = { stream: stream as PureStream, fields, log }
        this.requests.push(request)
        this.onRequest(request)
        return log
      },
      onGoaway: ({ code, lastStreamId, debugData }: Goaway) =>
        this.events.push(
          `goaway ${errorCodeName(code)} ${lastStreamId}${debugData === '' ? '' : ` ${debugData}`}`,
        ),
      onClose: (error) => {
        this.closeError = error
        this.events.push(`close${error === undefined ? '' : ` ${errorCodeName(error.code ?? 0)}`}`)
      },
      onPush: (stream: PureStream, request: Fields) => this.onPush?.(stream, request),
    } as ConnectionCore['context']['listener']
    if (role === 'client') this.#prefaceLeft = CONNECTION_PREFACE.length
    this.core.start(this.nowMs)
  }

  /** A server whose client has said hello and whose SETTINGS are acknowledged. */
  static server(options: PureListenOptions = {}, clientSettings: [number, number][] = []): CoreDialogue {
    const dialogue = new CoreDialogue('server', options)
    dialogue.hearOctets(CONNECTION_PREFACE)
    dialogue.hear(settings(clientSettings), settingsAck())
    dialogue.said()
    return dialogue
  }

  /** A client whose server has said hello and acknowledged. */
  static client(options: PureConnectOptions = {}, serverSettings: [number, number][] = []): CoreDialogue {
    const dialogue = new CoreDialogue('client', options)
    dialogue.hear(settings(serverSettings), settingsAck())
    dialogue.said()
    return dialogue
  }

  wake(): void {
    this.core.context.nowMs = this.nowMs
  }

  /** The peer's octets, whole. */
  hearOctets(octets: Uint8Array): void {
    this.core.receive(octets, this.nowMs)
    this.core.turn()
  }

  /** Frames of the peer, in one chunk. */
  hear(...frames: (FrameContent | Uint8Array)[]): void {
    this.hearOctets(frameOctets(...frames))
  }

  /** HEADERS with its field block, encoded for this dialogue. */
  headers(streamId: number, fields: Fields, endStream = false): HeadersContent {
    const out = new OctetWriter()
    this.encoder.encode(fields, out)
    return { kind: 'HEADERS', streamId, endStream, endHeaders: true, fragment: out.take() }
  }

  /** Lets time pass, to the next deadline or by `ms`. */
  pass(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const due = this.core.nextTimeoutMs()
      if (due > end) break
      this.nowMs = Math.max(due, this.nowMs)
      this.core.handleTimeout(this.nowMs)
      this.core.turn()
    }
    this.nowMs = end
    this.core.handleTimeout(this.nowMs)
    this.core.turn()
  }

  /** Octets the core wants to send, taken. */
  takeOctets(): Buffer {
    this.core.turn()
    const octets = Buffer.concat(this.core.takeOutput())
    this.core.outputTaken(true)
    this.core.turn()
    return octets
  }

  /** Frames the core has sent since the last time. */
  saidFrames(): Frame[] {
    const frames: Frame[] = []
    for (;;) {
      const octets = this.takeOctets()
      if (octets.length === 0) return frames
      const from = Math.min(this.#prefaceLeft, octets.length)
      this.#prefaceLeft -= from
      frames.push(...this.#reader.push(octets.subarray(from)))
    }
  }

  /** As {@link CoreDialogue.saidFrames}, as lines; a header section with its fields. */
  said(): string[] {
    return this.saidFrames().map((frame) => {
      if (frame.kind === 'HEADERS' || frame.kind === 'PUSH_PROMISE') {
        const fields = this.decoder.decode(frame.fragment)
        const promise = frame.kind === 'PUSH_PROMISE' ? ` ${frame.promisedStreamId}` : ''
        const end = frame.kind === 'HEADERS' && frame.endStream ? ' END_STREAM' : ''
        return `${frame.kind} ${frame.streamId}${promise}${end}: ${fields.join(' ')}`
      }
      return describeFrame(frame)
    })
  }

  /** A client's stream with a listener that writes down what it hears. */
  open(): { stream: PureStream; log: StreamLog } {
    const log = new StreamLog()
    const stream = this.core.open(log)
    log.stream = stream
    return { stream, log }
  }

  /** The socket is closed. */
  gone(cause?: Error): void {
    this.core.socketClosed(this.nowMs, cause)
    this.core.tellEnd()
  }

  /** The GOAWAY among the frames sent, as its line with all debug data. */
  goaway(): string {
    for (const frame of this.saidFrames()) {
      if (frame.kind !== 'GOAWAY') continue
      const debug = frame.debugData.length === 0 ? '' : `, "${Buffer.from(frame.debugData).toString()}"`
      return `GOAWAY connection ${errorCodeName(frame.code)}, last stream ${frame.lastStreamId}${debug}`
    }
    return 'no GOAWAY'
  }
}

export function frameOctets(...frames: (FrameContent | Uint8Array)[]): Buffer {
  const out = new OctetWriter()
  for (const frame of frames) {
    if (frame instanceof Uint8Array) out.octets(frame)
    else writeFrame(out, frame)
  }
  return Buffer.from(out.take())
}

export function settings(entries: [number, number][] = []): FrameContent {
  return {
    kind: 'SETTINGS',
    ack: false,
    settings: entries.map(([identifier, value]) => ({ identifier, value })),
  }
}

export function settingsAck(): FrameContent {
  return { kind: 'SETTINGS', ack: true, settings: [] }
}

export function data(
  streamId: number,
  octets: number | Uint8Array,
  endStream = false,
  padLength?: number,
): FrameContent {
  return {
    kind: 'DATA',
    streamId,
    endStream,
    data: typeof octets === 'number' ? Buffer.alloc(octets, 0x61) : octets,
    ...(padLength === undefined ? {} : { padLength }),
  }
}

export function reset(streamId: number, code = 8): FrameContent {
  return { kind: 'RST_STREAM', streamId, code }
}

export function windowUpdate(streamId: number, increment: number): FrameContent {
  return { kind: 'WINDOW_UPDATE', streamId, increment }
}

export function ping(ack = false, data: Uint8Array = Buffer.from('12345678')): FrameContent {
  return { kind: 'PING', ack, data }
}

export function goaway(lastStreamId: number, code = 0, debug = ''): FrameContent {
  return { kind: 'GOAWAY', lastStreamId, code, debugData: Buffer.from(debug) }
}
