/**
 * The octets of one end of a connection: preface, frames, and field blocks with their dynamic table.
 *
 * It keeps what must be known to read on: the limits that the other end's SETTINGS gave (RFC 9113 §6.5), the
 * HPACK decoder, the field block on its way. Streams are the dissector's business.
 */
import { describeFirstOctets } from '../http2/first-octets.ts'
import {
  CONNECTION_PREFACE,
  ErrorCode,
  type Frame,
  FrameReader,
  type HpackBlock,
  HpackDecoder,
  matchConnectionPreface,
  SettingId,
  WireError,
} from '../wire/index.ts'
import type { Sender } from './events.ts'
import { FieldBlock, type FragmentFrame } from './field-block.ts'

/** Octets that are enough to tell which protocol is spoken instead of HTTP/2. */
const HEAD_OCTETS = 64

/** A SETTINGS frame that its receiver has not acknowledged yet. */
interface UnacknowledgedSettings {
  readonly headerTableSize: number | undefined
}

/** More SETTINGS than this without an ACK are dropped, oldest first. */
const MAX_UNACKNOWLEDGED = 100

/** What one end sends. */
export class Direction {
  readonly sender: Sender
  readonly #hpack: HpackDecoder
  /** Octets of this end so far. */
  receivedOctets = 0
  /** True if nothing can be read any more. */
  isDead = false
  /** True if a field block was broken or left out: the dynamic table is not known any more. */
  isTableLost = false
  /** The field block on its way. */
  block: FieldBlock | undefined = undefined
  readonly #maxBlockOctets: number
  readonly #reader: FrameReader
  readonly #head: number[] = []
  #prefaceOctets = 0
  /** SETTINGS that this end sent. */
  readonly #unacknowledged: UnacknowledgedSettings[] = []

  /** @param maxBlockOctets the largest field block that is put together */
  constructor(sender: Sender, maxBlockOctets: number) {
    this.sender = sender
    this.#maxBlockOctets = maxBlockOctets
    this.#hpack = new HpackDecoder({ maxHeaderListSizeOctets: maxBlockOctets })
    this.#reader = new FrameReader({ offset: sender === 'client' ? CONNECTION_PREFACE.length : 0 })
  }

  /**
   * Takes octets; returns the frames they completed.
   *
   * @param onPreface called when the client's connection preface is complete, before its first frame
   * @throws WireError if they are no HTTP/2; nothing can be read after that
   */
  push(chunk: Uint8Array, onPreface: () => void): Frame[] {
    this.receivedOctets += chunk.length
    for (let at = 0; at < chunk.length && this.#head.length < HEAD_OCTETS; at++) this.#head.push(chunk[at]!)
    let start = 0
    if (this.sender === 'client' && this.#prefaceOctets < CONNECTION_PREFACE.length) {
      const before = this.#prefaceOctets
      try {
        this.#prefaceOctets = matchConnectionPreface(chunk, 0, chunk.length, before)
      } catch (error) {
        throw this.#noHttp2() ?? error
      }
      if (this.#prefaceOctets < CONNECTION_PREFACE.length) return []
      onPreface()
      start = CONNECTION_PREFACE.length - before
    }
    const frames = this.#reader.push(chunk, start)
    const first = frames[0]
    if (first?.kind === 'INVALID' && first.offset === 0) {
      const error = this.#noHttp2()
      if (error !== undefined) throw error
    }
    return frames
  }

  /** What is spoken instead of HTTP/2, if the first octets tell. */
  #noHttp2(): WireError | undefined {
    const role = this.sender === 'client' ? 'server' : 'client'
    const reason = describeFirstOctets(Uint8Array.from(this.#head), role)
    if (reason === undefined) return undefined
    return new WireError(reason, {
      layer: 'frame',
      section: 'RFC 9113 §3.4',
      offset: 0,
      code: ErrorCode.PROTOCOL_ERROR,
      scope: 'connection',
    })
  }

  /** The first violation after which frames can't be read. */
  get frameError(): WireError | undefined {
    return this.#reader.error
  }

  /**
   * Adds a fragment; returns the field block when it is complete.
   *
   * @throws WireError if the block grows beyond what is put together; the table is lost then
   */
  addFragment(frame: FragmentFrame): FieldBlock | undefined {
    if (frame.kind !== 'CONTINUATION') this.block = new FieldBlock(frame)
    const block = this.block
    if (block === undefined) return undefined
    if (frame.endHeaders) this.block = undefined
    if (block.sizeOctets + frame.fragment.length > this.#maxBlockOctets) {
      this.block = undefined
      this.isTableLost = true
      throw new WireError(`field block is larger than the ${this.#maxBlockOctets} octets that are shown`, {
        layer: 'hpack',
        section: 'RFC 9113 §10.5.1',
        offset: block.offset,
        streamId: block.streamId,
      })
    }
    block.add(frame)
    return frame.endHeaders ? block : undefined
  }

  /**
   * Decodes a complete field block.
   *
   * @param offset of its first octet, on the connection
   * @throws WireError if it breaks a rule; the table is lost then
   */
  inspect(octets: Uint8Array, offset: number): HpackBlock {
    try {
      return this.#hpack.inspect(octets)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.isTableLost = true
      const { reason, layer, section, code = ErrorCode.COMPRESSION_ERROR, scope = 'connection' } = error
      throw new WireError(reason, { layer, section, code, scope, offset: offset + (error.offset ?? 0) })
    }
  }

  /** This end sent SETTINGS: they bind what `other` sends once it has acknowledged them. */
  onSettings(frame: Frame & { kind: 'SETTINGS' }, other: Direction): void {
    if (frame.ack) {
      other.#onAcknowledged(this)
      return
    }
    let headerTableSize: number | undefined
    for (const { identifier, value } of frame.settings) {
      if (identifier === SettingId.HEADER_TABLE_SIZE) headerTableSize = value
      // A larger frame is allowed from when the other end has read this, which is before its ACK.
      if (identifier === SettingId.MAX_FRAME_SIZE && value > other.#reader.maxFrameSize) {
        other.#reader.maxFrameSize = value
      }
    }
    this.#unacknowledged.push({ headerTableSize })
    if (this.#unacknowledged.length > MAX_UNACKNOWLEDGED) this.#unacknowledged.shift()
  }

  /** `other` acknowledged the oldest SETTINGS of this end (RFC 9113 §6.5.3). */
  #onAcknowledged(other: Direction): void {
    const size = this.#unacknowledged.shift()?.headerTableSize
    if (size !== undefined) other.#hpack.setMaxTableSize(Math.min(size, MAX_TABLE_OCTETS))
  }
}

/** No more than this is kept of a peer's dynamic table; larger ones are seldom allowed, and never needed. */
const MAX_TABLE_OCTETS = 1_048_576
