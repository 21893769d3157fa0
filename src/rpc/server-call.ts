/**
 * One call, seen from the server: from the request headers to the trailers.
 *
 * The machine listens to its stream by plain calls, and is itself the `call` that handlers get. A handler that
 * returns at once is answered in the same turn, so headers, message and trailers leave together. `finish` runs
 * exactly once.
 */
import type { ConnectionError, StreamError } from '../http2/errors.ts'
import type { Member } from '../http2/member-list.ts'
import type { Fields, Http2Stream, PeerInfo, StreamListener } from '../http2/transport.ts'
import { ErrorCode } from '../wire/frame/error-codes.ts'
import { encodeGrpcMessage } from '../wire/grpc/percent-encoding.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { messageEncoding } from './compression.ts'
import { DeadlineTimer } from './deadline.ts'
import { Deferred } from './deferred.ts'
import type { HandlerCall } from './handlers.ts'
import { oversize } from './header-list-size.ts'
import { frameMessage, type SendRules } from './message-framing.ts'
import { MessageInbox } from './message-inbox.ts'
import { Metadata, type MetadataInit } from './metadata.ts'
import type { Method } from './method.ts'
import type { RequestHead } from './request-headers.ts'
import type { Route } from './route.ts'
import { StatusError } from './status-error.ts'
import { UnwantedRequest } from './unwanted-request.ts'

/** What a call needs of its server. */
export interface ServerCallHost {
  /** Response headers without and with metadata begin with these. */
  readonly responseFields: Fields
  readonly maxReceiveMessageOctets: number
  /** Time for a client to end a request that was answered early, in milliseconds; 0 resets its stream at once. */
  readonly unwantedRequestMs: number
  /** How responses are compressed and limited, given what the client accepts. */
  sendRules(acceptEncoding: string | undefined): SendRules
  /** A handler threw something that is no StatusError. */
  handlerFailed(error: unknown, call: HandlerCall): void
  /** The call is over. */
  ended(call: ServerCall): void
}

/** What is kept of a Status-Message that is too long to be sent. */
const MAX_CUT_LENGTH = 200
const OK_TRAILERS: Fields = Object.freeze(['grpc-status', '0'])

function parseFailure(error: unknown): StatusError {
  return new StatusError(Status.INTERNAL, 'Error deserializing request', { cause: error, phase: 'messages' })
}

