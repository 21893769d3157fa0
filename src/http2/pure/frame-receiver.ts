/**
 * The receiving half of a connection: what each frame means for streams, windows and limits (RFC 9113 §5, §6).
 *
 * The frame decoder has checked each frame by itself; here it meets the state. A violation of the connection is
 * thrown as ConnectionError, one of a stream ends it by RST_STREAM. Field blocks are decoded even if their
 * stream is gone, because the HPACK table belongs to the connection (RFC 9113 §4.3).
 */
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import type { FrameHeader } from '../../wire/frame/header.ts'
import type { FrameSink } from '../../wire/frame/sink.ts'
import { FrameType } from '../../wire/frame/types.ts'
import type { WireError } from '../../wire/wire-error.ts'
import { StreamError } from '../errors.ts'
import type { Fields, StreamListener } from '../transport.ts'
import type { ConnectionContext } from './connection-context.ts'
import { FieldBlockAssembly } from './field-block-assembly.ts'
import { FieldSectionChecker } from './field-section.ts'
import { parsePriority } from './priority.ts'
import type { SettingsExchange } from './settings-exchange.ts'
import { PureStream, type StreamCommands } from './stream.ts'
import type { StreamSender } from './stream-sender.ts'
import {
  CONNECTION_ERROR,
  IGNORE,
  isClosed,
  nextStreamState,
  STREAM_ERROR,
  StreamInput,
  StreamState,
  streamStateName,
} from './stream-state.ts'
import { calm, connectionViolation, streamViolation } from './violation.ts'

const CODE = 0x1f

/** What concerns the whole connection, told to its core. */
export interface ConnectionFrames {
  onFirstSettings(): void
  onSettingsChanged(): void
  onPing(ack: boolean, chunk: Uint8Array, start: number): void
  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void
  /** DATA of this size arrived, for the bandwidth estimate. */
  onDataOctets(sizeOctets: number): void
  /** The highest stream of the peer that is still accepted; above it frames are dropped (RFC 9113 §6.8). */
  readonly lastAcceptedStreamId: number
  /** A stream was promised (RFC 9113 §8.4); undefined refuses it. */
  onPushedRequest(stream: PureStream, request: Fields): StreamListener | undefined
}

/** Replaced by the real listener as soon as the application has given it. */
const NO_LISTENER: StreamListener = {
  onHeaders() {},
  onData() {},
  onTrailers() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
}

function isReset(stream: PureStream): boolean {
  return stream.state === StreamState.closedByOurReset
}

/** Frames in, streams and events out. */
export class FrameReceiver implements FrameSink {
  readonly assembly: FieldBlockAssembly
  readonly #context: ConnectionContext
  readonly #sender: StreamSender
  readonly #settings: SettingsExchange
  readonly #frames: ConnectionFrames
  readonly #commands: StreamCommands
  readonly #checker = new FieldSectionChecker()
  /** The decoder that calls us, for the type of the frame at hand. */
  decoder!: FrameHeader
  /** Stream of the DATA frame whose pieces arrive; undefined if they are dropped. */
  #dataStream: PureStream | undefined = undefined
  /** Priority values for requests that have not arrived yet (RFC 9218 §7.1). */
  #earlyPriorities: Map<number, string> | undefined = undefined

  constructor(
    context: ConnectionContext,
    sender: StreamSender,
    settings: SettingsExchange,
    frames: ConnectionFrames,
    commands: StreamCommands,
  ) {
    this.#context = context
    this.#sender = sender
    this.#settings = settings
    this.#frames = frames
    this.#commands = commands
    this.assembly = new FieldBlockAssembly(context.options)
  }

  // DATA (RFC 9113 §6.1)

