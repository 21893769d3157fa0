/**
 * Takes the raw octets of one connection, both directions from octet 0, and tells what they mean: frames,
 * fields, messages, records, status.
 *
 * It has no clock and no socket. What it keeps is bounded by its options, whatever the peers send; it never
 * throws because of octets, but tells an `error` event and reads on where that is possible.
 */
import { FRAME_HEADER_OCTETS, type Frame, WireError } from '../wire/index.ts'
import { CallDissection, type MessageParts } from './call-dissection.ts'
import { Direction } from './direction.ts'
import type { InspectEvent, Sender } from './events.ts'
import type { FieldBlock } from './field-block.ts'
import type { Schema } from './schema.ts'

/** Options of a {@link Dissector}. */
export interface DissectorOptions {
  /** Called with each event, synchronously, in the order of the octets. What it throws reaches who pushed. */
  onEvent: (event: InspectEvent) => void
  /** Names methods and fields; without it messages are guessed. */
  schema?: Schema | undefined
  /** Number of the connection in its events; default 1. */
  connection?: number
  /** Octets kept of a message, as sent and decompressed; default 65536. */
  keptMessageOctets?: number
  /** Records that one message is taken apart into; default 10000. */
  maxRecords?: number
  /** Streams followed at once; the oldest is forgotten for a further one. Default 1000. */
  maxStreams?: number
  /** Octets of a field block, as sent and decoded; default 262144. */
  maxFieldBlockOctets?: number
}

/**
 * The inspector of one connection.
 *
 * @example
 * const dissector = new Dissector({ onEvent: (event) => console.log(event.type) })
 * dissector.push('client', octetsFromClient, performance.now())
 * dissector.push('server', octetsFromServer, performance.now())
 */
export class Dissector {
  readonly #options: DissectorOptions
  readonly #connection: number
  readonly #directions: Readonly<Record<Sender, Direction>>
  readonly #calls = new Map<number, CallDissection>()
  #timeMs = 0

