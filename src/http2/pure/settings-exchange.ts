/**
 * SETTINGS of both ends (RFC 9113 §6.5): ours with their acknowledgement and its time limit, the peer's applied
 * entry by entry.
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import { SettingId, writeSettings, writeSettingsAck } from '../../wire/frame/settings.ts'
import type { Settings } from '../transport.ts'
import type { ConnectionContext } from './connection-context.ts'
import type { StreamSender } from './stream-sender.ts'
import { calm, connectionViolation } from './violation.ts'

/** Both ends' settings on one connection. */
export class SettingsExchange {
  /** What the peer sent, by name. */
  remote: Settings = {}
  /** What we sent. */
  readonly local: Settings
  /** The peer has sent its first SETTINGS frame. */
  remoteArrived = false
  /** The peer has acknowledged ours. */
  acknowledged = false
  /** When the acknowledgement must have come; Infinity while none is due. */
  ackDeadlineMs = Number.POSITIVE_INFINITY
  readonly #context: ConnectionContext
  readonly #sender: StreamSender
  #entries = 0

  constructor(context: ConnectionContext, sender: StreamSender) {
    this.#context = context
    this.#sender = sender
    const { options } = context
    this.local = {
      headerTableSize: options.headerTableSizeOctets,
      ...(context.role === 'client' ? { enablePush: options.enablePush } : {}),
      maxConcurrentStreams: options.maxConcurrentStreams,
      initialWindowSize: options.streamWindowOctets,
      maxFrameSize: options.maxFrameSizeOctets,
      maxHeaderListSize: options.maxHeaderListSizeOctets,
    }
  }

  /** Sends our SETTINGS, first of all frames, and raises the connection's window. */
  send(): void {
    const context = this.#context
    const { options } = context
    context.wake()
    const entries: number[] = []
    if (options.headerTableSizeOctets !== 4096) {
      entries.push(SettingId.HEADER_TABLE_SIZE, options.headerTableSizeOctets)
    }
    if (context.role === 'client') entries.push(SettingId.ENABLE_PUSH, options.enablePush ? 1 : 0)
    // For a client it limits pushed streams.
    entries.push(SettingId.MAX_CONCURRENT_STREAMS, options.maxConcurrentStreams)
    entries.push(SettingId.INITIAL_WINDOW_SIZE, options.streamWindowOctets)
    if (options.maxFrameSizeOctets !== 16_384)
      entries.push(SettingId.MAX_FRAME_SIZE, options.maxFrameSizeOctets)
    entries.push(SettingId.MAX_HEADER_LIST_SIZE, options.maxHeaderListSizeOctets)
    // RFC 9218 §2.1: the priorities of RFC 7540 are read and ignored here.
    entries.push(SettingId.NO_RFC7540_PRIORITIES, 1)
    writeSettings(context.output.writer, entries)
    const increment = context.receiveWindow.raise()
    if (increment > 0) context.writeWindowUpdate(0, increment)
  }

  /** The peer acknowledged: what we asked for holds from here on (RFC 9113 §6.5.3). */
  onAck(): void {
    if (this.acknowledged) {
      throw connectionViolation(
        ErrorCode.PROTOCOL_ERROR,
        'RFC 9113 §6.5.3',
        'SETTINGS with ACK, but no SETTINGS of ours wait for one',
      )
    }
    this.acknowledged = true
    this.ackDeadlineMs = Number.POSITIVE_INFINITY
    const context = this.#context
    const { options } = context
    if (options.headerTableSizeOctets !== 4096) context.decoder.setMaxTableSize(options.headerTableSizeOctets)
    const difference = options.streamWindowOctets - context.initialReceiveWindow
    if (difference < 0) {
      context.initialReceiveWindow = options.streamWindowOctets
      for (const stream of context.streams.all()) stream.receiveWindow.availableOctets += difference
    }
  }

  /** One entry of the peer's SETTINGS, checked for its range already. */
  onSetting(identifier: number, value: number): void {
    const context = this.#context
    if (++this.#entries > context.options.maxSettingsEntries) {
      throw calm(
        `SETTINGS with more than ${context.options.maxSettingsEntries} entries (limit maxSettingsEntries)`,
      )
    }
    const { remote } = this
    switch (identifier) {
      case SettingId.HEADER_TABLE_SIZE:
        remote.headerTableSize = value
        context.encoder.setMaxTableSize(value)
        return
      case SettingId.ENABLE_PUSH:
        if (context.role === 'client' && value !== 0) {
          throw connectionViolation(
            ErrorCode.PROTOCOL_ERROR,
            'RFC 9113 §6.5.2',
            'SETTINGS_ENABLE_PUSH is 1 from a server, allowed is 0',
          )
        }
        remote.enablePush = value === 1
        return
      case SettingId.MAX_CONCURRENT_STREAMS:
        remote.maxConcurrentStreams = value
        context.peerMaxConcurrentStreams = value
        return
      case SettingId.INITIAL_WINDOW_SIZE:
        remote.initialWindowSize = value
        this.#changeInitialWindow(value)
        return
      case SettingId.MAX_FRAME_SIZE:
        remote.maxFrameSize = value
        context.peerMaxFrameSize = value
        return
      case SettingId.MAX_HEADER_LIST_SIZE:
        remote.maxHeaderListSize = value
        return
      default:
        // RFC 9113 §6.5.2: a setting nobody here knows is ignored.
        return
    }
  }

  /** The peer's SETTINGS frame is complete: acknowledge it. @returns true if it was the first */
  onSettings(): boolean {
    const context = this.#context
    this.#entries = 0
    const abuse = context.limits.onSettings(context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
    const first = !this.remoteArrived
    if (first) {
      this.remoteArrived = true
      // Until here the handshake's time limit counts.
      if (!this.acknowledged) this.ackDeadlineMs = context.nowMs + context.options.settingsTimeoutMs
      const { remote } = this
      // RFC 9113 §6.5.2: no limit, and pushes allowed, unless said otherwise.
      if (remote.maxConcurrentStreams === undefined) {
        context.peerMaxConcurrentStreams = Number.POSITIVE_INFINITY
      }
    }
    context.peerAllowsPush = context.role === 'server' && this.remote.enablePush !== false
    context.wake()
    writeSettingsAck(context.output.writer)
    return first
  }

  /** Changes the windows of all streams by the difference, below zero if need be (RFC 9113 §6.9.2). */
  #changeInitialWindow(octets: number): void {
    const context = this.#context
    const difference = octets - context.peerInitialWindow
    context.peerInitialWindow = octets
    for (const stream of context.streams.all()) {
      if (!stream.sendWindow.add(difference)) {
        throw connectionViolation(
          ErrorCode.FLOW_CONTROL_ERROR,
          'RFC 9113 §6.9.2',
          `SETTINGS_INITIAL_WINDOW_SIZE ${octets} takes the window of stream ${stream.id} above 2147483647`,
        )
      }
      if (difference > 0) this.#sender.onCredit(stream)
    }
  }
}
