/**
 * The sending half of a connection: HEADERS, DATA and trailers of its streams, within both windows, in turns
 * (RFC 9113 §5.2, §8.1).
 *
 * What can go goes at once, in place, into the output: a unary response is three frames written one behind the
 * other. Only DATA that meets a closed window, a full output or others that wait is queued, and
 * {@link StreamSender.pump} sends it frame by frame. Large payloads are referenced, never copied.
 */
import { writeDataHeader } from '../../wire/frame/data.ts'
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { endFieldBlock } from '../../wire/frame/field-block.ts'
import { beginHeaders } from '../../wire/frame/headers.ts'
import { writePriorityUpdate } from '../../wire/frame/priority-update.ts'
import { beginPushPromise } from '../../wire/frame/push-promise.ts'
import { StreamError } from '../errors.ts'
import type { Fields, Http2Connection, Priority, StreamListener } from '../transport.ts'
import type { ConnectionContext } from './connection-context.ts'
import { checkOutgoing } from './outgoing-fields.ts'
import { DEFAULT_URGENCY, formatPriority } from './priority.ts'
import { PureStream, type StreamCommands } from './stream.ts'
import { canSend, isClosed, MISUSE, nextStreamState, StreamInput, StreamState } from './stream-state.ts'

/**
 * A payload from this size on is referenced: below, copying it costs less than one more part of the write
 * (bench/micro/pure-output.ts).
 */
const REFERENCE_OCTETS = 2048

/** Output that may wait for the socket before DATA has to queue: a few frames, so that others need not wait long. */
const OUTPUT_LIMIT_OCTETS = 131_072

/** Streams that send, and everything else an application asks of a stream. */
export class StreamSender implements StreamCommands {
  readonly #context: ConnectionContext

  constructor(context: ConnectionContext) {
    this.#context = context
  }

  get connection(): Http2Connection {
    return this.#context.connection
  }

  /** The seam's `sendHeaders`. */
  sendHeaders(stream: PureStream, fields: Fields, endStream: boolean): void {
    if (isClosed(stream.state)) return
    if (stream.headersSent)
      throw new Error('sendHeaders was called twice on one stream: headers are sent once')
    const context = this.#context
    checkOutgoing(fields, context.role === 'client' ? 'request' : 'response')
    const sent = stream.priorityField === '' ? fields : [...fields, 'priority', stream.priorityField]
    if (stream.id === 0 && !this.#canOpen()) {
      stream.headersSent = true
      stream.waitingFields = sent
      stream.waitingEndStream = endStream
      stream.ending = endStream
      context.waiting.push(stream)
      return
    }
    this.#start(stream, sent, endStream)
  }

  /** The seam's `sendData`. */
  sendData(stream: PureStream, octets: Uint8Array, endStream: boolean): boolean {
    if (stream.told) return true
    if (!stream.headersSent) throw new Error('sendData was called before sendHeaders')
    if (stream.ending) throw new Error('sendData was called after the local end of the stream')
    if (isClosed(stream.state)) return true
    const { length } = octets
    const context = this.#context
    if (stream.queuedOctets === 0 && stream.id !== 0) {
      if (length === 0) {
        if (!endStream) return true
        // RFC 9113 §6.9.1: an empty DATA frame needs no window.
        stream.ending = true
        context.wake()
        this.#writeDataHeader(stream, 0, true)
        return true
      }
      if (
        length <= stream.sendWindow.sizeOctets &&
        length <= context.sendWindow.sizeOctets &&
        length <= context.peerMaxFrameSize &&
        length <= context.options.maxSentDataOctets &&
        context.sendQueue.isEmpty &&
        context.output.sizeOctets < OUTPUT_LIMIT_OCTETS
      ) {
        if (endStream) stream.ending = true
        context.wake()
        stream.sendWindow.sizeOctets -= length
        context.sendWindow.sizeOctets -= length
        const { writer } = context.output
        writer.ensure(length + 9)
        writeDataHeader(writer, stream.id, length, endStream)
        context.limits.framesSent++
        if (length < REFERENCE_OCTETS) writer.octets(octets)
        else context.output.reference(octets, 0, length)
        if (endStream) {
          this.#endLocal(stream)
          return true
        }
        return this.#hasRoom(stream, length)
      }
    }
    if (endStream) stream.ending = true
    if (length > 0) this.#enqueue(stream, octets)
    if (endStream || stream.queuedOctets <= context.options.sendBufferOctets) return true
    stream.wantsDrain = true
    return false
  }

