/**
 * One call, seen from the client: from the first header to the status, on one HTTP/2 stream (or, after a
 * transparent retry, on the next one).
 *
 * The machine listens to its stream by plain calls. Promises are made when somebody asks for one, so a
 * unary call costs one, and one that nobody awaits leaves no rejection behind. Whatever happens, `finish` runs
 * exactly once.
 */
import { ConnectionError, type StreamError } from '../http2/errors.ts'
import type { Member } from '../http2/member-list.ts'
import type { Fields, Http2Connection, Http2Stream, StreamListener } from '../http2/transport.ts'
import { ErrorCode } from '../wire/frame/error-codes.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import type { CallOptions, WriteOptions } from './call-options.ts'
import type { CallPlan, PlannedCredentials } from './call-plan.ts'
import { statusOfClose } from './close-status.ts'
import { messageEncoding } from './compression.ts'
import { authenticate } from './credentials.ts'
import { DeadlineTimer } from './deadline.ts'
import { Deferred, looked } from './deferred.ts'
import { oversize } from './header-list-size.ts'
import { frameMessage } from './message-framing.ts'
import { MessageInbox } from './message-inbox.ts'
import { Metadata } from './metadata.ts'
import { excessiveEntries, excessText } from './metadata-limit.ts'
import type { Method } from './method.ts'
import { writeRequestHeaders } from './request-headers.ts'
import { type OptionsFor, RequestPump } from './request-pump.ts'
import {
  isGrpcContentType,
  ownStatus,
  readResponseHead,
  readStatus,
  statusOfForeignResponse,
} from './response-headers.ts'
import { type Phase, StatusError, type StatusObject } from './status-error.ts'

/** Requests kept for a transparent retry, at most; past it the call can't be moved to another connection. */
const REPLAY_LIMIT_OCTETS = 256 * 1024
/** How often a call is moved to another connection, whatever the reasons. */
const MAX_MOVES = 16
const NO_OCTETS = new Uint8Array(0)
const ROOM: Promise<boolean> = Promise.resolve(true)
const OVER: Promise<boolean> = Promise.resolve(false)

/** What a call needs of its channel. */
export interface CallHost {
  /** Gives the call a connection (`startOn`), now or later, or an end (`fail`). */
  submit(call: ClientCall): void
  /** The call ended, wherever it was. */
  ended(call: ClientCall): void
  /** What a call that has no connection is waiting for, for the text of an expired deadline. */
  waitingFor(): string
}

function parseFailure(error: unknown): StatusError {
  const text = error instanceof Error ? error.message : String(error)
  return new StatusError(Status.INTERNAL, `Response message parsing error: ${text}`, {
    cause: error,
    phase: 'messages',
  })
}

/** The machine of a client's call, for all four kinds; the public faces are in `calls.ts`. */
export class ClientCall<Request = unknown, Response = unknown> implements StreamListener, Member {
  readonly method: Method<Request, Response>
  readonly waitForReady: boolean
  /** Among the calls of its channel; the list's. */
  place = -1
  private readonly host: CallHost
  private readonly plan: CallPlan
  private readonly options: CallOptions | undefined
  private readonly inbox: MessageInbox<Response>
  private readonly startedMs: number

  private stream: Http2Stream | undefined = undefined
  private connection: Http2Connection | undefined = undefined
  /** Framed requests that wait for a stream, or are kept for a transparent retry. */
  private outbox: Uint8Array[] | undefined = undefined
  private outboxOctets = 0
  private localEnded = false
  /** True once the peer may have acted on the call: no transparent retry from here on (gRFC A6). */
  private committed = false
  private moves = 0
  private refusals = 0

  private httpStatus = 0
  private received: StatusObject | undefined = undefined
  private response: Response | undefined = undefined
  private phase: Phase = 'headers'

