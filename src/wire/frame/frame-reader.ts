/**
 * Octets in, frame objects out: the decoder for those who want to look at frames rather than be fast.
 *
 * One object a frame, with its absolute offset, once what it says is complete (padding may still be on its way).
 */
import { WireError } from '../wire-error.ts'
import { readAscii } from './ascii.ts'
import { FrameDecoder, type FrameDecoderOptions } from './decoder.ts'
import type { Frame, FrameContent, InvalidContent, PriorityFields, Setting } from './frame.ts'
import { readOrigins } from './origin.ts'
import type { FrameSink } from './sink.ts'
import { Flag } from './types.ts'

/**
 * Incremental reader of frame objects.
 *
 * `data` of a DATA frame that came in one piece is a view of the chunk; all other octets are copies.
 *
 * @example
 * const reader = new FrameReader()
 * socket.on('data', chunk => reader.push(chunk).forEach(frame => console.log(describeFrame(frame))))
 */
export class FrameReader {
  readonly #decoder: FrameDecoder
  readonly #collector: FrameCollector

  /** @param options as those of `FrameDecoder` */
  constructor(options: FrameDecoderOptions = {}) {
    this.#collector = new FrameCollector()
    this.#decoder = new FrameDecoder(this.#collector, options)
    this.#collector.decoder = this.#decoder
  }

  /**
   * Decodes octets `start` to `end` of `chunk`.
   *
   * Never throws because of what the octets are: a frame that breaks a rule is of kind `INVALID`. If its error's
   * scope is `connection` nothing after it can be read, and further calls return nothing.
   *
   * @returns the frames that these octets completed
   */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): Frame[] {
    if (this.error === undefined) {
      try {
        this.#decoder.push(chunk, start, end)
      } catch (error) {
        if (!(error instanceof WireError)) throw error
        this.#collector.fail(error)
      }
    }
    return this.#collector.take()
  }

  /** The violation after which nothing can be read any more. */
  get error(): WireError | undefined {
    return this.#collector.error
  }

  /** True between frames: no frame and no field block has begun and is not complete. */
  get atFrameBoundary(): boolean {
    return this.#decoder.atFrameBoundary
  }

  /** SETTINGS_MAX_FRAME_SIZE that the frames have to keep, in octets. */
  get maxFrameSize(): number {
    return this.#decoder.maxFrameSize
  }

  set maxFrameSize(sizeOctets: number) {
    this.#decoder.maxFrameSize = sizeOctets
  }
}

/**
 * The frames in `octets`, which end where a frame ends.
 *
 * @returns in wire order; a frame that breaks a rule of its stream only is of kind `INVALID`
 * @throws WireError if a frame breaks a rule of the connection, or the octets end inside a frame
 *
 * @example
 * decodeFrames(octets).map(describeFrame)
 */
export function decodeFrames(octets: Uint8Array, options: FrameDecoderOptions = {}): Frame[] {
  const reader = new FrameReader(options)
  const frames = reader.push(octets)
  if (reader.error !== undefined) throw reader.error
  if (!reader.atFrameBoundary) {
    throw new WireError('octets end inside a frame or a field block, allowed is after one', {
      layer: 'frame',
      section: 'RFC 9113 §4.1',
      offset: (options.offset ?? 0) + octets.length,
    })
  }
  return frames
}

/** The sink that makes frame objects. */
class FrameCollector implements FrameSink {
  decoder!: FrameDecoder
  error: WireError | undefined
  #frames: Frame[] = []
  #pieces: Uint8Array[] = []
  #dataLeft = 0
  #padLength = -1
  #settings: Setting[] = []
  #priority: PriorityFields | undefined

  take(): Frame[] {
    const frames = this.#frames
    this.#frames = []
    return frames
  }

  fail(error: WireError): void {
    this.error = error
    this.onStreamError(error)
  }