/** The machine of a server's call, for all four kinds. */
export class ServerCall<Request = unknown, Response = unknown>
  implements StreamListener, HandlerCall, Member
{
  readonly method: Method<Request, Response>
  readonly startedMs: number
  compress = true
  messagesSent = 0
  /** Among the calls of its server; the list's. */
  place = -1
  /** How the call ended, once it has. */
  code = -1
  details = ''

  private readonly host: ServerCallHost
  private readonly route: Route<Request, Response>
  private readonly stream: Http2Stream
  private readonly head: RequestHead
  private readonly fields: Fields
  private readonly inbox: MessageInbox<Request>
  private readonly deadlineMs: number
  private rules: SendRules | undefined = undefined
  private request: Request | undefined = undefined
  private headersSent = false
  private over = false
  private aborted = false
  private room = true
  private requestEnded = false
  private unwanted: UnwantedRequest | undefined = undefined
  private trailers: Metadata | undefined = undefined
  private metadataValue: Metadata | undefined = undefined
  private controller: AbortController | undefined = undefined
  private timer: DeadlineTimer | undefined = undefined
  private drain: Deferred<void> | undefined = undefined
  private responses: AsyncIterator<Response> | Iterator<Response> | undefined = undefined
  /** The handler's generator is running, in `next`. */
  private stepping = false

  constructor(
    host: ServerCallHost,
    route: Route<Request, Response>,
    stream: Http2Stream,
    head: RequestHead,
    fields: Fields,
    timeoutMs: number,
  ) {
    this.host = host
    this.route = route
    this.method = route.method
    this.stream = stream
    this.head = head
    this.fields = fields
    this.startedMs = Date.now()
    this.deadlineMs = this.startedMs + timeoutMs
    this.inbox = new MessageInbox(route.method.request, host.maxReceiveMessageOctets, parseFailure, stream)
    if (head.encoding !== undefined) {
      this.inbox.encodingName = head.encoding
      this.inbox.encoding = messageEncoding(head.encoding)
    }
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.timer = new DeadlineTimer(this.deadlineMs, () => this.expire())
    }
  }

  /** Begins a call whose handler wants requests as they come; the others wait for their message. */
  start(): void {
    if (this.method.requestStream && !this.over) this.run(this.requests())
  }

  private requests(): AsyncIterableIterator<Request, undefined> {
    const { inbox } = this
    inbox.onReturn = () =>
      inbox.abort(new StatusError(Status.CANCELLED, 'The handler reads no more requests'))
    return inbox
  }

  // ---- what a handler sees

  get metadata(): Metadata {
    this.metadataValue ??= Metadata.fromFields(this.fields)
    return this.metadataValue
  }

  get authority(): string {
    return this.head.authority ?? this.metadata.get('host') ?? ''
  }

  get deadline(): Date | undefined {
    return this.deadlineMs === Number.POSITIVE_INFINITY ? undefined : new Date(this.deadlineMs)
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.aborted) this.controller.abort(this.abortReason())
    }
    return this.controller.signal
  }

  get cancelled(): boolean {
    return this.aborted
  }

  get peer(): PeerInfo {
    return this.stream.connection.peer
  }

  sendHeaders(metadata?: MetadataInit): void {
    if (this.headersSent) throw new Error(`${this.method.path}: response headers were sent already`)
    const extra = metadata === undefined ? undefined : new Metadata(metadata)
    if (this.over) return
    const { encoding } = this.sendRules()
    if (extra === undefined && encoding === undefined) {
      this.headersSent = true
      return this.stream.sendHeaders(this.host.responseFields, false)
    }
    const fields = this.host.responseFields.slice()
    if (encoding !== undefined) fields.push('grpc-encoding', encoding.name)
    if (extra !== undefined) {
      extra.appendTo(fields)
      const refusal = oversize(fields, this.stream.connection, 'The response headers')
      if (refusal !== undefined) return this.terminate(Status.RESOURCE_EXHAUSTED, refusal)
    }
    this.headersSent = true
    this.stream.sendHeaders(fields, false)
  }

  setTrailers(metadata: MetadataInit): void {
    this.trailers = (this.trailers ?? new Metadata()).merge(metadata)
  }

  /** Requests that the handler has got. */
  get messagesReceived(): number {
    return this.inbox.count
  }

  get requestCompressed(): boolean {
    return this.inbox.messageCompressed
  }

  private sendRules(): SendRules {
    this.rules ??= this.host.sendRules(this.head.acceptEncoding)
    return this.rules
  }

  // ---- requests

  onHeaders(): void {}

  onData(chunk: Uint8Array, start: number, end: number): void {
    if (this.unwanted !== undefined) return this.unwanted.received(end - start)
    if (this.method.requestStream || this.over) this.inbox.push(chunk, start, end)
    else this.takeRequests(chunk, start, end)
  }

  private takeRequests(chunk: Uint8Array, start: number, end: number): void {
    const { inbox } = this
    try {
      for (let at = start; at < end; ) {
        at = inbox.takeFrom(chunk, at, end)
        if (!inbox.taken) return
        this.request = inbox.message
        // A stream of responses may last: it must not hold the request all that time.
        inbox.message = undefined
        if (inbox.count > 1) {
          return this.finish(
            Status.UNIMPLEMENTED,
            `Received a second request message for the method ${this.method.path}, which takes one`,
          )
        }
      }
    } catch (error) {
      this.finishWith(error as StatusError)
    }
  }

  onTrailers(): void {}

  onEnd(): void {
    this.requestEnded = true
    this.unwanted?.ended()
    if (this.over) return
    const cut = this.inbox.end()
    if (this.method.requestStream) return
    if (cut !== undefined) return this.finishWith(cut)
    if (this.messagesReceived === 0) {
      return this.finish(
        Status.UNIMPLEMENTED,
        `Received no request message for the method ${this.method.path}, which takes one`,
      )
    }
    const request = this.request as Request
    this.request = undefined
    this.run(request)
  }

  // ---- the handler

  private run(request: unknown): void {
    try {
      const result = this.route.handler(request, this)
      if (isPromise(result)) {
        result.then(
          (value) => this.handled(value),
          (error: unknown) => this.threw(error),
        )
      } else this.handled(result)
    } catch (error) {
      this.threw(error)
    }
  }

  private handled(result: unknown): void {
    if (this.method.responseStream) return void this.respondAll(result)
    if (this.over) return
    if (this.send(result as Response)) this.finish(Status.OK, '')
  }

  private threw(error: unknown): void {
    if (this.over) return
    const status = StatusError.from(error)
    if (status.phase === 'handler') this.host.handlerFailed(error, this)
    this.finishWith(status)
  }

  private async respondAll(result: unknown): Promise<void> {
    try {
      const iterable = result as AsyncIterable<Response> | Iterable<Response> | null | undefined
      if (typeof iterable !== 'object' || iterable === null) throw notIterable(this.method, result)
      if (Symbol.asyncIterator in iterable) this.responses = iterable[Symbol.asyncIterator]()
      else if (Symbol.iterator in iterable) this.responses = iterable[Symbol.iterator]()
      else throw notIterable(this.method, result)
      const iterator = this.responses
      if (this.over) return this.leaveResponses()
      for (;;) {
        // A generator that is not async has its message at once; a pause comes when there is no more room.
        this.stepping = true
        const result = iterator.next()
        this.stepping = false
        if (this.over) this.leaveResponses()
        const next = isPromise(result) ? await result : result
        if (this.over) return
        if (next.done) break
        if (!this.send(next.value)) return this.leaveResponses()
        if (!this.room) await this.waitForRoom()
        if (this.over) return
      }
      this.responses = undefined
      this.finish(Status.OK, '')
    } catch (error) {
      this.stepping = false
      this.responses = undefined
      this.threw(error)
    }
  }

  private waitForRoom(): Promise<void> {
    this.drain ??= new Deferred()
    return this.drain.promise
  }

  /** Lets a generator run its `finally`; what it throws then is told to the server, nobody else. */
  private leaveResponses(): void {
    // A generator can't be left while it runs, as when it ends its own call: then after its step.
    if (this.stepping) return
    const iterator = this.responses
    this.responses = undefined
    if (iterator?.return === undefined) return
    try {
      Promise.resolve(iterator.return()).catch((error: unknown) => this.host.handlerFailed(error, this))
    } catch (error) {
      this.host.handlerFailed(error, this)
    }
  }

  private send(message: Response): boolean {
    let octets: Uint8Array
    try {
      octets = frameMessage(this.method.response, message, this.sendRules(), this.compress)
    } catch (error) {
      if (error instanceof StatusError) this.finishWith(error)
      else {
        this.host.handlerFailed(error, this)
        this.finish(Status.INTERNAL, 'Error serializing response')
      }
      return false
    }
    if (!this.headersSent) this.sendHeaders()
    this.messagesSent++
    this.room = this.stream.sendData(octets, false)
    return true
  }

  // ---- the end

  private expire(): void {
    if (this.over) return
    this.abort()
    // Trailers behind a stalled message would not arrive in time: then the stream is reset, as gRPC asks.
    if (this.room) this.finish(Status.DEADLINE_EXCEEDED, 'Deadline exceeded')
    else this.cut(Status.DEADLINE_EXCEEDED, 'Deadline exceeded')
  }

  /** Ends the call from the server's side although its handler still runs. */
  terminate(code: number, details: string): void {
    if (this.over) return
    this.abort()
    this.finish(code, details)
  }

  private finishWith(error: StatusError): void {
    if (error.metadata.size > 0) this.setTrailers(error.metadata)
    this.finish(error.code, error.details)
  }

  private finish(code: number, details: string): void {
    if (this.over) return
    this.over = true
    // One that is not async may still set trailers in its `finally`.
    this.leaveResponses()
    const { headersSent } = this
    const plain = code === Status.OK && this.trailers === undefined && headersSent
    let fields = plain ? OK_TRAILERS : this.statusFields(code, details)
    const refusal = plain ? undefined : oversize(fields, this.stream.connection, 'The trailers')
    if (refusal === undefined) this.close(code, details)
    else {
      // The client would see a reset and no status. One that failed keeps its code; one that got all but its trailers did not.
      const kept = code === Status.OK ? Status.RESOURCE_EXHAUSTED : code
      const words = code === Status.OK ? refusal : `${shortened(details)} (${refusal})`
      this.trailers = undefined
      fields = this.statusFields(kept, words)
      this.close(kept, words)
    }
    if (headersSent) this.stream.sendTrailers(fields)
    else {
      // Trailers-Only (gRPC PROTOCOL-HTTP2 "Responses"): headers that carry the status and end the stream.
      this.headersSent = true
      this.stream.sendHeaders(fields, true)
    }
    if (!this.requestEnded) this.unwanted = new UnwantedRequest(this.stream, this.host.unwantedRequestMs)
  }

  private statusFields(code: number, details: string): Fields {
    const fields = this.headersSent ? [] : [':status', '200', 'content-type', 'application/grpc']
    fields.push('grpc-status', String(code))
    if (code !== Status.OK && details !== '') fields.push('grpc-message', encodeGrpcMessage(details))
    this.trailers?.appendTo(fields)
    return fields
  }

  private cut(code: number, details: string): void {
    this.close(code, details)
    this.stream.reset(ErrorCode.CANCEL)
  }

  /** The part of every end that is the same: no more timers, readers and writers. */
  private close(code: number, details: string): void {
    this.over = true
    this.code = code
    this.details = details
    this.timer?.clear()
    if (this.method.requestStream && !this.inbox.finished) {
      this.inbox.abort(new StatusError(Status.CANCELLED, 'The call is over'))
    }
    this.drain?.resolve()
    this.leaveResponses()
    this.host.ended(this as unknown as ServerCall)
  }

  private abort(): void {
    if (this.aborted) return
    this.aborted = true
    this.controller?.abort(this.abortReason())
  }

  private abortReason(): StatusError {
    return Date.now() >= this.deadlineMs
      ? new StatusError(Status.DEADLINE_EXCEEDED, 'Deadline exceeded')
      : new StatusError(Status.CANCELLED, 'Call cancelled')
  }

  onDrain(): void {
    this.room = true
    const waiting = this.drain
    this.drain = undefined
    waiting?.resolve()
  }

  onClose(_error?: StreamError | ConnectionError): void {
    this.unwanted?.ended()
    if (this.over) return
    this.abort()
    this.close(Status.CANCELLED, 'Call cancelled')
  }
}

/** The beginning of a text that is too long to be sent. */
function shortened(text: string): string {
  return text.length <= MAX_CUT_LENGTH ? text : `${text.slice(0, MAX_CUT_LENGTH)}…`
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function notIterable(method: Method, result: unknown): TypeError {
  return new TypeError(
    `the handler of ${method.path} returned ${result === null ? 'null' : typeof result}; a streaming response is an async generator or another iterable`,
  )
}
