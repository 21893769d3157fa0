/** What an engine's options mean for a session of node:http2, defaults included. */
import type { ClientSessionOptions, Settings as NodeSettings } from 'node:http2'
import type { EngineOptions, Settings } from '../transport.ts'

const DEFAULT_MAX_CONCURRENT_STREAMS = 256
const DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS = 16384
const DEFAULT_STREAM_WINDOW_OCTETS = 1 << 20
const DEFAULT_CONNECTION_WINDOW_OCTETS = 4 << 20
const DEFAULT_SEND_BUFFER_OCTETS = 65536
const DEFAULT_WATCHDOG_INTERVAL_MS = 1000

/** Octets a field costs beyond name and value (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD_OCTETS = 32
/** No limit of our own on what we send: the peer's SETTINGS_MAX_HEADER_LIST_SIZE is for the layer above. */
const MAX_SEND_HEADER_BLOCK_OCTETS = 0x7fffffff
/** Node's default of 10 MB refuses streams while large messages are under way; windows and stream limits bound memory. */
const MAX_SESSION_MEMORY_MB = 4096
/** How Node says that the peer sent no SETTINGS_MAX_CONCURRENT_STREAMS. */
const UNLIMITED = 0xffffffff

/** An engine's options with their defaults filled in. */
export interface Limits {
  readonly settings: Settings
  /** Octets delivered and not consumed above which a stream is paused: half its window. */
  readonly pauseAtOctets: number
  readonly connectionWindowOctets: number
  readonly sendBufferOctets: number
  readonly watchdogIntervalMs: number
}

/** Fills in the defaults. */
export function limitsOf(role: 'client' | 'server', options: EngineOptions): Limits {
  const windowOctets = options.streamWindowOctets ?? DEFAULT_STREAM_WINDOW_OCTETS
  const settings: Settings = {
    initialWindowSize: windowOctets,
    maxHeaderListSize: options.maxHeaderListSizeOctets ?? DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS,
  }
  if (role === 'client') settings.enablePush = false
  else settings.maxConcurrentStreams = options.maxConcurrentStreams ?? DEFAULT_MAX_CONCURRENT_STREAMS
  return {
    settings,
    pauseAtOctets: Math.max(windowOctets >> 1, 1),
    connectionWindowOctets: options.connectionWindowOctets ?? DEFAULT_CONNECTION_WINDOW_OCTETS,
    sendBufferOctets: options.sendBufferOctets ?? DEFAULT_SEND_BUFFER_OCTETS,
    watchdogIntervalMs: options.watchdogIntervalMs ?? DEFAULT_WATCHDOG_INTERVAL_MS,
  }
}

/** The options of a node:http2 session. Its limits against floods are left as they are. */
export function sessionOptions(limits: Limits, maxOutstandingPings: number): ClientSessionOptions {
  const { settings } = limits
  return {
    settings,
    maxOutstandingPings,
    maxHeaderListPairs: Math.ceil((settings.maxHeaderListSize ?? 0) / FIELD_OVERHEAD_OCTETS),
    maxSendHeaderBlockLength: MAX_SEND_HEADER_BLOCK_OCTETS,
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
  }
}

/** The peer's settings as the seam tells them: without Node's own additions, and without what was not sent. */
export function seamSettings(remote: NodeSettings): Settings {
  const settings: Settings = {}
  if (remote.headerTableSize !== undefined) settings.headerTableSize = remote.headerTableSize
  if (remote.enablePush !== undefined) settings.enablePush = remote.enablePush
  const { maxConcurrentStreams = UNLIMITED } = remote
  if (maxConcurrentStreams !== UNLIMITED) settings.maxConcurrentStreams = maxConcurrentStreams
  if (remote.initialWindowSize !== undefined) settings.initialWindowSize = remote.initialWindowSize
  if (remote.maxFrameSize !== undefined) settings.maxFrameSize = remote.maxFrameSize
  if (remote.maxHeaderListSize !== undefined) settings.maxHeaderListSize = remote.maxHeaderListSize
  return settings
}