  #add(content: FrameContent | InvalidContent): void {
    const { type, flags, streamId, length, offset } = this.decoder
    this.#frames.push(Object.assign(content, { type, flags, streamId, length, offset }))
  }

  onDataStart(_streamId: number, sizeOctets: number, paddingOctets: number, endStream: boolean): void {
    this.#dataLeft = sizeOctets - paddingOctets
    this.#padLength = paddingOctets - 1
    // Without END_STREAM no piece tells that an empty frame is over.
    if (this.#dataLeft === 0 && !endStream) this.#addData()
  }

  onDataPiece(_streamId: number, chunk: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (end > start) this.#pieces.push(chunk.subarray(start, end))
    this.#dataLeft -= end - start
    const isLast = (this.decoder.flags & Flag.END_STREAM) === 0 ? this.#dataLeft === 0 : endStream
    if (isLast) this.#addData()
  }

  #addData(): void {
    const pieces = this.#pieces
    const data = pieces.length === 1 ? pieces[0]! : Uint8Array.from(Buffer.concat(pieces))
    this.#pieces = []
    const { streamId, flags } = this.decoder
    const padding = this.#padLength < 0 ? {} : { padLength: this.#padLength }
    this.#add({ kind: 'DATA', streamId, endStream: (flags & Flag.END_STREAM) !== 0, data, ...padding })
  }

  onHeaders(
    streamId: number,
    endStream: boolean,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    const priority = this.#priority
    this.#priority = undefined
    const fields = (this.decoder.flags & Flag.PRIORITY) === 0 ? 0 : 5
    this.#add({
      kind: 'HEADERS',
      streamId,
      endStream,
      endHeaders,
      fragment: chunk.slice(start, end),
      ...(priority === undefined ? {} : { priority }),
      ...this.#padding(fields + end - start),
    })
  }

  /** @param contentOctets octets of payload that are no padding */
  #padding(contentOctets: number): { padLength?: number } {
    const { flags, length } = this.decoder
    return (flags & Flag.PADDED) === 0 ? {} : { padLength: length - 1 - contentOctets }
  }

  onHeadersPriority(_streamId: number, dependency: number, weight: number, exclusive: boolean): void {
    this.#priority = { dependency, weight, exclusive }
  }

  onContinuation(streamId: number, endHeaders: boolean, chunk: Uint8Array, start: number, end: number): void {
    this.#add({ kind: 'CONTINUATION', streamId, endHeaders, fragment: chunk.slice(start, end) })
  }

  onPriority(streamId: number, dependency: number, weight: number, exclusive: boolean): void {
    this.#add({ kind: 'PRIORITY', streamId, dependency, weight, exclusive })
  }

  onRstStream(streamId: number, code: number): void {
    this.#add({ kind: 'RST_STREAM', streamId, code })
  }

  onSetting(identifier: number, value: number): void {
    this.#settings.push({ identifier, value })
  }

  onSettings(_count: number): void {
    this.#add({ kind: 'SETTINGS', ack: false, settings: this.#settings })
    this.#settings = []
  }

  onSettingsAck(): void {
    this.#add({ kind: 'SETTINGS', ack: true, settings: [] })
  }

  onPushPromise(
    streamId: number,
    promisedStreamId: number,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#add({
      kind: 'PUSH_PROMISE',
      streamId,
      promisedStreamId,
      endHeaders,
      fragment: chunk.slice(start, end),
      ...this.#padding(4 + end - start),
    })
  }

  onPing(ack: boolean, chunk: Uint8Array, start: number): void {
    this.#add({ kind: 'PING', ack, data: chunk.slice(start, start + this.decoder.length) })
  }

  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void {
    this.#add({ kind: 'GOAWAY', lastStreamId, code, debugData: chunk.slice(start, end) })
  }

  onWindowUpdate(streamId: number, increment: number): void {
    this.#add({ kind: 'WINDOW_UPDATE', streamId, increment })
  }

  onAltsvc(streamId: number, chunk: Uint8Array, originStart: number, valueStart: number, end: number): void {
    const origin = readAscii(chunk, originStart, valueStart)
    this.#add({ kind: 'ALTSVC', streamId, origin, value: readAscii(chunk, valueStart, end) })
  }

  onOrigin(chunk: Uint8Array, start: number, end: number): void {
    this.#add({ kind: 'ORIGIN', origins: readOrigins(chunk, start, end) })
  }

  onPriorityUpdate(prioritizedStreamId: number, chunk: Uint8Array, start: number, end: number): void {
    this.#add({ kind: 'PRIORITY_UPDATE', prioritizedStreamId, value: readAscii(chunk, start, end) })
  }

  onIgnored(
    type: number,
    flags: number,
    streamId: number,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#add({ kind: 'IGNORED', type, flags, streamId, payload: chunk.slice(start, end) })
  }

  onStreamError(error: WireError): void {
    this.#add({ kind: 'INVALID', error })
  }
}