  private outcome: StatusObject | undefined = undefined
  private failure: StatusError | undefined = undefined
  /** The response headers, once they have come; made into Metadata for who asks. */
  private headerFields: Fields | undefined = undefined
  private timer: DeadlineTimer | undefined = undefined
  private watched: { signal: AbortSignal; abort: () => void }[] | undefined = undefined
  private metadata: Metadata | undefined
  private pump: RequestPump<Request> | undefined = undefined

  private resultDeferred: Deferred<Response> | undefined = undefined
  private headersDeferred: Deferred<Metadata> | undefined = undefined
  private statusDeferred: Deferred<StatusObject> | undefined = undefined
  private drainDeferred: Deferred<boolean> | undefined = undefined

  constructor(
    host: CallHost,
    method: Method<Request, Response>,
    plan: CallPlan,
    options: CallOptions | undefined,
  ) {
    this.host = host
    this.method = method
    this.plan = plan
    this.options = options
    this.waitForReady = plan.waitForReady
    this.metadata = plan.metadata
    this.inbox = new MessageInbox(method.response, plan.maxReceiveMessageOctets, parseFailure, this)
    this.startedMs = plan.deadlineMs === Number.POSITIVE_INFINITY ? 0 : Date.now()
  }

  /** Begins a call with one request. */
  startUnary(request: Request): void {
    if (!this.frame(request, true)) return
    this.localEnded = true
    this.begin()
  }

  /** Begins a call with a stream of requests, written by the caller or taken from `requests`. */
  startStreaming(
    requests: AsyncIterable<Request> | Iterable<Request> | undefined,
    optionsFor?: OptionsFor,
  ): void {
    this.begin()
    if (requests === undefined) return
    this.pump = new RequestPump<Request>(this, optionsFor)
    void this.pump.run(requests)
  }

