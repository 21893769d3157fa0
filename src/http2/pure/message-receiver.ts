/**
 * Header sections of messages: requests, responses, trailers and promises, from the field block to the listener
 * (RFC 9113 §8.1, §8.3, §8.4), and the end of a message with its content-length.
 *
 * Field blocks are decoded even if their stream is gone, because the HPACK table belongs to the connection
 * (RFC 9113 §4.3). What breaks a rule of HTTP ends its stream only (RFC 9113 §8.1.1).
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import type { StreamError } from '../errors.ts'
import type { Fields, StreamListener } from '../transport.ts'
import type { ConnectionContext } from './connection-context.ts'
import { FieldSectionChecker } from './field-section.ts'
import { answerByState } from './state-answer.ts'
import { PureStream, type StreamCommands } from './stream.ts'
import type { StreamPriorities } from './stream-priorities.ts'
import {
  IGNORE,
  isClosed,
  nextStreamState,
  StreamInput,
  StreamState,
  streamStateName,
} from './stream-state.ts'
import { calm, connectionViolation, streamViolation } from './violation.ts'

/** What a message may depend on beyond its stream. */
export interface MessageHost {
  /** The highest stream of the peer that is still accepted; above it requests are dropped (RFC 9113 §6.8). */
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

/** Field blocks in, messages out. */
export class MessageReceiver {
  readonly #context: ConnectionContext
  readonly #host: MessageHost
  readonly #commands: StreamCommands
  readonly #priorities: StreamPriorities
  readonly #checker = new FieldSectionChecker()

  constructor(
    context: ConnectionContext,
    host: MessageHost,
    commands: StreamCommands,
    priorities: StreamPriorities,
  ) {
    this.#context = context
    this.#host = host
    this.#commands = commands
    this.#priorities = priorities
  }

  /** The complete field block of HEADERS, with its CONTINUATION. */
  onFieldBlock(streamId: number, endStream: boolean, chunk: Uint8Array, start: number, end: number): void {
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
    answerByState(context, streamId, undefined, StreamInput.receiveHeaders, 'HEADERS')
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
    if (streamId > this.#host.lastAcceptedStreamId) return
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
    this.#priorities.onRequest(stream, checker.priority)
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
      answerByState(context, stream.id, stream, StreamInput.receiveHeaders, 'HEADERS')
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
    if (endStream && !isClosed(stream.state)) this.endRemote(stream)
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
    if (!isClosed(stream.state)) this.endRemote(stream)
  }

  /** END_STREAM arrived, and everything before it has been told. */
  endRemote(stream: PureStream): void {
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

  /** The complete field block of PUSH_PROMISE. */
  onPromise(streamId: number, promisedId: number, chunk: Uint8Array, start: number, end: number): void {
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
    const listener = this.#host.onPushedRequest(stream, fields)
    if (listener === undefined) context.resetStream(stream, refused)
    else stream.listener = listener
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

  #endByPeer(stream: PureStream, code: number, section: string, reason: string): void {
    this.#context.refuseStream(stream.id, stream, streamViolation(code, section, reason, stream.id))
  }
}
