/** What may be said of a server, with defaults and limits. */
import type { EngineName, Http2Engine, ListenOptions } from '../http2/transport.ts'
import type { CallSummary } from './call-summary.ts'
import type { HandlerCall } from './handlers.ts'
import type { ServerInterceptor } from './server-interceptor.ts'

/** Options of a {@link Server}. */
export interface ServerOptions extends Omit<ListenOptions, 'tls'> {
  /** `node` (on node:http2, the default), `pure` (HTTP/2 from scratch), or an engine itself, such as one wrapped to watch it. */
  engine?: EngineName | Http2Engine
  /** Largest request message in octets, also after decompression; default 4 MiB. */
  maxReceiveMessageOctets?: number
  /** Largest response message in octets, before compression; default unlimited. */
  maxSendMessageOctets?: number
  /** Entries of metadata that a client may send with a request; more end the call with RESOURCE_EXHAUSTED; default 128. */
  maxMetadataEntries?: number
  /** Name of the message encoding for responses, used with clients that accept it; default `identity`. */
  compression?: string
  /** Messages smaller than this are not compressed, in octets; default 1024. */
  minCompressOctets?: number
  /** Calls that may run at the same time, over all connections; more end with RESOURCE_EXHAUSTED; default unlimited. */
  maxConcurrentCalls?: number
  /** True lets `currentCall()` find the call in its handler and in what that starts; default false. */
  callContext?: boolean
  /** Code around every call, the first outermost. */
  interceptors?: readonly ServerInterceptor[]
  /** Told of every call and every refused request when it has ended. */
  onCall?: (summary: CallSummary) => void
  /** Told what a handler threw that is no StatusError; the client got UNKNOWN without its text. Default: nothing. */
  onHandlerError?: (error: unknown, call: HandlerCall) => void
  /** Told once of each connection that failed: in the TLS handshake, by speaking something else than HTTP/2, or later. */
  onConnectionError?: (error: Error) => void
}
