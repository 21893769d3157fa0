/** Writes the octets of connections for the inspector's tests: frames, field blocks and messages by hand. */
import { Dissector, type DissectorOptions } from '../../src/inspect/dissector.ts'
import type { InspectEvent, Sender } from '../../src/inspect/events.ts'
import {
  CONNECTION_PREFACE,
  FrameType,
  HpackEncoder,
  OctetWriter,
  ProtobufWriter,
  writeMessagePrefix,
  writeRawFrame,
} from '../../src/wire/index.ts'

/** A Length-Prefixed-Message around `octets`. */
export function prefixed(octets: Uint8Array, compressed = false): Uint8Array {
  const message = new Uint8Array(5 + octets.length)
  writeMessagePrefix(message, 0, compressed, octets.length)
  message.set(octets, 5)
  return message
}

/** A message with one text field. */
export function hello(text: string): Uint8Array {
  return new ProtobufWriter().field(1, 'string', text).finish()
}

/** What one end sends, frame after frame. */
export class Sent {
  readonly out = new OctetWriter()
  readonly #encoder = new HpackEncoder()

  preface(): this {
    this.out.octets(CONNECTION_PREFACE)
    return this
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array()): this {
    writeRawFrame(this.out, { type, flags, streamId, payload })
    return this
  }

  settings(...pairs: [identifier: number, value: number][]): this {
    const payload = Buffer.alloc(pairs.length * 6)
    for (const [i, [identifier, value]] of pairs.entries()) {
      payload.writeUInt16BE(identifier, i * 6)
      payload.writeUInt32BE(value, i * 6 + 2)
    }
    return this.frame(FrameType.SETTINGS, 0, 0, payload)
  }

  block(...fields: string[]): Uint8Array {
    const out = new OctetWriter()
    this.#encoder.encode(fields, out)
    return out.take()
  }

  headers(streamId: number, endStream: boolean, ...fields: string[]): this {
    return this.frame(FrameType.HEADERS, endStream ? 5 : 4, streamId, this.block(...fields))
  }

  request(streamId: number, path: string, ...more: string[]): this {
    const fields = [':method', 'POST', ':scheme', 'http', ':path', path, ':authority', 'x']
    return this.headers(streamId, false, ...fields, 'content-type', 'application/grpc', ...more)
  }

  response(streamId: number, ...more: string[]): this {
    return this.headers(streamId, false, ':status', '200', 'content-type', 'application/grpc', ...more)
  }

  data(streamId: number, octets: Uint8Array, endStream = false): this {
    return this.frame(FrameType.DATA, endStream ? 1 : 0, streamId, octets)
  }

  get octets(): Uint8Array {
    return Uint8Array.from(this.out.view())
  }
}

/** A dissector that keeps its events. */
export class Recorder {
  readonly events: InspectEvent[] = []
  readonly dissector: Dissector
  #timeMs = 0

  constructor(options: Omit<DissectorOptions, 'onEvent'> = {}) {
    this.dissector = new Dissector({ ...options, onEvent: (event) => this.events.push(event) })
  }

  /** Pushes what was sent in pieces of `pieceOctets`, one millisecond after the other. */
  push(sender: Sender, sent: Sent | Uint8Array, pieceOctets: number = Number.POSITIVE_INFINITY): this {
    const octets = sent instanceof Sent ? sent.octets : sent
    for (let at = 0; at < octets.length; at += pieceOctets) {
      this.dissector.push(
        sender,
        octets.subarray(at, Math.min(octets.length, at + pieceOctets)),
        this.#timeMs++,
      )
    }
    return this
  }

  /** The events of one type. */
  of<T extends InspectEvent['type']>(type: T): (InspectEvent & { type: T })[] {
    return this.events.filter((event): event is InspectEvent & { type: T } => event.type === type)
  }
}
