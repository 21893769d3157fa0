/**
 * Octets in, frames told to a sink (RFC 9113 §4): one loop over each chunk, cut wherever the network cut it.
 *
 * A frame that lies whole in its chunk is told from there. DATA is told in pieces, never copied. Any other
 * frame that is cut is put together in one scratch buffer, which grows as its octets arrive and is bounded by
 * `maxFrameSize`. Does not know the state of streams, roles, or flow control.
 */
import { copyOctets, readUint24 } from '../octets.ts'
import { readAltsvc } from './altsvc.ts'
import { checkContinuationOrder, readContinuation } from './continuation.ts'
import { checkDataHeader } from './data.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { readGoaway } from './goaway.ts'
import { type FrameHeader, readUint31 } from './header.ts'
import { readHeaders } from './headers.ts'
import { readOrigin } from './origin.ts'
import { checkPadLength } from './padding.ts'
import { readPing } from './ping.ts'
import { readPriority } from './priority.ts'
import { readPriorityUpdate } from './priority-update.ts'
import { readPushPromise } from './push-promise.ts'
import { readRstStream } from './rst-stream.ts'
import { readSettings } from './settings.ts'
import type { FrameSink } from './sink.ts'
import {
  DEFAULT_MAX_FRAME_SIZE,
  Flag,
  FRAME_HEADER_OCTETS,
  FrameType,
  frameTypeName,
  MAX_MAX_FRAME_SIZE,
} from './types.ts'
import { readWindowUpdate } from './window-update.ts'

/** Options of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** SETTINGS_MAX_FRAME_SIZE that the peer has to keep, in octets: 16384 (the default) to 16777215. */
  maxFrameSize?: number
  /** Octets before the first one given to `push`, for the offsets of errors; default 0. */
  offset?: number
}

/** What the decoder waits for. Plain numbers: compared in the hot loop. */
const AWAIT_HEADER = 0
const AWAIT_PAYLOAD = 1
const AWAIT_PAD_LENGTH = 2
const AWAIT_DATA = 3
const STOPPED = 4

const NO_OCTETS = new Uint8Array(0)

/** A scratch buffer larger than this is not kept for the next cut frame. */
const KEPT_SCRATCH_OCTETS = 16_384

/**
 * Incremental decoder of HTTP/2 frames.
 *
 * @example
 * class Pings extends FrameSinkBase {
 *   override onPing(ack: boolean) { console.log(ack) }
 * }
 * const decoder = new FrameDecoder(new Pings())
 * socket.on('data', chunk => decoder.push(chunk))
 */
export class FrameDecoder implements FrameHeader {
  // The frame that is being read; what the sink may look at during a call.
  type = 0
  flags = 0
  streamId = 0
  length = 0
  offset = 0
  readonly #sink: FrameSink
  #maxFrameSize: number
  #state = AWAIT_HEADER
  /** Octets before the current chunk's octet 0. */
  #base: number
  /** Octets of a cut header, or of a cut payload, that have arrived. */
  #received = 0
  /** Made with the first header that is cut. */
  #header = NO_OCTETS
  #scratch = NO_OCTETS
  /** Octets of the current DATA frame still to come: its data, then its padding. */
  #dataLeft = 0
  #paddingLeft = 0
  /** Stream whose field block is not complete, 0 if there is none (RFC 9113 §6.10). */
  #fieldBlockStreamId = 0
  #failure: unknown

  /** @throws RangeError if `maxFrameSize` is none (misuse) */
  constructor(sink: FrameSink, options: FrameDecoderOptions = {}) {
    this.#sink = sink
    this.#maxFrameSize = checkMaxFrameSize(options.maxFrameSize ?? DEFAULT_MAX_FRAME_SIZE)
    this.#base = options.offset ?? 0
  }

  /**
   * SETTINGS_MAX_FRAME_SIZE that the peer has to keep, in octets; a change counts from the next frame header on.
   *
   * @throws RangeError when set to what RFC 9113 §6.5.2 does not allow (misuse)
   */
  get maxFrameSize(): number {
    return this.#maxFrameSize
  }

  set maxFrameSize(sizeOctets: number) {
    this.#maxFrameSize = checkMaxFrameSize(sizeOctets)
  }