  onDataStart(streamId: number, sizeOctets: number, paddingOctets: number, endStream: boolean): void {
    this.#expectSettings('DATA')
    const context = this.#context
    const { availableOctets } = context.receiveWindow
    if (!context.receiveWindow.receive(sizeOctets)) {
      throw connectionViolation(
        ErrorCode.FLOW_CONTROL_ERROR,
        'RFC 9113 §6.9.1',
        `DATA on stream ${streamId} of ${sizeOctets} octets, the connection's window is ${availableOctets}`,
      )
    }
    this.#frames.onDataOctets(sizeOctets)
    const dataOctets = sizeOctets - paddingOctets
    if (!endStream) {
      const abuse =
        dataOctets === 0
          ? context.limits.onEmptyFrame(context.nowMs)
          : context.limits.onData(context.nowMs, dataOctets)
      if (abuse !== undefined) throw calm(abuse)
    }
    const stream = context.streams.get(streamId)
    this.#dataStream = undefined
    if (stream === undefined || nextStreamState(stream.state, StreamInput.receiveData) >= IGNORE) {
      this.#refuse(streamId, stream, StreamInput.receiveData, 'DATA')
      context.creditConnection(sizeOctets)
      return
    }
    const window = stream.receiveWindow
    const streamAvailable = window.availableOctets
    const fits = window.receive(sizeOctets)
    if (!fits) {
      this.#endByPeer(
        stream,
        ErrorCode.FLOW_CONTROL_ERROR,
        'RFC 9113 §6.9.1',
        `DATA of ${sizeOctets} octets, its window is ${streamAvailable}`,
      )
      return
    }
    if (!stream.headersReceived) {
      this.#endByPeer(stream, ErrorCode.PROTOCOL_ERROR, 'RFC 9113 §8.1', 'DATA before the header section')
      return
    }
    if (stream.promisedOctets >= 0) {
      stream.promisedOctets -= dataOctets
      if (stream.promisedOctets < 0) {
        this.#endByPeer(
          stream,
          ErrorCode.PROTOCOL_ERROR,
          'RFC 9113 §8.1.1',
          `DATA is ${-stream.promisedOctets} octets more than content-length`,
        )
        return
      }
    }
    if (paddingOctets > 0 || stream.resetWhenSent) {
      this.#sender.consume(stream, stream.resetWhenSent ? sizeOctets : paddingOctets)
    }
    this.#dataStream = stream
  }

  onDataPiece(_streamId: number, chunk: Uint8Array, start: number, end: number, endStream: boolean): void {
    const stream = this.#dataStream
    if (stream === undefined || isClosed(stream.state)) return
    if (end > start && !stream.resetWhenSent) {
      try {
        stream.listener.onData(chunk, start, end)
      } catch (error) {
        this.#context.listenerThrew(stream, error)
      }
    }
    if (endStream && !isClosed(stream.state)) this.#endRemote(stream)
  }

  // HEADERS, CONTINUATION (RFC 9113 §6.2, §6.10)

  onHeaders(
    streamId: number,
    endStream: boolean,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#expectSettings('HEADERS')
    if (endHeaders) {
      this.#onFieldBlock(streamId, endStream, chunk, start, end)
      return
    }
    this.assembly.begin(streamId, 0, endStream, this.#context.nowMs)
    this.#checkFragment(this.assembly.add(chunk, start, end), end - start)
  }

  onContinuation(
    _streamId: number,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { assembly } = this
    this.#checkFragment(assembly.continue(chunk, start, end), endHeaders ? 1 : end - start)
    if (!endHeaders) return
    const { streamId, promisedStreamId, endStream, octets, sizeOctets } = assembly
    assembly.finish()
    if (promisedStreamId === 0) this.#onFieldBlock(streamId, endStream, octets, 0, sizeOctets)
    else this.#onPromise(streamId, promisedStreamId, octets, 0, sizeOctets)
  }

  #checkFragment(excess: string | undefined, sizeOctets: number): void {
    if (excess !== undefined) throw calm(excess)
    if (sizeOctets > 0) return
    const abuse = this.#context.limits.onEmptyFrame(this.#context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
  }

  #onFieldBlock(streamId: number, endStream: boolean, chunk: Uint8Array, start: number, end: number): void {
    const context = this.#context
    const stream = context.streams.get(streamId)
    if (stream !== undefined) {
      this.#onLaterSection(stream, endStream, chunk, start, end)
      return
    }
    if (context.role === 'server' && !context.isLocal(streamId) && context.isIdle(streamId)) {
      this.#onRequest(streamId, endStream, chunk, start, end)
      return
    }
    if (context.isIdle(streamId)) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §5.1.1',
        context.role === 'server'
          ? `HEADERS open stream ${streamId}, clients open odd ones`
          : `HEADERS on stream ${streamId}, which is idle`,
      )
    }
    if (context.closedStreams.wasSkipped(streamId)) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §5.1.1',
        `HEADERS open stream ${streamId}, which is not above ${context.highestPeerStreamId}`,
      )
    }
    this.#decode(chunk, start, end)
    this.#refuse(streamId, undefined, StreamInput.receiveHeaders, 'HEADERS')
  }

  #decode(chunk: Uint8Array, start: number, end: number): Fields {
    const context = this.#context
    // RFC 7541 §6.3: 001xxxxx is a table size update.
    if (start < end && (chunk[start]! & 0xe0) === 0x20) {
      const abuse = context.limits.onTableSizeUpdate(context.nowMs)
      if (abuse !== undefined) throw calm(abuse)
    }
    return context.decoder.decode(chunk, start, end)
  }

  /** Server: HEADERS that open a stream. */
  #onRequest(streamId: number, endStream: boolean, chunk: Uint8Array, start: number, end: number): void {
    const context = this.#context
    const checker = this.#checker
    const fields = this.#decode(chunk, start, end)
    // RFC 9113 §6.8: after the final GOAWAY such a stream was never ours; the client tries it elsewhere.
    if (streamId > this.#frames.lastAcceptedStreamId) return
    context.advancePeerStreamId(streamId)
    context.limits.streamsOpened++
    if (context.decoder.overflowed) {
      context.refuseStream(streamId, undefined, this.#headerListError(streamId))
      return
    }
    if (!checker.checkRequest(fields) || (endStream && checker.contentLength > 0)) {
      context.refuseStream(streamId, undefined, this.#malformed(streamId, 'request'))
      return
    }
    const { maxConcurrentStreams } = context.options
    if (context.peerOpen >= maxConcurrentStreams) {
      context.refuseStream(
        streamId,
        undefined,
        streamViolation(
          ErrorCode.REFUSED_STREAM,
          'RFC 9113 §5.1.2',
          `refused, ${maxConcurrentStreams} streams are open, which is SETTINGS_MAX_CONCURRENT_STREAMS`,
          streamId,
        ),
      )
      return
    }
    const stream = this.#makeStream(streamId)
    stream.state = endStream ? StreamState.halfClosedRemote : StreamState.open
    stream.headersReceived = true
    stream.isHead = checker.method === 'HEAD'
    stream.promisedOctets = checker.contentLength
    const priority = this.#takeEarlyPriority(streamId) ?? checker.priority
    if (priority !== undefined) this.#schedule(stream, priority)
    context.register(stream)
    try {
      stream.listener = context.listener.onStream!(stream, fields, endStream)
      // The answer may be complete by now; that the request ended is told even so.
      if (endStream && !isReset(stream) && !stream.resetWhenSent) stream.listener.onEnd()
    } catch (error) {
      context.listenerThrew(stream, error)
    }
  }

  #makeStream(streamId: number): PureStream {
    const context = this.#context
    const stream = new PureStream(
      this.#commands,
      NO_LISTENER,
      context.peerInitialWindow,
      context.initialReceiveWindow,
      context.streamWindowTarget,
    )
    stream.id = streamId
    return stream
  }

  /** A response, or the trailers of a request or response. */
  #onLaterSection(
    stream: PureStream,
    endStream: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    const context = this.#context
    const fields = this.#decode(chunk, start, end)
    const next = nextStreamState(stream.state, StreamInput.receiveHeaders)
    if (next >= IGNORE) {
      this.#refuse(stream.id, stream, StreamInput.receiveHeaders, 'HEADERS')
      return
    }
    if (context.decoder.overflowed) {
      context.refuseStream(stream.id, stream, this.#headerListError(stream.id))
      return
    }
    if (stream.headersReceived) this.#onTrailers(stream, endStream, fields)
    else this.#onResponse(stream, endStream, fields, next as StreamState)
  }

  #onResponse(stream: PureStream, endStream: boolean, fields: Fields, next: StreamState): void {
    const context = this.#context
    const checker = this.#checker
    if (!checker.checkResponse(fields)) {
      context.refuseStream(stream.id, stream, this.#malformed(stream.id, 'response'))
      return
    }
    if (checker.status < 200) {
      // RFC 9113 §8.1: an informational response ends nothing; the final one follows.
      if (endStream) {
        this.#endByPeer(
          stream,
          ErrorCode.PROTOCOL_ERROR,
          'RFC 9113 §8.1.1',
          `informational response ${checker.status} with END_STREAM`,
        )
      } else if (++stream.informationalResponses > context.options.maxInformationalResponses) {
        this.#endByPeer(
          stream,
          ErrorCode.ENHANCE_YOUR_CALM,
          'RFC 9113 §10.5',
          `more than ${context.options.maxInformationalResponses} informational responses (limit maxInformationalResponses)`,
        )
      }
      return
    }
    const { status } = checker
    // RFC 9110 §6.4.1: these have no content, whatever content-length says.
    const bare = stream.isHead || status === 204 || status === 304
    stream.promisedOctets = bare ? 0 : checker.contentLength
    if (endStream && stream.promisedOctets > 0) {
      context.refuseStream(stream.id, stream, this.#malformed(stream.id, 'response'))
      return
    }
    // A reserved stream has become half-closed by its response.
    if (stream.state === StreamState.reservedRemote) stream.state = next
    stream.headersReceived = true
    if (!stream.resetWhenSent) {
      try {
        stream.listener.onHeaders(fields, endStream)
      } catch (error) {
        context.listenerThrew(stream, error)
      }
    }
    if (endStream && !isClosed(stream.state)) this.#endRemote(stream)
  }

  #onTrailers(stream: PureStream, endStream: boolean, fields: Fields): void {
    const context = this.#context
    // RFC 9113 §8.1: a second header section is the trailer section, and ends the message.
    if (!endStream) {
      this.#endByPeer(
        stream,
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §8.1',
        'second header section without END_STREAM, allowed are trailers with it',
      )
      return
    }
    if (!this.#checker.checkTrailers(fields)) {
      context.refuseStream(stream.id, stream, this.#malformed(stream.id, 'trailer section'))
      return
    }
    if (stream.promisedOctets > 0) {
      this.#tooShort(stream)
      return
    }
    if (!stream.resetWhenSent) {
      try {
        stream.listener.onTrailers(fields)
      } catch (error) {
        context.listenerThrew(stream, error)
      }
    }
    if (!isClosed(stream.state)) this.#endRemote(stream)
  }

  /** END_STREAM arrived, and everything before it has been told. */
  #endRemote(stream: PureStream): void {
    if (stream.promisedOctets > 0) {
      this.#tooShort(stream)
      return
    }
    const context = this.#context
    const next = nextStreamState(stream.state, StreamInput.receiveEndStream) as StreamState
    // The state stays open for `onEnd`, in which the application may still send.
    if (!isClosed(next)) stream.state = next
    if (!stream.resetWhenSent) {
      try {
        stream.listener.onEnd()
      } catch (error) {
        context.listenerThrew(stream, error)
      }
    }
    if (isClosed(next)) context.closeStream(stream, next, undefined)
  }

  #tooShort(stream: PureStream): void {
    this.#endByPeer(
      stream,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §8.1.1',
      `message ended ${stream.promisedOctets} octets before content-length`,
    )
  }

  // PRIORITY and its successor (RFC 9113 §5.3.2, RFC 9218)

  onHeadersPriority(): void {}

  onPriority(): void {
    this.#expectSettings('PRIORITY')
    this.#countPriority()
  }

  onPriorityUpdate(prioritizedStreamId: number, chunk: Uint8Array, start: number, end: number): void {
    this.#expectSettings('PRIORITY_UPDATE')
    const context = this.#context
    if (context.role === 'client') {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9218 §7.1',
        'PRIORITY_UPDATE from a server, allowed from clients only',
      )
    }
    this.#countPriority()
    const value = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start).toString('latin1')
    const stream = context.streams.get(prioritizedStreamId)
    if (stream !== undefined) {
      this.#schedule(stream, value)
      return
    }
    if (!context.isIdle(prioritizedStreamId)) return
    if (context.isLocal(prioritizedStreamId)) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9218 §7.1',
        `PRIORITY_UPDATE for stream ${prioritizedStreamId}, a push that was never promised`,
      )
    }
    this.#earlyPriorities ??= new Map()
    // As many as may be opened are kept, the others dropped: priority is a hint (RFC 9218 §7.1).
    if (this.#earlyPriorities.size >= context.options.maxConcurrentStreams) this.#earlyPriorities.clear()
    this.#earlyPriorities.set(prioritizedStreamId, value)
  }

  #countPriority(): void {
    const abuse = this.#context.limits.onPriority(this.#context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
  }

  #takeEarlyPriority(streamId: number): string | undefined {
    const value = this.#earlyPriorities?.get(streamId)
    if (value !== undefined) this.#earlyPriorities!.delete(streamId)
    return value
  }

  #schedule(stream: PureStream, value: string): void {
    const { urgency, incremental } = parsePriority(value)
    this.#sender.schedule(stream, urgency, !incremental)
  }

  // RST_STREAM (RFC 9113 §6.4)

  onRstStream(streamId: number, code: number): void {
    this.#expectSettings('RST_STREAM')
    const context = this.#context
    const stream = context.streams.get(streamId)
    if (stream === undefined) {
      this.#refuse(streamId, undefined, StreamInput.receiveReset, 'RST_STREAM')
      return
    }
    const complete = stream.state === StreamState.halfClosedRemote
    // RFC 9113 §8.1: after a complete response NO_ERROR says that the rest of the request is not needed.
    const inOrder = code === ErrorCode.NO_ERROR && complete && (context.role === 'client' || stream.ending)
    const error = inOrder
      ? undefined
      : new StreamError(`Stream ${streamId} was reset by the peer with ${errorCodeName(code)}`, {
          code,
          streamId,
          initiator: 'peer',
          unprocessed: code === ErrorCode.REFUSED_STREAM,
        })
    const ageMs = context.nowMs - stream.openedMs
    const answered = stream.headersSent
    context.closeStream(stream, StreamState.closedByPeerReset, error)
    if (context.role === 'client') return
    const abuse = context.limits.onPeerReset(context.nowMs, ageMs, answered)
    if (abuse !== undefined) throw calm(abuse)
  }

  // SETTINGS (RFC 9113 §6.5)

  onSetting(identifier: number, value: number): void {
    this.#settings.onSetting(identifier, value)
  }

  onSettings(): void {
    const first = this.#settings.onSettings()
    this.#frames.onSettingsChanged()
    if (first) this.#frames.onFirstSettings()
  }

  onSettingsAck(): void {
    this.#expectSettings('SETTINGS with ACK')
    this.#settings.onAck()
  }

  // PUSH_PROMISE (RFC 9113 §6.6, §8.4)

  onPushPromise(
    streamId: number,
    promisedStreamId: number,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#expectSettings('PUSH_PROMISE')
    const context = this.#context
    if (context.role === 'server') {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §8.4',
        `PUSH_PROMISE on stream ${streamId} from a client, allowed from servers only`,
      )
    }
    if (!context.options.enablePush && this.#settings.acknowledged) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §8.4',
        `PUSH_PROMISE on stream ${streamId}, but SETTINGS_ENABLE_PUSH is 0 and acknowledged`,
      )
    }
    if (endHeaders) {
      this.#onPromise(streamId, promisedStreamId, chunk, start, end)
      return
    }
    this.assembly.begin(streamId, promisedStreamId, false, context.nowMs)
    this.#checkFragment(this.assembly.add(chunk, start, end), end - start)
  }

  #onPromise(streamId: number, promisedId: number, chunk: Uint8Array, start: number, end: number): void {
    const context = this.#context
    const parent = context.streams.get(streamId)
    const parentState = parent?.state ?? context.closedStreams.stateOf(streamId)
    const parentOpen = parentState === StreamState.open || parentState === StreamState.halfClosedLocal
    if (!parentOpen && parentState !== StreamState.closedByOurReset) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §6.6',
        `PUSH_PROMISE on stream ${streamId}, which is ${context.isIdle(streamId) ? 'idle' : streamStateName(parentState)}`,
      )
    }
    if (promisedId <= context.highestPeerStreamId) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §5.1.1',
        `PUSH_PROMISE promises stream ${promisedId}, which is not above ${context.highestPeerStreamId}`,
      )
    }
    const fields = this.#decode(chunk, start, end)
    context.advancePeerStreamId(promisedId)
    if (context.decoder.overflowed) {
      context.refuseStream(promisedId, undefined, this.#headerListError(promisedId))
      return
    }
    if (!this.#checker.checkRequest(fields)) {
      context.refuseStream(promisedId, undefined, this.#malformed(promisedId, 'promised request'))
      return
    }
    const { method, contentLength } = this.#checker
    // RFC 9113 §8.4: only safe methods without content.
    if ((method !== 'GET' && method !== 'HEAD') || contentLength > 0) {
      const reason = `promised request is ${method}, allowed are GET and HEAD without content`
      const error = streamViolation(ErrorCode.PROTOCOL_ERROR, 'RFC 9113 §8.4', reason, promisedId)
      context.refuseStream(promisedId, undefined, error)
      return
    }
    const refused = streamViolation(ErrorCode.REFUSED_STREAM, 'RFC 9113 §8.4', 'push refused', promisedId)
    if (
      !parentOpen ||
      !context.options.enablePush ||
      context.peerOpen >= context.options.maxConcurrentStreams
    ) {
      context.refuseStream(promisedId, undefined, refused)
      return
    }
    const stream = this.#makeStream(promisedId)
    stream.state = StreamState.reservedRemote
    stream.headersSent = true
    stream.ending = true
    stream.isHead = method === 'HEAD'
    context.register(stream)
    const listener = this.#frames.onPushedRequest(stream, fields)
    if (listener === undefined) context.resetStream(stream, refused)
    else stream.listener = listener
  }

  // PING, GOAWAY, WINDOW_UPDATE (RFC 9113 §6.7, §6.8, §6.9)

  onPing(ack: boolean, chunk: Uint8Array, start: number): void {
    this.#expectSettings('PING')
    this.#frames.onPing(ack, chunk, start)
  }

  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void {
    this.#frames.onGoaway(lastStreamId, code, chunk, start, end)
  }

  onWindowUpdate(streamId: number, increment: number): void {
    this.#expectSettings('WINDOW_UPDATE')
    const context = this.#context
    const abuse = context.limits.onWindowUpdate(context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
    if (streamId === 0) {
      if (!context.sendWindow.add(increment)) {
        throw connectionViolation(
          ErrorCode.FLOW_CONTROL_ERROR,
          'RFC 9113 §6.9.1',
          `WINDOW_UPDATE of ${increment} octets takes the connection's window above 2147483647`,
        )
      }
      if (!context.sendQueue.isEmpty) context.wake()
      return
    }
    const stream = context.streams.get(streamId)
    if (stream === undefined || nextStreamState(stream.state, StreamInput.receiveWindowUpdate) >= IGNORE) {
      this.#refuse(streamId, stream, StreamInput.receiveWindowUpdate, 'WINDOW_UPDATE')
      return
    }
    if (!stream.sendWindow.add(increment)) {
      this.#endByPeer(
        stream,
        ErrorCode.FLOW_CONTROL_ERROR,
        'RFC 9113 §6.9.1',
        `WINDOW_UPDATE of ${increment} octets takes its window above 2147483647`,
      )
      return
    }
    this.#sender.onCredit(stream)
  }

  // Everything else

  onAltsvc(): void {
    this.#countUnknown()
  }

  onOrigin(): void {
    this.#countUnknown()
  }

  onIgnored(): void {
    this.#expectSettings('a frame of unknown type')
    this.#countUnknown()
  }

  #countUnknown(): void {
    const abuse = this.#context.limits.onUnknownFrame(this.#context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
  }

  /** A frame broke a rule of its own stream. */
  onStreamError(error: WireError): void {
    const context = this.#context
    const streamId = error.streamId!
    const code = error.code!
    // RFC 9113 §5.1: an idle stream cannot be reset.
    if (context.isIdle(streamId)) {
      const opening =
        this.decoder.type === FrameType.HEADERS && context.role === 'server' && !context.isLocal(streamId)
      if (!opening) {
        throw connectionViolation(code, error.section, `${error.reason} on stream ${streamId}, which is idle`)
      }
      context.advancePeerStreamId(streamId)
    }
    const violation = streamViolation(code, error.section, error.reason, streamId)
    context.refuseStream(streamId, context.streams.get(streamId), violation)
  }

  /** RFC 9113 §3.4: SETTINGS come first of all. */
  #expectSettings(frame: string): void {
    if (this.#settings.remoteArrived) return
    throw connectionViolation(
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §3.4',
      `the peer's first frame is ${frame}, allowed is SETTINGS`,
    )
  }

  /** What the state table says about a frame for which there is no stream, or none that takes it. */
  #refuse(streamId: number, stream: PureStream | undefined, input: StreamInput, frame: string): void {
    const context = this.#context
    const state =
      stream?.state ?? (context.isIdle(streamId) ? StreamState.idle : context.closedStreams.stateOf(streamId))
    const answer = nextStreamState(state, input)
    const reason = `${frame} on stream ${streamId}, which is ${streamStateName(state)}`
    if (answer >= CONNECTION_ERROR) throw connectionViolation(answer & CODE, 'RFC 9113 §5.1', reason)
    if (answer >= STREAM_ERROR) {
      context.refuseStream(
        streamId,
        stream,
        streamViolation(answer & CODE, 'RFC 9113 §5.1', reason, streamId),
      )
    }
  }

  #endByPeer(stream: PureStream, code: number, section: string, reason: string): void {
    this.#context.refuseStream(stream.id, stream, streamViolation(code, section, reason, stream.id))
  }

  #malformed(streamId: number, what: string): StreamError {
    const { violation, section, contentLength } = this.#checker
    if (violation === undefined) {
      const reason = `malformed ${what}: content-length is ${contentLength}, but it ended with its header section`
      return streamViolation(ErrorCode.PROTOCOL_ERROR, 'RFC 9113 §8.1.1', reason, streamId)
    }
    return streamViolation(ErrorCode.PROTOCOL_ERROR, section, `malformed ${what}: ${violation}`, streamId)
  }

  #headerListError(streamId: number): StreamError {
    const { decoder, options } = this.#context
    const reason = `header list of ${decoder.headerListSizeOctets} octets, allowed are ${options.maxHeaderListSizeOctets}`
    return streamViolation(ErrorCode.ENHANCE_YOUR_CALM, 'RFC 9113 §10.5.1', reason, streamId)
  }
}
