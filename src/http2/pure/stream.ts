/**
 * One stream of the `pure` engine: its state, its windows and what it has queued (RFC 9113 §5).
 *
 * A plain record with the seam's methods on top, which go straight on to the connection: no closure, emitter,
 * promise or timer a stream. All rules are in the connection's parts.
 */
import type { ConnectionError, StreamError } from '../errors.ts'
import type { Member } from '../member-list.ts'
import type { Fields, Http2Connection, Http2Stream, Priority, StreamListener } from '../transport.ts'
import { ReceiveWindow, SendWindow } from './flow-control.ts'
import { DEFAULT_URGENCY } from './priority.ts'
import type { Sendable } from './send-queue.ts'
import { StreamState } from './stream-state.ts'

/** What a stream asks of its connection: the seam's methods with the stream as first argument. */
export interface StreamCommands {
  readonly connection: Http2Connection
  sendHeaders(stream: PureStream, fields: Fields, endStream: boolean): void
  sendInformational(stream: PureStream, fields: Fields): void
  sendData(stream: PureStream, octets: Uint8Array, endStream: boolean): boolean
  sendTrailers(stream: PureStream, fields: Fields): void
  push(stream: PureStream, request: Fields, listener: StreamListener): PureStream
  prioritize(stream: PureStream, priority: Priority): void
  reset(stream: PureStream, code: number): void
  consume(stream: PureStream, sizeOctets: number): void
}

/** A stream as the application sees it, with what only the `pure` engine can do. */
export class PureStream implements Http2Stream, Sendable, Member {
  id = 0
  readonly commands: StreamCommands
  listener: StreamListener
  state: StreamState = StreamState.idle
  readonly sendWindow: SendWindow
  readonly receiveWindow: ReceiveWindow
  /** When it was opened, in milliseconds of the connection's clock. */
  openedMs = 0

  // Receiving.
  /** Octets of DATA that content-length still promises, -1 if it promises nothing (RFC 9113 §8.1.1). */
  promisedOctets = -1
  /** The peer's (final) header section has arrived; for a server from the start. */
  headersReceived = false
  /** The request's method is HEAD: its response has no content whatever content-length says. */
  isHead = false
  /** Informational responses so far. */
  informationalResponses = 0

  // Sending.
  headersSent = false
  /** Header section of a stream that waits to be opened. */
  waitingFields: Fields | undefined = undefined
  waitingEndStream = false
  /** Priority Field Value to send with the request; empty for none. */
  priorityField = ''
  /** DATA that could not be sent yet: `queue[0]` from `queueOffset` on, then the rest. */
  queue: Uint8Array[] | undefined = undefined
  queueOffset = 0
  queuedOctets = 0
  /** DATA octets written to the output in `outputTurn`; they count as queued until the output is taken. */
  outputOctets = 0
  outputTurn = 0
  /** The local side has ended; END_STREAM goes out behind what is queued. */
  ending = false
  /** Trailers to be sent behind what is queued. */
  trailers: Fields | undefined = undefined
  /** `sendData` returned false: `onDrain` is owed. */
  wantsDrain = false
  /** Reset with NO_ERROR asked for: to be sent once everything queued is out. */
  resetWhenSent = false
  /** When the queue last moved, for the stall limit. */
  movedMs = 0

  // The send queue's.
  urgency: number = DEFAULT_URGENCY
  sequential = false
  queued = false
  nextQueued: this | undefined = undefined
  previousQueued: this | undefined = undefined
  /** Among the streams that are not open yet; the list's. */
  place = -1

  // Closing.
  /** Why it closed, told by `onClose`. */
  closeError: StreamError | ConnectionError | undefined = undefined
  /** `onClose` has been called. */
  told = false

  constructor(
    commands: StreamCommands,
    listener: StreamListener,
    sendWindowOctets: number,
    receiveWindowOctets: number,
    targetWindowOctets: number,
  ) {
    this.commands = commands
    this.listener = listener
    this.sendWindow = new SendWindow(sendWindowOctets)
    this.receiveWindow = new ReceiveWindow(receiveWindowOctets, targetWindowOctets)
  }

  get connection(): Http2Connection {
    return this.commands.connection
  }

  sendHeaders(fields: Fields, endStream: boolean): void {
    this.commands.sendHeaders(this, fields, endStream)
  }

  /**
   * Server only: sends an informational response (1xx, RFC 9113 §8.1) before the final one.
   *
   * @throws Error after `sendHeaders` (misuse)
   */
  sendInformational(fields: Fields): void {
    this.commands.sendInformational(this, fields)
  }

  sendData(octets: Uint8Array, endStream: boolean): boolean {
    return this.commands.sendData(this, octets, endStream)
  }

  sendTrailers(fields: Fields): void {
    this.commands.sendTrailers(this, fields)
  }

  /**
   * Server only: promises a response to a request the client did not make (RFC 9113 §8.4), if the client asked
   * for pushes by SETTINGS_ENABLE_PUSH.
   *
   * @param request a request section without content, of a safe method, for example GET
   * @returns the pushed stream, on which the response is sent
   * @throws Error if this is a client, the stream has ended, or the client takes no pushes (misuse)
   */
  push(request: Fields, listener: StreamListener): PureStream {
    return this.commands.push(this, request, listener)
  }

  /**
   * Changes the priority: a server from now on schedules by it, a client asks for it by PRIORITY_UPDATE
   * (RFC 9218 §7).
   *
   * @throws RangeError if the urgency is no integer from 0 to 7 (misuse)
   */
  prioritize(priority: Priority): void {
    this.commands.prioritize(this, priority)
  }

  reset(code: number): void {
    this.commands.reset(this, code)
  }

  consume(sizeOctets: number): void {
    this.commands.consume(this, sizeOctets)
  }
}
