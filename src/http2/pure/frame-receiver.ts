/**
 * The receiving half of a connection: what each frame means for streams, windows and limits (RFC 9113 §5, §6).
 *
 * The frame decoder has checked each frame by itself; here it meets the state. A violation of the connection is
 * thrown as ConnectionError, one of a stream ends it by RST_STREAM. Header sections go on to `message-receiver`.
 */
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import type { FrameHeader } from '../../wire/frame/header.ts'
import type { FrameSink } from '../../wire/frame/sink.ts'
import { FrameType } from '../../wire/frame/types.ts'
import type { WireError } from '../../wire/wire-error.ts'
import { StreamError } from '../errors.ts'
import type { ConnectionContext } from './connection-context.ts'
import { FieldBlockAssembly } from './field-block-assembly.ts'
import { type MessageHost, MessageReceiver } from './message-receiver.ts'
import type { SettingsExchange } from './settings-exchange.ts'
import { answerByState } from './state-answer.ts'
import type { PureStream } from './stream.ts'
import { StreamPriorities } from './stream-priorities.ts'
import type { StreamSender } from './stream-sender.ts'
import { IGNORE, isClosed, nextStreamState, StreamInput, StreamState } from './stream-state.ts'
import { calm, connectionViolation, streamViolation } from './violation.ts'

/** What concerns the whole connection, told to its core. */
export interface ConnectionFrames extends MessageHost {
  onFirstSettings(): void
  onSettingsChanged(): void
  onPing(ack: boolean, chunk: Uint8Array, start: number): void
  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void
  /** DATA of this size arrived, for the bandwidth estimate. */
  onDataOctets(sizeOctets: number): void
}

/** Frames in, streams and events out. */
export class FrameReceiver implements FrameSink {
  readonly assembly: FieldBlockAssembly
  readonly #context: ConnectionContext
  readonly #sender: StreamSender
  readonly #settings: SettingsExchange
  readonly #frames: ConnectionFrames
  readonly #priorities: StreamPriorities
  readonly #messages: MessageReceiver
  /** The decoder that calls us, for the type of the frame at hand. */
  decoder!: FrameHeader
  /** Stream of the DATA frame whose pieces arrive; undefined if they are dropped. */
  #dataStream: PureStream | undefined = undefined

  constructor(
    context: ConnectionContext,
    sender: StreamSender,
    settings: SettingsExchange,
    frames: ConnectionFrames,
  ) {
    this.#context = context
    this.#sender = sender
    this.#settings = settings
    this.#frames = frames
    this.assembly = new FieldBlockAssembly(context.options)
    this.#priorities = new StreamPriorities(context, sender)
    this.#messages = new MessageReceiver(context, frames, sender, this.#priorities)
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
      answerByState(context, streamId, stream, StreamInput.receiveData, 'DATA')
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
    if (!endStream) return
    this.#dataStream = undefined
    if (!isClosed(stream.state)) this.#messages.endRemote(stream)
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
    // Whose DATA came last may be over: it must not be kept by an idle connection.
    this.#dataStream = undefined
    this.#expectSettings('HEADERS')
    if (endHeaders) {
      this.#messages.onFieldBlock(streamId, endStream, chunk, start, end)
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
    if (promisedStreamId === 0) this.#messages.onFieldBlock(streamId, endStream, octets, 0, sizeOctets)
    else this.#messages.onPromise(streamId, promisedStreamId, octets, 0, sizeOctets)
  }

  #checkFragment(excess: string | undefined, sizeOctets: number): void {
    if (excess !== undefined) throw calm(excess)
    if (sizeOctets > 0) return
    const abuse = this.#context.limits.onEmptyFrame(this.#context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
  }

  // PRIORITY and its successor (RFC 9113 §5.3.2, RFC 9218)

  onHeadersPriority(): void {}

  onPriority(): void {
    this.#expectSettings('PRIORITY')
    this.#countPriority()
  }

  onPriorityUpdate(prioritizedStreamId: number, chunk: Uint8Array, start: number, end: number): void {
    this.#expectSettings('PRIORITY_UPDATE')
    this.#countPriority()
    const value = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start).toString('latin1')
    this.#priorities.onUpdate(prioritizedStreamId, value)
  }

  #countPriority(): void {
    const abuse = this.#context.limits.onPriority(this.#context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
  }

  // RST_STREAM (RFC 9113 §6.4)

  onRstStream(streamId: number, code: number): void {
    this.#expectSettings('RST_STREAM')
    const context = this.#context
    const stream = context.streams.get(streamId)
    if (stream === undefined) {
      answerByState(context, streamId, undefined, StreamInput.receiveReset, 'RST_STREAM')
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
      this.#messages.onPromise(streamId, promisedStreamId, chunk, start, end)
      return
    }
    this.assembly.begin(streamId, promisedStreamId, false, context.nowMs)
    this.#checkFragment(this.assembly.add(chunk, start, end), end - start)
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
      answerByState(context, streamId, stream, StreamInput.receiveWindowUpdate, 'WINDOW_UPDATE')
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

  #endByPeer(stream: PureStream, code: number, section: string, reason: string): void {
    this.#context.refuseStream(stream.id, stream, streamViolation(code, section, reason, stream.id))
  }
}
