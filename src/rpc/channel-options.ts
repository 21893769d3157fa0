/** What a caller may say of a channel, with defaults and limits. */
import type { ClientTls, ConnectOptions, EngineName, Http2Engine } from '../http2/transport.ts'
import type { BackoffOptions } from './backoff.ts'
import type { CallOptions } from './call-options.ts'
import type { Lookup } from './resolver.ts'

/** Options of `connect`. The call options among them hold for every call that does not say otherwise. */
export interface ChannelOptions
  extends Omit<ConnectOptions, 'tls'>,
    BackoffOptions,
    Pick<
      CallOptions,
      | 'waitForReady'
      | 'compression'
      | 'maxReceiveMessageOctets'
      | 'maxSendMessageOctets'
      | 'credentials'
      | 'interceptors'
    > {
  /** `node` (on node:http2, the default), `pure` (HTTP/2 from scratch), or an engine itself, such as one wrapped to watch it. */
  engine?: EngineName | Http2Engine
  /** TLS; true for Node's root certificates and nothing else. Default: in the clear. */
  tls?: boolean | ClientTls
  /** Value of `:authority`; default what the target names. */
  authority?: string
  /** Put before the library's own name in `user-agent`, unless the metadata of a call has one. */
  userAgent?: string
  /** Deadline of calls that give none, in milliseconds from their start; default none. */
  defaultDeadlineMs?: number
  /** Messages smaller than this are not compressed, in octets; default 1024. */
  minCompressOctets?: number
  /** Entries of metadata that a server may send in headers or trailers; more end the call with RESOURCE_EXHAUSTED; default 128. */
  maxMetadataEntries?: number
  /** Sends call credentials without TLS too; default false: such calls fail with UNAUTHENTICATED. */
  allowInsecureCredentials?: boolean
  /** Time for one attempt to connect, from TCP to SETTINGS, in milliseconds; default 20000. */
  connectTimeoutMs?: number
  /** Time without calls after which the connection is closed, in milliseconds; default 1800000, 0 for never. */
  idleTimeoutMs?: number
  /**
   * True makes calls inside of a handler inherit its deadline and cancellation, if its server has
   * `callContext: true`; default false: say `parent` where it is wanted.
   */
  inheritCall?: boolean
  /** Looks host names up; default the system's resolver. */
  lookup?: Lookup
}