  /** Counts octets that went straight to the output, until that is taken. @returns false if they are too many */
  #hasRoom(stream: PureStream, length: number): boolean {
    const context = this.#context
    if (stream.outputTurn !== context.outputTurn) {
      stream.outputTurn = context.outputTurn
      stream.outputOctets = 0
    }
    stream.outputOctets += length
    if (stream.outputOctets <= context.options.sendBufferOctets) return true
    if (!stream.wantsDrain) {
      stream.wantsDrain = true
      context.awaitingOutput.push(stream)
    }
    return false
  }

  /** The seam's `sendTrailers`. */
  sendTrailers(stream: PureStream, fields: Fields): void {
    if (stream.told) return
    if (!stream.headersSent) throw new Error('sendTrailers was called before sendHeaders')
    if (stream.ending) throw new Error('sendTrailers was called after the local end of the stream')
    if (isClosed(stream.state)) return
    checkOutgoing(fields, 'trailers')
    stream.ending = true
    if (stream.queuedOctets === 0 && stream.id !== 0) this.#writeTrailers(stream, fields)
    else stream.trailers = fields
  }

  /** Sends an informational response (RFC 9113 §8.1). */
  sendInformational(stream: PureStream, fields: Fields): void {
    if (isClosed(stream.state)) return
    if (stream.headersSent) throw new Error('sendInformational was called after sendHeaders')
    checkOutgoing(fields, 'response')
    this.writeHeaders(stream, fields, false)
  }

  /** The seam's `reset`. */
  reset(stream: PureStream, code: number): void {
    if (isClosed(stream.state)) return
    const context = this.#context
    if (code === ErrorCode.NO_ERROR && stream.ending && stream.id !== 0) {
      // RFC 9113 §8.1: the response is complete, the rest of the request is not needed.
      stream.resetWhenSent = true
      if (stream.state === StreamState.halfClosedLocal) this.#resetAfterEnd(stream)
      return
    }
    const waiting = stream.id === 0
    const error = new StreamError(`Stream ${stream.id} was reset by us with ${errorCodeName(code)}`, {
      code,
      streamId: stream.id,
      initiator: 'local',
      unprocessed: waiting,
    })
    if (waiting) context.closeStream(stream, StreamState.closedByOurReset, error)
    else context.resetStream(stream, error)
  }

  /** The seam's `consume`; more than has arrived gives no more credit. */
  consume(stream: PureStream, sizeOctets: number): void {
    const window = stream.receiveWindow
    const octets = Math.min(sizeOctets, window.unconsumedOctets)
    if (octets <= 0 || isClosed(stream.state)) return
    const context = this.#context
    window.grow(context.streamWindowTarget)
    const increment = window.consume(octets)
    // Nothing more comes after the peer's end: no credit needed.
    if (increment > 0 && stream.state !== StreamState.halfClosedRemote) {
      context.giveCredit(stream.id, increment)
    }
    context.creditConnection(octets)
  }

  /** Promises a response to a request that the client did not make (RFC 9113 §8.4). */
  push(stream: PureStream, request: Fields, listener: StreamListener): PureStream {
    const context = this.#context
    if (context.role === 'client') throw new Error('push is for servers')
    if (!canSend(stream.state)) throw new Error('push was called on a stream that has ended')
    if (!context.peerAllowsPush || !this.#canOpen()) {
      throw new Error(
        'The client takes no pushes now (SETTINGS_ENABLE_PUSH, SETTINGS_MAX_CONCURRENT_STREAMS)',
      )
    }
    checkOutgoing(request, 'request')
    const pushed = new PureStream(this, listener, context.peerInitialWindow, 0, 0)
    pushed.id = context.nextLocalStreamId
    pushed.state = nextStreamState(pushed.state, StreamInput.sendPushPromise) as StreamState
    pushed.headersReceived = true
    context.nextLocalStreamId += 2
    context.wake()
    const { writer } = context.output
    const start = beginPushPromise(writer, stream.id, pushed.id)
    context.encoder.encode(request, writer)
    endFieldBlock(writer, start, context.peerMaxFrameSize)
    context.register(pushed)
    return pushed
  }

  /** Changes a priority; a client tells the server (RFC 9218 §7). */
  prioritize(stream: PureStream, priority: Priority): void {
    const context = this.#context
    const field = formatPriority(priority)
    this.schedule(stream, priority.urgency ?? DEFAULT_URGENCY, priority.incremental !== true)
    if (context.role === 'server' || isClosed(stream.state)) return
    if (stream.id === 0) {
      stream.priorityField = field
      return
    }
    context.wake()
    writePriorityUpdate(context.output.writer, stream.id, field)
  }

  /** The stream's window opened: it takes part again. */
  onCredit(stream: PureStream): void {
    if (stream.queuedOctets === 0 || stream.sendWindow.sizeOctets <= 0) return
    this.#context.wake()
    this.#context.sendQueue.add(stream)
  }

  /** Changes the stream's place among those that send (RFC 9218 §10). */
  schedule(stream: PureStream, urgency: number, sequential: boolean): void {
    const { sendQueue } = this.#context
    const { queued } = stream
    if (queued) sendQueue.remove(stream)
    stream.urgency = urgency
    stream.sequential = sequential
    if (queued) sendQueue.add(stream)
  }

  /** Starts streams that waited, as far as the peer allows (RFC 9113 §5.1.2). */
  startWaiting(): void {
    const context = this.#context
    while (context.waiting.length > 0) {
      const stream = context.waiting[0]!
      if (isClosed(stream.state)) {
        context.waiting.shift()
        continue
      }
      if (!this.#canOpen()) return
      context.waiting.shift()
      const fields = stream.waitingFields!
      stream.waitingFields = undefined
      try {
        this.#start(stream, fields, stream.waitingEndStream)
      } catch (error) {
        // Fields that cannot be encoded: the caller is long gone, so the stream tells it.
        context.listenerThrew(stream, error)
        continue
      }
      if (stream.queuedOctets > 0) this.onCredit(stream)
      else if (stream.trailers !== undefined) this.#writeTrailers(stream, stream.trailers)
      else if (stream.ending && !stream.waitingEndStream) this.#writeDataHeader(stream, 0, true)
    }
  }

  /** Sends queued DATA, one frame a stream in turn, until nothing can go or `limitOctets` of output wait. */
  pump(limitOctets: number = OUTPUT_LIMIT_OCTETS): void {
    const { sendQueue, sendWindow, output } = this.#context
    if (sendQueue.isEmpty) return
    output.open()
    while (sendWindow.sizeOctets > 0 && output.sizeOctets < limitOctets) {
      const stream = sendQueue.next()
      if (stream === undefined) return
      this.#writeQueued(stream)
    }
  }

  /** Writes a HEADERS frame; the caller has checked that it may come. */
  writeHeaders(stream: PureStream, fields: Fields, endStream: boolean): void {
    const context = this.#context
    context.wake()
    const { writer } = context.output
    const start = beginHeaders(writer, stream.id, endStream)
    try {
      context.encoder.encode(fields, writer)
    } catch (error) {
      writer.length = start
      throw error
    }
    endFieldBlock(writer, start, context.peerMaxFrameSize)
    context.limits.framesSent++
  }

  /** Opens the stream (client) or answers it (server). */
  #start(stream: PureStream, fields: Fields, endStream: boolean): void {
    const context = this.#context
    const next = nextStreamState(stream.state, StreamInput.sendHeaders)
    if (next === MISUSE) throw new Error('sendHeaders was called on a stream that cannot send')
    const opening = stream.id === 0
    if (opening) {
      stream.id = context.nextLocalStreamId
      stream.sendWindow.sizeOctets = context.peerInitialWindow
      stream.receiveWindow.availableOctets = context.initialReceiveWindow
      stream.isHead = isHeadRequest(fields)
    }
    try {
      this.writeHeaders(stream, fields, endStream)
    } catch (error) {
      if (opening) stream.id = 0
      throw error
    }
    stream.headersSent = true
    stream.state = next as StreamState
    if (opening) {
      context.nextLocalStreamId += 2
      context.pending.delete(stream)
      context.register(stream)
    }
    if (endStream) {
      stream.ending = true
      this.#endLocal(stream)
    }
  }

  #canOpen(): boolean {
    const { localOpen, peerMaxConcurrentStreams } = this.#context
    return localOpen < peerMaxConcurrentStreams
  }

  #enqueue(stream: PureStream, octets: Uint8Array): void {
    const context = this.#context
    context.wake()
    if (stream.queue === undefined) {
      stream.queue = [octets]
      stream.queueOffset = 0
    } else {
      stream.queue.push(octets)
    }
    if (stream.queuedOctets === 0) {
      stream.movedMs = context.nowMs
      if (context.stallCheckMs === Number.POSITIVE_INFINITY) {
        context.stallCheckMs = context.nowMs + context.options.stallTimeoutMs
      }
    }
    stream.queuedOctets += octets.length
    if (stream.id !== 0) this.onCredit(stream)
  }

  #writeDataHeader(stream: PureStream, length: number, endStream: boolean): void {
    const context = this.#context
    writeDataHeader(context.output.writer, stream.id, length, endStream)
    context.limits.framesSent++
    if (endStream) this.#endLocal(stream)
  }

  #writeTrailers(stream: PureStream, fields: Fields): void {
    stream.trailers = undefined
    this.writeHeaders(stream, fields, true)
    this.#endLocal(stream)
  }

  /** Writes one DATA frame from the stream's queue. */
  #writeQueued(stream: PureStream): void {
    const context = this.#context
    const size = Math.min(
      stream.queuedOctets,
      stream.sendWindow.sizeOctets,
      context.sendWindow.sizeOctets,
      context.peerMaxFrameSize,
      context.options.maxSentDataOctets,
    )
    if (size <= 0) {
      // SETTINGS made the window smaller while the stream stood in the queue (RFC 9113 §6.9.2).
      context.sendQueue.remove(stream)
      return
    }
    const all = size === stream.queuedOctets
    const endStream = all && stream.ending && stream.trailers === undefined
    writeDataHeader(context.output.writer, stream.id, size, endStream)
    context.limits.framesSent++
    this.#writeFromQueue(stream, size)
    stream.sendWindow.sizeOctets -= size
    context.sendWindow.sizeOctets -= size
    stream.queuedOctets -= size
    stream.movedMs = context.nowMs
    if (all || stream.sendWindow.sizeOctets <= 0) context.sendQueue.remove(stream)
    if (stream.wantsDrain && !stream.ending && stream.queuedOctets * 2 <= context.options.sendBufferOctets) {
      context.drained.push(stream)
    }
    if (!all) return
    stream.queue = undefined
    if (stream.trailers !== undefined) {
      try {
        this.#writeTrailers(stream, stream.trailers)
      } catch (error) {
        context.listenerThrew(stream, error)
      }
    } else if (endStream) {
      this.#endLocal(stream)
    }
  }

  /** Moves `size` octets from the queue to the output. */
  #writeFromQueue(stream: PureStream, size: number): void {
    const { output } = this.#context
    const queue = stream.queue!
    let left = size
    let index = 0
    while (left > 0) {
      const chunk = queue[index]!
      const start = stream.queueOffset
      const end = Math.min(chunk.length, start + left)
      if (end - start < REFERENCE_OCTETS) output.writer.octets(chunk, start, end)
      else output.reference(chunk, start, end)
      left -= end - start
      if (end === chunk.length) {
        index++
        stream.queueOffset = 0
      } else {
        stream.queueOffset = end
      }
    }
    if (index > 0) queue.splice(0, index)
  }

  /** END_STREAM has been written. */
  #endLocal(stream: PureStream): void {
    const next = nextStreamState(stream.state, StreamInput.sendEndStream) as StreamState
    if (isClosed(next)) {
      this.#context.closeStream(stream, next, undefined)
      return
    }
    stream.state = next
    if (stream.resetWhenSent) this.#resetAfterEnd(stream)
  }

  #resetAfterEnd(stream: PureStream): void {
    this.#context.writeReset(stream.id, ErrorCode.NO_ERROR)
    this.#context.closeStream(stream, StreamState.closedByOurReset, undefined)
  }
}

/** True for a request with method HEAD; pseudo-header fields come first. */
function isHeadRequest(fields: Fields): boolean {
  for (let at = 0; at < fields.length && fields[at]!.startsWith(':'); at += 2) {
    if (fields[at] === ':method') return fields[at + 1] === 'HEAD'
  }
  return false
}
