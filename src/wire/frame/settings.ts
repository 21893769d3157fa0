/**
 * SETTINGS (RFC 9113 §6.5): how the sender wants to be spoken to, and the acknowledgement of it.
 *
 * Values are checked where a specification gives their range; what depends on role or on earlier values (a
 * server that enables push, a changed window) is left to the connection.
 */
import { type OctetWriter, readUint16, readUint32 } from '../octets.ts'
import { ErrorCode } from './error-codes.ts'
import { connectionError } from './frame-error.ts'
import { type FrameHeader, writeFrameHeader } from './header.ts'
import type { FrameSink } from './sink.ts'
import { DEFAULT_MAX_FRAME_SIZE, Flag, FrameType, MAX_31_BIT, MAX_MAX_FRAME_SIZE } from './types.ts'

/** Identifiers of settings: RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1. */
export const SettingId = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  ENABLE_CONNECT_PROTOCOL: 0x8,
  NO_RFC7540_PRIORITIES: 0x9,
} as const

/** One of the settings named in {@link SettingId}; the wire may carry any other 16-bit identifier. */
export type SettingId = (typeof SettingId)[keyof typeof SettingId]

const SETTING_OCTETS = 6
const names = new Map<number, string>(Object.entries(SettingId).map(([name, id]) => [id, name]))

/**
 * The name of a setting without `SETTINGS_`, or its hex value where none is known here.
 *
 * @example
 * settingName(4) // 'INITIAL_WINDOW_SIZE'
 */
export function settingName(identifier: number): string {
  return names.get(identifier) ?? `0x${identifier.toString(16)}`
}

/**
 * Tells a SETTINGS frame: its entries, then `onSettings`; or `onSettingsAck`.
 *
 * @throws WireError for the connection: PROTOCOL_ERROR, FRAME_SIZE_ERROR or FLOW_CONTROL_ERROR
 */
export function readSettings(sink: FrameSink, header: FrameHeader, chunk: Uint8Array, start: number): void {
  const { length } = header
  // RFC 9113 §6.5: settings are of the connection, never of a stream.
  if (header.streamId !== 0) {
    throw connectionError(
      header,
      ErrorCode.PROTOCOL_ERROR,
      'RFC 9113 §6.5',
      'SETTINGS on a stream, allowed on stream 0 only',
    )
  }
  if ((header.flags & Flag.ACK) !== 0) {
    // RFC 9113 §6.5: an acknowledgement carries nothing.
    if (length !== 0) {
      throw connectionError(
        header,
        ErrorCode.FRAME_SIZE_ERROR,
        'RFC 9113 §6.5',
        `SETTINGS with ACK is ${length} octets, allowed are 0`,
      )
    }
    sink.onSettingsAck()
    return
  }
  // RFC 9113 §6.5: whole entries of six octets.
  if (length % SETTING_OCTETS !== 0) {
    throw connectionError(
      header,
      ErrorCode.FRAME_SIZE_ERROR,
      'RFC 9113 §6.5',
      `SETTINGS is ${length} octets, allowed are multiples of ${SETTING_OCTETS}`,
    )
  }
  const end = start + length
  for (let at = start; at < end; at += SETTING_OCTETS) {
    checkSetting(header, readUint16(chunk, at), readUint32(chunk, at + 2))
  }
  for (let at = start; at < end; at += SETTING_OCTETS) {
    sink.onSetting(readUint16(chunk, at), readUint32(chunk, at + 2))
  }
  sink.onSettings(length / SETTING_OCTETS)
}

function checkSetting(header: FrameHeader, identifier: number, value: number): void {
  switch (identifier) {
    case SettingId.ENABLE_PUSH:
      // RFC 9113 §6.5.2: 0 or 1.
      if (value > 1) throw valueError(header, identifier, value, '0 or 1', 'RFC 9113 §6.5.2')
      return
    case SettingId.INITIAL_WINDOW_SIZE:
      // RFC 9113 §6.5.2: a window is at most 2^31 - 1; FLOW_CONTROL_ERROR, unlike the others.
      if (value > MAX_31_BIT) {
        throw connectionError(
          header,
          ErrorCode.FLOW_CONTROL_ERROR,
          'RFC 9113 §6.5.2',
          `SETTINGS_INITIAL_WINDOW_SIZE is ${value}, allowed are at most ${MAX_31_BIT}`,
        )
      }
      return
    case SettingId.MAX_FRAME_SIZE:
      // RFC 9113 §6.5.2: 2^14 to 2^24 - 1.
      if (value < DEFAULT_MAX_FRAME_SIZE || value > MAX_MAX_FRAME_SIZE) {
        const allowed = `${DEFAULT_MAX_FRAME_SIZE} to ${MAX_MAX_FRAME_SIZE}`
        throw valueError(header, identifier, value, allowed, 'RFC 9113 §6.5.2')
      }
      return
    case SettingId.ENABLE_CONNECT_PROTOCOL:
      // RFC 8441 §3: 0 or 1.
      if (value > 1) throw valueError(header, identifier, value, '0 or 1', 'RFC 8441 §3')
      return
    case SettingId.NO_RFC7540_PRIORITIES:
      // RFC 9218 §2.1: 0 or 1.
      if (value > 1) throw valueError(header, identifier, value, '0 or 1', 'RFC 9218 §2.1')
      return
  }
}

function valueError(
  header: FrameHeader,
  identifier: number,
  value: number,
  allowed: string,
  section: string,
) {
  const reason = `SETTINGS_${settingName(identifier)} is ${value}, allowed are ${allowed}`
  return connectionError(header, ErrorCode.PROTOCOL_ERROR, section, reason)
}

/**
 * Writes a SETTINGS frame.
 *
 * @param entries identifier, value, identifier, value, in the order they are to be applied
 *
 * @example
 * writeSettings(out, [SettingId.ENABLE_PUSH, 0, SettingId.INITIAL_WINDOW_SIZE, 1_048_576])
 */
export function writeSettings(out: OctetWriter, entries: readonly number[]): void {
  writeFrameHeader(out, (entries.length >> 1) * SETTING_OCTETS, FrameType.SETTINGS, 0, 0)
  for (let index = 0; index + 1 < entries.length; index += 2) {
    out.uint16(entries[index]!)
    out.uint32(entries[index + 1]!)
  }
}

/** Writes the acknowledgement of the peer's SETTINGS (RFC 9113 §6.5.3). */
export function writeSettingsAck(out: OctetWriter): void {
  writeFrameHeader(out, 0, FrameType.SETTINGS, Flag.ACK, 0)
}
