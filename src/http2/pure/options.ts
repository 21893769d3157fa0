/** The options of the `pure` engine beyond those of the seam, and what all of them are by default. */
import { type ConnectionAgeOptions, connectionAgeOptions } from '../connection-age.ts'
import {
  type KeepaliveOptions,
  keepaliveOptions,
  type PingEnforcementOptions,
  pingEnforcementOptions,
} from '../keepalive.ts'
import type { ConnectOptions, EngineOptions, ListenOptions } from '../transport.ts'
import type { AbuseBudgets } from './abuse-limits.ts'

/** Options of the `pure` engine. */
export interface PureEngineOptions extends EngineOptions {
  /** SETTINGS_HEADER_TABLE_SIZE: the dynamic table the peer's encoder may use, in octets; default 4096. */
  headerTableSizeOctets?: number
  /** SETTINGS_MAX_FRAME_SIZE we accept, 16384 to 16777215 octets; default 16384. */
  maxFrameSizeOctets?: number
  /** Largest DATA payload we send even if the peer takes more, in octets; default 16384, for fairness. */
  maxSentDataOctets?: number
  /** Largest field block with all its CONTINUATION frames, in octets (CVE-2024-27983); default 262144. */
  maxFieldBlockOctets?: number
  /** Most CONTINUATION frames of a field block; default 32. */
  maxContinuations?: number
  /** Most entries of a SETTINGS frame; default 32. */
  maxSettingsEntries?: number
  /** Most informational responses (1xx) of a stream; default 1000. */
  maxInformationalResponses?: number
  /** What cheap frames a peer may send; see {@link AbuseBudgets}. */
  budgets?: AbuseBudgets
  /** Time from a HEADERS frame to the end of its field block, in milliseconds; default 10000. */
  fieldBlockTimeoutMs?: number
  /** Time for the acknowledgement of our SETTINGS (RFC 9113 §6.5.3), in milliseconds; default 10000. */
  settingsTimeoutMs?: number
  /**
   * Time that a stream's queued DATA may wait without any of it leaving, because the peer gives no credit or does
   * not read, in milliseconds; then it is reset with CANCEL. Default 600000; Infinity for ever.
   */
  stallTimeoutMs?: number
  /**
   * Octets of output that the socket has not taken, above which we stop reading from the peer; default 1 MiB. It
   * bounds what frames that must be answered (PING, SETTINGS, requests) can make us hold.
   */
  maxUnsentOctets?: number
  /** Time a closed connection's socket waits for the peer to read our last octets, in milliseconds; default 1000. */
  lingerTimeoutMs?: number
  /** Largest receive window that auto-tuning makes, in octets; default 16 MiB; 0 keeps the windows as they are. */
  maxWindowOctets?: number
  /** Client: accept pushed streams (SETTINGS_ENABLE_PUSH), told to `onPush`; default false, as gRPC wants. */
  enablePush?: boolean
  /** Names of fields that the HPACK encoder must never index, besides the usual secrets. */
  sensitiveNames?: readonly string[]
}

/** Options of a client connection of the `pure` engine. */
export type PureConnectOptions = ConnectOptions & PureEngineOptions

/** Options of a listening server of the `pure` engine. */
export type PureListenOptions = ListenOptions & PureEngineOptions

/** Every option of the core with its value. */
export type CoreOptions = Required<
  Omit<
    PureEngineOptions,
    'watchdogIntervalMs' | 'keepaliveTimeMs' | 'keepaliveTimeoutMs' | 'keepaliveWithoutCalls'
  >
> & {
  keepalive: KeepaliveOptions
  /** Server only. */
  age: ConnectionAgeOptions | undefined
  /** Server only. */
  pingEnforcement: PingEnforcementOptions | undefined
}

const MIB = 1024 * 1024

/** Fills in the defaults. */
export function resolveOptions(
  options: PureConnectOptions | PureListenOptions,
  role: 'client' | 'server',
): CoreOptions {
  const server: ListenOptions = role === 'server' ? (options as PureListenOptions) : {}
  return {
    maxConcurrentStreams: options.maxConcurrentStreams ?? 256,
    maxHeaderListSizeOctets: options.maxHeaderListSizeOctets ?? 16_384,
    streamWindowOctets: options.streamWindowOctets ?? MIB,
    connectionWindowOctets: options.connectionWindowOctets ?? 4 * MIB,
    sendBufferOctets: options.sendBufferOctets ?? 65_536,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? (role === 'client' ? 20_000 : 10_000),
    headerTableSizeOctets: options.headerTableSizeOctets ?? 4096,
    maxFrameSizeOctets: options.maxFrameSizeOctets ?? 16_384,
    maxSentDataOctets: options.maxSentDataOctets ?? 16_384,
    maxFieldBlockOctets: options.maxFieldBlockOctets ?? 262_144,
    maxContinuations: options.maxContinuations ?? 32,
    maxSettingsEntries: options.maxSettingsEntries ?? 32,
    maxInformationalResponses: options.maxInformationalResponses ?? 1000,
    budgets: options.budgets ?? {},
    fieldBlockTimeoutMs: options.fieldBlockTimeoutMs ?? 10_000,
    settingsTimeoutMs: options.settingsTimeoutMs ?? 10_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 600_000,
    maxUnsentOctets: options.maxUnsentOctets ?? MIB,
    lingerTimeoutMs: options.lingerTimeoutMs ?? 1000,
    maxWindowOctets: options.maxWindowOctets ?? 16 * MIB,
    keepalive: keepaliveOptions(options),
    pingEnforcement: pingEnforcementOptions(server),
    age: connectionAgeOptions(server),
    enablePush: options.enablePush ?? false,
    sensitiveNames: options.sensitiveNames ?? [],
  }
}