  constructor(options: DissectorOptions) {
    this.#options = options
    this.#connection = options.connection ?? 1
    const maxBlockOctets = options.maxFieldBlockOctets ?? 262_144
    this.#directions = {
      client: new Direction('client', maxBlockOctets),
      server: new Direction('server', maxBlockOctets),
    }
  }

  /**
   * Takes the next octets that `sender` sent.
   *
   * @param chunk cut anywhere; not kept, except for the parts that events carry
   * @param timeMs when they came, by the caller's clock
   */
  push(sender: Sender, chunk: Uint8Array, timeMs: number): void {
    const direction = this.#directions[sender]
    this.#timeMs = timeMs
    if (direction.isDead) {
      direction.receivedOctets += chunk.length
      return
    }
    try {
      const frames = direction.push(chunk, () => {
        this.#emit({ ...this.#base(sender, 0), type: 'preface', lengthOctets: 24 })
      })
      for (const frame of frames) this.#onFrame(direction, frame)
      if (direction.frameError !== undefined) direction.isDead = true
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      direction.isDead = true
      this.#error(sender, error, true)
    }
  }

  /** `sender` will send no more; with `error` if it did not close in order. */
  end(sender: Sender, timeMs: number, error?: string): void {
    this.#timeMs = timeMs
    const offset = this.#directions[sender].receivedOctets
    this.#emit({ ...this.#base(sender, offset), type: 'end', error })
  }

  #base(sender: Sender, offset: number): Pick<InspectEvent, 'connection' | 'sender' | 'timeMs' | 'offset'> {
    return { connection: this.#connection, sender, timeMs: this.#timeMs, offset }
  }

  #emit(event: InspectEvent): void {
    this.#options.onEvent(event)
  }

  #error(sender: Sender, error: WireError, fatal: boolean, streamId = error.streamId ?? 0): void {
    this.#emit({ ...this.#base(sender, error.offset ?? 0), type: 'error', streamId, error, fatal })
  }

  #onFrame(direction: Direction, frame: Frame): void {
    const { sender } = direction
    this.#emit({ ...this.#base(sender, frame.offset), type: 'frame', frame })
    switch (frame.kind) {
      case 'INVALID':
        this.#error(sender, frame.error, frame.error.scope === 'connection')
        return
      case 'SETTINGS':
        direction.onSettings(frame, this.#directions[sender === 'client' ? 'server' : 'client'])
        return
      case 'HEADERS':
      case 'PUSH_PROMISE':
      case 'CONTINUATION': {
        const block = this.#guard(sender, () => direction.addFragment(frame))
        if (block !== undefined) this.#onFieldBlock(direction, block)
        return
      }
      case 'DATA': {
        const before = frame.padLength === undefined ? FRAME_HEADER_OCTETS : FRAME_HEADER_OCTETS + 1
        this.#onData(sender, frame.streamId, frame.data, frame.offset + before)
        if (frame.endStream) this.#onEndStream(sender, frame.streamId)
        return
      }
      case 'RST_STREAM':
        this.#calls.delete(frame.streamId)
    }
  }

  /** Runs what may find a violation that does not keep frames from being read. */
  #guard<T>(sender: Sender, run: () => T, streamId?: number): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#error(sender, error, false, streamId)
      return undefined
    }
  }

  #onFieldBlock(direction: Direction, block: FieldBlock): void {
    const { sender } = direction
    if (direction.isTableLost) return
    const octets = block.octets()
    const decoded = this.#guard(sender, () => direction.inspect(octets, block.offset), block.streamId)
    if (decoded === undefined) return
    const { fields } = decoded
    const call = this.#callFor(sender, block)
    const section = call.onFields(sender, fields, block.endStream, block.promised)
    this.#emit({
      ...this.#base(sender, block.offset),
      type: 'fields',
      streamId: block.streamId,
      section,
      endStream: block.endStream,
      instructions: decoded.instructions,
      fields,
      blockOctets: block.sizeOctets,
      fieldsOctets: decoded.headerListSizeOctets,
      truncated: decoded.overflowed,
      tableEntries: decoded.tableAfter.entries.length,
      tableOctets: decoded.tableAfter.sizeOctets,
    })
    if (sender === 'server' && block.endStream) {
      const status = call.statusOf(fields)
      if (status !== undefined) {
        this.#emit({
          ...this.#base(sender, block.offset),
          type: 'status',
          streamId: block.streamId,
          ...status,
        })
      }
    }
    if (block.endStream) this.#onEndStream(sender, block.streamId)
  }

  /** The call of a field block; made for one that is new, or was forgotten. */
  #callFor(sender: Sender, block: FieldBlock): CallDissection {
    const known = this.#calls.get(block.streamId)
    if (known !== undefined) return known
    const { keptMessageOctets = 65_536, maxRecords = 10_000, maxStreams = 1000, schema } = this.#options
    const call = new CallDissection({ keptMessageOctets, maxRecords }, schema)
    if (sender === 'client' || block.promised) {
      if (this.#calls.size >= maxStreams) this.#calls.delete(this.#calls.keys().next().value!)
      this.#calls.set(block.streamId, call)
    }
    return call
  }

  #onData(sender: Sender, streamId: number, data: Uint8Array, offset: number): void {
    const call = this.#calls.get(streamId)
    if (call === undefined || data.length === 0) return
    if (call.hasMessages(sender)) {
      const tell = (parts: MessageParts): void =>
        this.#emit({ ...this.#base(sender, parts.offset), type: 'message', streamId, ...parts })
      this.#guard(sender, () => call.onData(sender, data, offset, tell), streamId)
    }
    // Also the data in which the first octet was that is no message.
    if (!call.hasMessages(sender)) {
      this.#emit({ ...this.#base(sender, offset), type: 'body', streamId, octets: data })
    }
  }

  #onEndStream(sender: Sender, streamId: number): void {
    const call = this.#calls.get(streamId)
    if (call === undefined) return
    this.#guard(sender, () => call.onEnd(sender), streamId)
    if (call.isOver) this.#calls.delete(streamId)
  }
}
