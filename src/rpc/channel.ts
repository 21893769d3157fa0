/** What a user gets from `connect`: starts calls, makes clients, shows the connection's state. */

import { LongTimer } from '../http2/long-timer.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { DEFAULT_MAX_MESSAGE_OCTETS } from '../wire/length-prefixed-message.ts'
import { currentCall } from './call-context.ts'
import type { CallOptions, ClientInterceptor } from './call-options.ts'
import type { CallPlan, PlannedCredentials } from './call-plan.ts'
import {
  AwaitableFace,
  type BidirectionalCall,
  type CallMachine,
  type ClientStreamingCall,
  IterableFace,
  type ServerStreamingCall,
  type UnaryCall,
} from './calls.ts'
import { ChannelCore, type ConnectTarget } from './channel-core.ts'
import type { ChannelOptions } from './channel-options.ts'
import { checkCallOptions, checkedChannelOptions } from './check-options.ts'
import { type Caller, type Client, createClient, type Requests } from './client.ts'
import { type CallHost, ClientCall } from './client-call.ts'
import { acceptedEncodings, type MessageEncoding, messageEncoding } from './compression.ts'
import type { ConnectivityState } from './connectivity.ts'
import { combineCredentials } from './credentials.ts'
import { deadlineMoment } from './deadline.ts'
import { InterceptedCall } from './intercepted-call.ts'
import { DEFAULT_MIN_COMPRESS_OCTETS } from './message-framing.ts'
import { Metadata } from './metadata.ts'
import { DEFAULT_MAX_METADATA_ENTRIES } from './metadata-limit.ts'
import type { Method, Methods, Service } from './method.ts'
import { requestTemplate } from './request-headers.ts'
import { StatusError } from './status-error.ts'
import { VERSION } from './version.ts'

const tooLarge = (_sizeOctets: number, maxOctets: number): string =>
  `Attempted to send message with a size larger than ${maxOctets}`

function encodingByName(name: string | undefined): MessageEncoding | undefined {
  if (name === undefined || name === 'identity') return undefined
  const encoding = messageEncoding(name)
  if (encoding === undefined) {
    throw new TypeError(`compression: ${JSON.stringify(name)} is unknown; there are ${acceptedEncodings()}`)
  }
  return encoding
}

/** Makes a channel to a target. Nothing is sent before the first call. See {@link connect}. */
export class Channel implements Caller {
  private readonly core: ChannelCore
  private readonly options: ChannelOptions
  private readonly plans = new Map<Method, CallPlan>()

  constructor(target: string | ConnectTarget, options: ChannelOptions = {}) {
    encodingByName(options.compression)
    this.options = checkedChannelOptions(options)
    this.core = new ChannelCore(target, this.options)
  }

  /** The target that the channel was made for. */
  get target(): string {
    return this.core.name
  }

  /** The state of the connection, as gRPC names it. */
  get state(): ConnectivityState {
    return this.core.state
  }

  /**
   * Connects now instead of at the first call.
   * @param options.deadline milliseconds after which it rejects with DEADLINE_EXCEEDED; default 20000
   * @throws StatusError UNAVAILABLE if the channel is closed meanwhile
   */
  async ready(options: { deadline?: number } = {}): Promise<void> {
    const late = new AbortController()
    const timer = new LongTimer(options.deadline ?? 20_000, () => late.abort())
    this.core.hold()
    try {
      for (;;) {
        const state = this.core.state
        if (state === 'READY') return
        if (state === 'SHUTDOWN') throw new StatusError(Status.UNAVAILABLE, 'The channel has been closed')
        this.core.connect()
        await this.core.connectivity.changed(this.core.state, late.signal)
      }
    } catch (error) {
      if (error instanceof StatusError) throw error
      const details = `Failed to connect before the deadline,${this.core.waitingFor()}`
      throw new StatusError(Status.DEADLINE_EXCEEDED, details, { phase: 'connect' })
    } finally {
      timer.clear()
      this.core.release()
    }
  }

  /**
   * Waits until the state is another than `from`.
   * @param signal ends the waiting: rejects with its reason
   */
  stateChange(from: ConnectivityState, signal?: AbortSignal): Promise<ConnectivityState> {
    return this.core.connectivity.changed(from, signal)
  }