  /**
   * Decodes octets `start` to `end` of `chunk` and tells the sink what they complete.
   *
   * @throws WireError a violation that ends the connection; or whatever the sink threw. Nothing can be decoded
   *   after that: each further call throws the same again.
   */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    if (this.#failure !== undefined) throw this.#failure
    try {
      this.#base -= start
      this.#decode(chunk, start, end)
      this.#base += end
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Ends decoding, perhaps from inside a call to the sink: nothing more is told, and `push` does nothing. */
  stop(): void {
    this.#state = STOPPED
  }

  /** True between frames: no frame and no field block has begun and is not complete. */
  get atFrameBoundary(): boolean {
    return this.#state === AWAIT_HEADER && this.#received === 0 && this.#fieldBlockStreamId === 0
  }

  #decode(chunk: Uint8Array, start: number, end: number): void {
    let at = start
    for (;;) {
      switch (this.#state) {
        case AWAIT_HEADER: {
          if (this.#received === 0 && end - at >= FRAME_HEADER_OCTETS) {
            at += FRAME_HEADER_OCTETS
            this.#readHeader(chunk, at - FRAME_HEADER_OCTETS, at)
          } else {
            at = this.#gatherHeader(chunk, at, end)
            if (this.#received < FRAME_HEADER_OCTETS) return
            this.#received = 0
            this.#readHeader(this.#header, 0, at)
          }
          break
        }
        case AWAIT_PAYLOAD: {
          const { length } = this
          if (this.#received === 0 && end - at >= length) {
            at += length
            this.#state = AWAIT_HEADER
            this.#tell(chunk, at - length)
          } else {
            at = this.#gatherPayload(chunk, at, end)
            if (this.#received < length) return
            this.#received = 0
            this.#state = AWAIT_HEADER
            this.#tell(this.#scratch, 0)
            if (this.#scratch.length > KEPT_SCRATCH_OCTETS) this.#scratch = NO_OCTETS
          }
          break
        }
        case AWAIT_PAD_LENGTH: {
          if (at === end) return
          const padLength = chunk[at++]!
          // RFC 9113 §6.1: padding smaller than the payload, of which Pad Length itself is one octet.
          checkPadLength(this, padLength, this.length - 1, 'RFC 9113 §6.1')
          this.#startData(1 + padLength)
          break
        }
        case AWAIT_DATA: {
          at = this.#tellData(chunk, at, end)
          if (this.#state === AWAIT_DATA) return
          break
        }
        default:
          return
      }
    }
  }

  /** Copies octets of a cut header; returns where to go on in `chunk`. */
  #gatherHeader(chunk: Uint8Array, start: number, end: number): number {
    let at = start
    if (this.#header.length === 0) this.#header = new Uint8Array(FRAME_HEADER_OCTETS)
    while (at < end && this.#received < FRAME_HEADER_OCTETS) this.#header[this.#received++] = chunk[at++]!
    return at
  }

  /** Copies octets of a cut payload; returns where to go on in `chunk`. */
  #gatherPayload(chunk: Uint8Array, start: number, end: number): number {
    const received = this.#received + Math.min(end - start, this.length - this.#received)
    if (received > this.#scratch.length) {
      // At least doubled, so that a frame sent octet by octet is not copied each time; never beyond the frame.
      const capacity = Math.min(this.length, Math.max(received, this.#scratch.length * 2, 64))
      const grown = new Uint8Array(capacity)
      grown.set(this.#scratch.subarray(0, this.#received))
      this.#scratch = grown
    }
    const to = start + received - this.#received
    copyOctets(chunk, start, to, this.#scratch, this.#received)
    this.#received = received
    return to
  }

  /** @param after where the header ends in the pushed chunk */
  #readHeader(octets: Uint8Array, start: number, after: number): void {
    this.length = readUint24(octets, start)
    this.type = octets[start + 3]!
    this.flags = octets[start + 4]!
    // RFC 9113 §4.1: the reserved bit is ignored.
    this.streamId = readUint31(octets, start + 5)
    this.offset = this.#base + after - FRAME_HEADER_OCTETS
    // RFC 9113 §4.2. For DATA and a few others a stream error would do; but then up to 16 MiB that were never
    // allowed would have to be read to find the next frame, so all end the connection (RFC 9113 §5.4.1).
    if (this.length > this.#maxFrameSize) {
      throw connectionError(
        this,
        ErrorCode.FRAME_SIZE_ERROR,
        'RFC 9113 §4.2',
        `${frameTypeName(this.type)} is ${this.length} octets, allowed are at most ${this.#maxFrameSize}`,
      )
    }
    if (this.#fieldBlockStreamId !== 0 || this.type === FrameType.CONTINUATION) {
      checkContinuationOrder(this, this.#fieldBlockStreamId)
    }
    if (this.type === FrameType.DATA) {
      checkDataHeader(this)
      if ((this.flags & Flag.PADDED) !== 0) this.#state = AWAIT_PAD_LENGTH
      else this.#startData(0)
    } else {
      this.#state = AWAIT_PAYLOAD
    }
  }

  /** @param paddingOctets the Pad Length field and the padding, 0 without that field */
  #startData(paddingOctets: number): void {
    this.#dataLeft = this.length - paddingOctets
    this.#paddingLeft = paddingOctets === 0 ? 0 : paddingOctets - 1
    this.#state = AWAIT_DATA
    this.#sink.onDataStart(this.streamId, this.length, paddingOctets, (this.flags & Flag.END_STREAM) !== 0)
  }

  /** Tells what has arrived of the current DATA frame; returns where to go on in `chunk`. */
  #tellData(chunk: Uint8Array, start: number, end: number): number {
    const dataEnd = start + Math.min(end - start, this.#dataLeft)
    const after = dataEnd + Math.min(end - dataEnd, this.#paddingLeft)
    this.#dataLeft -= dataEnd - start
    this.#paddingLeft -= after - dataEnd
    const complete = this.#dataLeft === 0 && this.#paddingLeft === 0
    if (complete) this.#state = AWAIT_HEADER
    const endStream = complete && (this.flags & Flag.END_STREAM) !== 0
    if (dataEnd > start || endStream) this.#sink.onDataPiece(this.streamId, chunk, start, dataEnd, endStream)
    return after
  }

  /** Tells the whole frame whose payload starts at `start` of `chunk`. */
  #tell(chunk: Uint8Array, start: number): void {
    const sink = this.#sink
    switch (this.type) {
      case FrameType.HEADERS:
        this.#trackFieldBlock()
        readHeaders(sink, this, chunk, start)
        return
      case FrameType.PRIORITY:
        readPriority(sink, this, chunk, start)
        return
      case FrameType.RST_STREAM:
        readRstStream(sink, this, chunk, start)
        return
      case FrameType.SETTINGS:
        readSettings(sink, this, chunk, start)
        return
      case FrameType.PUSH_PROMISE:
        this.#trackFieldBlock()
        readPushPromise(sink, this, chunk, start)
        return
      case FrameType.PING:
        readPing(sink, this, chunk, start)
        return
      case FrameType.GOAWAY:
        readGoaway(sink, this, chunk, start)
        return
      case FrameType.WINDOW_UPDATE:
        readWindowUpdate(sink, this, chunk, start)
        return
      case FrameType.CONTINUATION:
        this.#trackFieldBlock()
        readContinuation(sink, this, chunk, start)
        return
      case FrameType.ALTSVC:
        readAltsvc(sink, this, chunk, start)
        return
      case FrameType.ORIGIN:
        readOrigin(sink, this, chunk, start)
        return
      case FrameType.PRIORITY_UPDATE:
        readPriorityUpdate(sink, this, chunk, start)
        return
      default:
        // RFC 9113 §4.1, §5.5: a type nobody here knows is no error.
        sink.onIgnored(this.type, this.flags, this.streamId, chunk, start, start + this.length)
    }
  }

  #trackFieldBlock(): void {
    this.#fieldBlockStreamId = (this.flags & Flag.END_HEADERS) !== 0 ? 0 : this.streamId
  }
}

function checkMaxFrameSize(sizeOctets: number): number {
  if (
    Number.isInteger(sizeOctets) &&
    sizeOctets >= DEFAULT_MAX_FRAME_SIZE &&
    sizeOctets <= MAX_MAX_FRAME_SIZE
  ) {
    return sizeOctets
  }
  throw new RangeError(
    `maxFrameSize is ${sizeOctets}, allowed are ${DEFAULT_MAX_FRAME_SIZE} to ${MAX_MAX_FRAME_SIZE} octets (RFC 9113 §6.5.2)`,
  )
}