  private begin(): void {
    if (this.options !== undefined && !this.watchSignals(this.options)) return
    const deadlineMs = this.plan.deadlineMs
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      if (deadlineMs <= this.startedMs) return this.expire()
      this.timer = new DeadlineTimer(deadlineMs, () => this.expire())
    }
    if (this.plan.credentials !== undefined) void this.authenticate(this.plan.credentials)
    else this.host.submit(this as unknown as ClientCall)
  }

  private watchSignals({ signal, parent }: CallOptions): boolean {
    if (signal !== undefined && !this.watch(signal, 'Cancelled on client')) return false
    return parent === undefined || this.watch(parent.signal, 'Cancelled by parent call')
  }

  private watch(signal: AbortSignal, details: string): boolean {
    const abort = (): void => this.fail(Status.CANCELLED, details, signal.reason)
    if (signal.aborted) {
      abort()
      return false
    }
    this.watched ??= []
    this.watched.push({ signal, abort })
    signal.addEventListener('abort', abort, { once: true })
    return true
  }

  private async authenticate(credentials: PlannedCredentials): Promise<void> {
    try {
      this.metadata = await authenticate(
        credentials.make,
        credentials.context,
        credentials.allowed,
        this.metadata,
      )
    } catch (error) {
      return this.finishWith(error as StatusError)
    }
    if (this.outcome === undefined) this.host.submit(this as unknown as ClientCall)
  }

  private expire(): void {
    const seconds = Math.max(0, this.plan.deadlineMs - this.startedMs) / 1000
    const where = this.stream === undefined ? this.host.waitingFor() : `remote_addr=${this.peer}`
    const phase = this.stream === undefined ? 'connect' : this.phase
    this.fail(
      Status.DEADLINE_EXCEEDED,
      `Deadline exceeded after ${seconds.toFixed(3)}s,${where}`,
      undefined,
      phase,
    )
  }

  /** Address of the server that has the call, or an empty text while there is none. */
  get peer(): string {
    return this.connection?.peer.address ?? ''
  }

  /** True once the call has ended. */
  get isOver(): boolean {
    return this.outcome !== undefined
  }

  /** True once response headers have come: the connection works. */
  get answered(): boolean {
    return this.httpStatus !== 0
  }

  // ---- sending

  /** Puts one message into the outbox; an encoding error ends the call. */
  private frame(request: Request, compress: boolean): boolean {
    let octets: Uint8Array
    try {
      octets = frameMessage(this.method.request, request, this.plan.rules, compress)
    } catch (error) {
      if (error instanceof StatusError) this.finishWith(error)
      else {
        const text = error instanceof Error ? error.message : String(error)
        this.fail(Status.INTERNAL, `Request message serialization failure: ${text}`, error)
      }
      return false
    }
    if (this.outbox === undefined) this.outbox = [octets]
    else this.outbox.push(octets)
    this.outboxOctets += octets.length
    return true
  }

  /** The channel has a connection for the call. */
  startOn(connection: Http2Connection): void {
    if (this.outcome !== undefined) return
    this.connection = connection
    const deadlineMs = this.plan.deadlineMs
    const timeoutMs =
      deadlineMs === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : Math.max(1, deadlineMs - Date.now())
    try {
      const fields = writeRequestHeaders(this.plan.template, timeoutMs, this.metadata)
      if (this.metadata !== undefined) {
        const refusal = oversize(fields, connection, 'The request headers')
        if (refusal !== undefined) return this.fail(Status.RESOURCE_EXHAUSTED, refusal)
      }
      const priority = this.options?.priority
      const stream = connection.open(this, priority === undefined ? undefined : { priority })
      this.stream = stream
      stream.sendHeaders(fields, false)
      const outbox = this.outbox
      let room = true
      if (outbox !== undefined) {
        const last = outbox.length - 1
        for (let i = 0; i <= last; i++) room = stream.sendData(outbox[i]!, this.localEnded && i === last)
        if (this.outboxOctets > REPLAY_LIMIT_OCTETS) this.commit()
      }
      if (this.localEnded && (outbox === undefined || outbox.length === 0)) stream.sendData(NO_OCTETS, true)
      if (room) this.onDrain()
    } catch (error) {
      this.fail(Status.INTERNAL, `Failed to start HTTP/2 stream with error: ${String(error)}`, error)
    }
  }

  private commit(): void {
    this.committed = true
    this.outbox = undefined
    this.outboxOctets = 0
  }

  /** Sends one request; see `WritableCall.write`. */
  write(request: Request, options?: WriteOptions): Promise<boolean> {
    if (this.outcome !== undefined) return this.writeWhenOver()
    if (this.localEnded) {
      return looked(
        Promise.reject(new Error(`${this.method.path}: write after end; the request stream is closed`)),
      )
    }
    if (!this.frame(request, options?.compress !== false)) return this.writeWhenOver()
    if (this.stream === undefined) return this.waitForRoom()
    const octets = this.outbox![this.outbox!.length - 1]!
    if (this.committed) {
      this.outbox = undefined
      this.outboxOctets = 0
    } else if (this.outboxOctets > REPLAY_LIMIT_OCTETS) this.commit()
    return this.stream.sendData(octets, false) ? ROOM : this.waitForRoom()
  }

  private waitForRoom(): Promise<boolean> {
    this.drainDeferred ??= new Deferred()
    return looked(this.drainDeferred.promise)
  }

  private writeWhenOver(): Promise<boolean> {
    return this.outcome!.code === Status.OK ? OVER : looked(Promise.reject(this.error()))
  }

  /** No more requests. */
  end(): void {
    if (this.localEnded || this.outcome !== undefined) return
    this.localEnded = true
    this.stream?.sendData(NO_OCTETS, true)
  }

  // ---- receiving

  onHeaders(fields: Fields, endStream: boolean): void {
    if (this.outcome !== undefined) return
    this.commit()
    const head = readResponseHead(fields)
    this.httpStatus = head.httpStatus
    if (endStream && head.hasStatus) {
      // Trailers-Only: the status comes with the headers, and there is no other metadata.
      this.phase = 'trailers'
      if (this.isExcessive(fields, 'Trailers-Only headers')) return
      this.received = readStatus(fields, head.httpStatus)
      this.tellHeaders([])
      return
    }
    if (head.httpStatus !== 200 || !isGrpcContentType(head.contentType)) {
      this.phase = 'headers'
      return this.finish(statusOfForeignResponse(head, this.peer), undefined)
    }
    if (this.isExcessive(fields, 'response headers')) return
    if (head.encoding !== undefined) {
      this.inbox.encodingName = head.encoding
      this.inbox.encoding = messageEncoding(head.encoding)
    }
    this.phase = 'messages'
    this.tellHeaders(fields)
  }

  /** Ends the call if a section brings more metadata than is allowed. */
  private isExcessive(fields: Fields, section: string): boolean {
    const { maxMetadataEntries } = this.plan
    const entries = excessiveEntries(fields, maxMetadataEntries)
    if (entries === 0) return false
    const where = `the ${section} from ${this.peer}`
    this.fail(Status.RESOURCE_EXHAUSTED, excessText(entries, maxMetadataEntries, where))
    return true
  }

  private tellHeaders(fields: Fields): void {
    this.headerFields = fields
    this.headersDeferred?.resolve(Metadata.fromFields(fields))
  }

  onData(chunk: Uint8Array, start: number, end: number): void {
    if (this.method.responseStream || this.outcome !== undefined) this.inbox.push(chunk, start, end)
    else this.takeResponses(chunk, start, end)
  }

  private takeResponses(chunk: Uint8Array, start: number, end: number): void {
    const { inbox } = this
    try {
      for (let at = start; at < end; ) {
        at = inbox.takeFrom(chunk, at, end)
        if (!inbox.taken) return
        this.response = inbox.message
        if (this.inbox.count > 1) {
          return this.fail(
            Status.UNIMPLEMENTED,
            `Too many responses received by the unary call ${this.method.path}`,
          )
        }
      }
    } catch (error) {
      this.finishWith(error as StatusError)
    }
  }

  onTrailers(fields: Fields): void {
    this.phase = 'trailers'
    if (this.isExcessive(fields, 'trailers')) return
    this.received = readStatus(fields, this.httpStatus)
  }

  onEnd(): void {
    if (this.outcome !== undefined) return
    const received = this.received
    if (received === undefined) {
      // gRPC PROTOCOL-HTTP2 "Responses": a response ends with Trailers, always.
      return this.fail(Status.INTERNAL, 'The server ended the response without trailers and grpc-status')
    }
    if (received.code !== Status.OK) return this.finish(received, undefined)
    const cut = this.inbox.end()
    if (cut !== undefined) return this.finishWith(cut)
    if (!this.method.responseStream && this.inbox.count === 0) {
      return this.fail(Status.UNIMPLEMENTED, `No message received by the unary call ${this.method.path}`)
    }
    this.finish(received, undefined)
  }

  onDrain(): void {
    const waiting = this.drainDeferred
    if (waiting === undefined) return
    this.drainDeferred = undefined
    waiting.resolve(true)
  }

  onClose(error?: StreamError | ConnectionError): void {
    if (this.outcome !== undefined) return
    if (error === undefined) return this.onEnd()
    if (error.unprocessed && !this.committed && this.mayRetry()) {
      this.stream = undefined
      this.connection = undefined
      return this.host.submit(this as unknown as ClientCall)
    }
    this.finishWith(statusOfClose(error, this.phase, Date.now() >= this.plan.deadlineMs))
  }

  /** gRFC A6: what never left is moved each time; what the server's HTTP/2 saw and refused, once. */
  private mayRetry(): boolean {
    if (this.moves++ === MAX_MOVES) return false
    return this.stream?.id === 0 || this.refusals++ === 0
  }

  // ---- ending

  /** Ends the call on the client's wish. */
  cancel(details = 'Cancelled on client'): void {
    this.fail(Status.CANCELLED, details)
  }

  /** Ends the call with a status of our own making. */
  fail(code: number, details: string, cause?: unknown, phase: Phase = this.phase): void {
    if (this.outcome !== undefined) return
    this.finishWith(new StatusError(code, details, { phase, ...(cause !== undefined && { cause }) }))
  }

  /** Ends the call with an error that exists already. */
  finishWith(error: StatusError): void {
    this.finish(error, error)
  }

  private finish(status: StatusObject, failure: StatusError | undefined): void {
    if (this.outcome !== undefined) return
    this.outcome = status
    this.failure = failure
    this.timer?.clear()
    if (this.watched !== undefined) {
      for (const { signal, abort } of this.watched) signal.removeEventListener('abort', abort)
    }
    this.outbox = undefined
    this.pump?.leave()
    const fromPeer = this.received !== undefined && status === this.received
    if (this.stream !== undefined) {
      // A complete answer needs no more of the request (RFC 9113 §8.1); everything else is a cancellation.
      if (!fromPeer) this.stream.reset(ErrorCode.CANCEL)
      else if (!this.localEnded) this.stream.reset(ErrorCode.NO_ERROR)
    }
    if (status.code !== Status.OK && this.method.responseStream) {
      // Messages that came before a status are the application's (gRPC PROTOCOL-HTTP2), unless it gave up itself.
      if (fromPeer || failure?.cause instanceof ConnectionError) this.inbox.endWith(this.error())
      else this.inbox.abort(this.error())
    }
    this.host.ended(this as unknown as ClientCall)
    this.settle(status)
  }

  private settle(status: StatusObject): void {
    const ok = status.code === Status.OK
    this.statusDeferred?.resolve(ownStatus(status))
    if (this.headersDeferred !== undefined && this.headerFields === undefined)
      this.headersDeferred.reject(this.error())
    if (this.resultDeferred !== undefined) {
      if (ok) this.resultDeferred.resolve(this.response as Response)
      else this.resultDeferred.reject(this.error())
    }
    if (this.drainDeferred !== undefined) {
      if (ok) this.drainDeferred.resolve(false)
      else this.drainDeferred.reject(this.error())
      this.drainDeferred = undefined
    }
  }

  /** The error of a call that did not end with OK, made when first needed. */
  private error(): StatusError {
    const outcome = ownStatus(this.outcome!)
    this.failure ??= new StatusError(outcome.code, outcome.details, {
      metadata: outcome.metadata,
      phase: this.phase,
    })
    return this.failure
  }

  // ---- what the public faces show

  result(): Promise<Response> {
    if (this.resultDeferred === undefined) {
      this.resultDeferred = new Deferred()
      if (this.outcome !== undefined) this.settleResult()
    }
    return this.resultDeferred.promise
  }

  private settleResult(): void {
    if (this.outcome!.code === Status.OK) this.resultDeferred!.resolve(this.response as Response)
    else this.resultDeferred!.reject(this.error())
  }

  headers(): Promise<Metadata> {
    if (this.headersDeferred === undefined) {
      this.headersDeferred = new Deferred()
      looked(this.headersDeferred.promise)
      if (this.headerFields !== undefined)
        this.headersDeferred.resolve(Metadata.fromFields(this.headerFields))
      else if (this.outcome !== undefined) this.headersDeferred.reject(this.error())
    }
    return this.headersDeferred.promise
  }

  status(): Promise<StatusObject> {
    if (this.statusDeferred === undefined) {
      this.statusDeferred = new Deferred()
      if (this.outcome !== undefined) this.statusDeferred.resolve(ownStatus(this.outcome))
    }
    return this.statusDeferred.promise
  }

  messages(): AsyncIterableIterator<Response, undefined> {
    this.inbox.onReturn = () => this.cancel()
    this.inbox.onFailure = (error) => this.finishWith(error)
    return this.inbox
  }

  /** Gives credit back for response octets taken. */
  consume(sizeOctets: number): void {
    this.stream?.consume(sizeOctets)
  }
}