  /**
   * A client with one function for each method of the service.
   * @example
   * const greeter = channel.client(helloworld.Greeter)
   * const reply = await greeter.sayHello({ name: 'world' }, { deadline: 500 })
   */
  client<M extends Methods>(service: Service<M>): Client<M> {
    return createClient(this, service)
  }

  unary<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): UnaryCall<S> {
    return new AwaitableFace(this.start(method, request, options))
  }

  serverStreaming<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): ServerStreamingCall<S> {
    return new IterableFace(this.start(method, request, options))
  }

  clientStreaming<Q, S>(
    method: Method<Q, S>,
    requests?: Requests<Q>,
    options?: CallOptions,
  ): ClientStreamingCall<Q, S> {
    return new AwaitableFace(this.startStreaming(method, requests, options))
  }

  bidirectional<Q, S>(
    method: Method<Q, S>,
    requests?: Requests<Q>,
    options?: CallOptions,
  ): BidirectionalCall<Q, S> {
    return new IterableFace(this.startStreaming(method, requests, options))
  }

  private start<Q, S>(method: Method<Q, S>, request: Q, options: CallOptions | undefined): CallMachine<Q, S> {
    const interceptors = this.interceptorsOf(options)
    if (interceptors !== undefined) return this.intercepted(method, interceptors, [request], options)
    const call = this.call(method, options)
    call.startUnary(request)
    return call
  }

  private startStreaming<Q, S>(
    method: Method<Q, S>,
    requests: Requests<Q> | undefined,
    options: CallOptions | undefined,
  ): CallMachine<Q, S> {
    const interceptors = this.interceptorsOf(options)
    if (interceptors !== undefined) return this.intercepted(method, interceptors, requests, options)
    const call = this.call(method, options)
    call.startStreaming(requests)
    return call
  }

  /** The channel's interceptors around those of the call; undefined if there are none. */
  private interceptorsOf(options: CallOptions | undefined): readonly ClientInterceptor[] | undefined {
    const outer = this.options.interceptors
    const inner = options?.interceptors
    if (outer === undefined || outer.length === 0)
      return inner === undefined || inner.length === 0 ? undefined : inner
    return inner === undefined ? outer : [...outer, ...inner]
  }

  private intercepted<Q, S>(
    method: Method<Q, S>,
    interceptors: readonly ClientInterceptor[],
    requests: Requests<Q> | undefined,
    options: CallOptions | undefined,
  ): CallMachine<Q, S> {
    const all = { ...options, deadline: options?.deadline ?? this.options.defaultDeadlineMs }
    return new InterceptedCall<Q, S>(method as Method, interceptors, all, requests, (inner, innerOptions) =>
      this.call(inner, innerOptions),
    )
  }

  private call<Q, S>(method: Method<Q, S>, given: CallOptions | undefined): ClientCall<Q, S> {
    const options = this.options.inheritCall === true ? { parent: currentCall(), ...given } : given
    return new ClientCall<Q, S>(this.core as CallHost, method, this.plan(method as Method, options), options)
  }

  /** What holds for a call; the same object for all calls of a method that say nothing special. */
  private plan(method: Method, options: CallOptions | undefined): CallPlan {
    let common = this.plans.get(method)
    if (common === undefined) {
      common = this.newPlan(method, this.options.compression, this.options.userAgent)
      this.plans.set(method, common)
    }
    const defaultDeadlineMs = this.options.defaultDeadlineMs
    if (options === undefined && defaultDeadlineMs === undefined) return common
    return this.specialPlan(common, method, options ?? {}, defaultDeadlineMs)
  }

  private specialPlan(
    common: CallPlan,
    method: Method,
    options: CallOptions,
    defaultDeadlineMs: number | undefined,
  ): CallPlan {
    const metadata = options.metadata === undefined ? undefined : new Metadata(options.metadata)
    const base = this.basePlan(common, method, options.compression, metadata)
    checkCallOptions(options)
    const deadline = options.deadline ?? defaultDeadlineMs
    const maxSend = options.maxSendMessageOctets
    const parent = options.parent
    const ownMs = deadlineMoment(deadline, Date.now())
    return {
      template: base.template,
      rules: maxSend === undefined ? base.rules : { ...base.rules, maxSendMessageOctets: maxSend },
      maxReceiveMessageOctets: options.maxReceiveMessageOctets ?? base.maxReceiveMessageOctets,
      maxMetadataEntries: base.maxMetadataEntries,
      waitForReady: options.waitForReady ?? base.waitForReady,
      deadlineMs: parent?.deadline === undefined ? ownMs : Math.min(ownMs, parent.deadline.getTime()),
      metadata,
      credentials:
        options.credentials === undefined ? base.credentials : this.credentialsFor(method, options),
    }
  }

  /** What does not change from call to call, unless one has an encoding or a user-agent of its own. */
  private basePlan(
    common: CallPlan,
    method: Method,
    compression: string | undefined,
    metadata: Metadata | undefined,
  ): CallPlan {
    // There is one user-agent field: that of a call goes before the library's name, as the channel's option does.
    const userAgent = metadata?.getAll('user-agent').join(' ')
    if (userAgent === undefined || userAgent === '') {
      return compression === undefined ? common : this.newPlan(method, compression, this.options.userAgent)
    }
    metadata?.delete('user-agent')
    return this.newPlan(method, compression ?? this.options.compression, userAgent)
  }

  private credentialsFor(method: Method, options: CallOptions): PlannedCredentials | undefined {
    const outer = this.options.credentials
    const inner = options.credentials
    const make =
      outer !== undefined && inner !== undefined ? combineCredentials(outer, inner) : (inner ?? outer)
    if (make === undefined) return undefined
    const service = method.path.slice(0, method.path.lastIndexOf('/'))
    // Token services name port 443 of https without its number.
    const host = this.core.authority.replace(/:443$/, '')
    return {
      make,
      context: { serviceUrl: `https://${host}${service}`, path: method.path },
      allowed: Boolean(this.options.tls) || this.options.allowInsecureCredentials === true,
    }
  }

  private newPlan(method: Method, compression: string | undefined, userAgent: string | undefined): CallPlan {
    const { options } = this
    const encoding = encodingByName(compression)
    const library = `grpc-glass/${VERSION}`
    return {
      template: requestTemplate({
        scheme: options.tls ? 'https' : 'http',
        path: method.path,
        authority: this.core.authority,
        userAgent: userAgent === undefined ? library : `${userAgent} ${library}`,
        acceptEncoding: acceptedEncodings(),
        encoding: encoding?.name,
      }),
      rules: {
        maxSendMessageOctets: options.maxSendMessageOctets ?? Number.POSITIVE_INFINITY,
        encoding,
        minCompressOctets: options.minCompressOctets ?? DEFAULT_MIN_COMPRESS_OCTETS,
        tooLarge,
      },
      maxReceiveMessageOctets: options.maxReceiveMessageOctets ?? DEFAULT_MAX_MESSAGE_OCTETS,
      maxMetadataEntries: options.maxMetadataEntries ?? DEFAULT_MAX_METADATA_ENTRIES,
      waitForReady: options.waitForReady ?? false,
      deadlineMs: Number.POSITIVE_INFINITY,
      metadata: undefined,
      credentials: this.credentialsFor(method, {}),
    }
  }

  /**
   * Takes no more calls. Resolves when those that run have ended and the sockets are closed.
   * @param options.graceMs cancels what still runs after that many milliseconds; default none, 0 at once
   */
  close(options: { graceMs?: number } = {}): Promise<void> {
    return this.core.close(options.graceMs)
  }

  /** Closes the channel and cancels what still runs (`await using channel = connect(…)`). */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ graceMs: 0 })
  }
}

/**
 * Makes a channel to a target.
 *
 * @param target `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:50051,…`, `ipv6:[::1]:50051`, `unix:path`,
 *   `unix-abstract:name` (gRPC naming), or a {@link ConnectTarget} such as `server.inProcess()`
 * @param options see {@link ChannelOptions}; default: in the clear, engine `node`
 * @throws TypeError if the target or an option can't be understood
 * @example
 * await using channel = connect('localhost:50051')
 * const greeter = channel.client(helloworld.Greeter)
 * console.log((await greeter.sayHello({ name: 'world' })).message)
 */
export function connect(target: string | ConnectTarget, options: ChannelOptions = {}): Channel {
  return new Channel(target, options)
}
