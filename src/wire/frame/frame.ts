/**
 * Frames as objects: for tests, traces and the inspector. The engine does without them, see `FrameSink`.
 *
 * `kind` tells the members of {@link Frame} apart. What the flags say stands in fields of its own
 * (`endStream`, `ack`), and `flags` keeps the octet as it was on the wire.
 */
import type { WireError } from '../wire-error.ts'
import type { FrameHeader } from './header.ts'

/** The priority fields of HEADERS and PRIORITY (RFC 9113 §6.2, §6.3; deprecated). */
export interface PriorityFields {
  /** Stream identifier this stream depends on, 0 for the root. */
  dependency: number
  /** 1 to 256. */
  weight: number
  /** True to put this stream between its parent and the parent's other children. */
  exclusive: boolean
}

/** One entry of SETTINGS (RFC 9113 §6.5.1). */
export interface Setting {
  /** 16 bits, see `SettingId`. */
  identifier: number
  /** 32 bits. */
  value: number
}

/** A frame on a stream. */
interface OnStream {
  streamId: number
}

/** A frame that may be padded. */
interface Padded {
  /** Octets of padding, 0 to 255; absent without the PADDED flag. */
  padLength?: number
}

/** DATA (RFC 9113 §6.1). */
export interface DataContent extends OnStream, Padded {
  kind: 'DATA'
  /** END_STREAM: nothing follows on this stream. */
  endStream: boolean
  /** The octets, without padding. */
  data: Uint8Array
}

/** HEADERS (RFC 9113 §6.2). */
export interface HeadersContent extends OnStream, Padded {
  kind: 'HEADERS'
  /** END_STREAM: nothing but CONTINUATION follows on this stream. */
  endStream: boolean
  /** END_HEADERS: the field block ends here, no CONTINUATION follows. */
  endHeaders: boolean
  /** Present with the PRIORITY flag. */
  priority?: PriorityFields
  /** Field block fragment: HPACK, or a part of it. */
  fragment: Uint8Array
}

/** PRIORITY (RFC 9113 §6.3). */
export interface PriorityContent extends OnStream, PriorityFields {
  kind: 'PRIORITY'
}

/** RST_STREAM (RFC 9113 §6.4). */
export interface RstStreamContent extends OnStream {
  kind: 'RST_STREAM'
  /** 32 bits, see `ErrorCode`. */
  code: number
}

/** SETTINGS (RFC 9113 §6.5). */
export interface SettingsContent {
  kind: 'SETTINGS'
  /** ACK: the other end's SETTINGS are in force; `settings` is empty then. */
  ack: boolean
  /** Entries in wire order; one that is repeated replaces the earlier. */
  settings: readonly Setting[]
}

/** PUSH_PROMISE (RFC 9113 §6.6). */
export interface PushPromiseContent extends OnStream, Padded {
  kind: 'PUSH_PROMISE'
  /** The stream on which the response will come. */
  promisedStreamId: number
  /** END_HEADERS: the field block ends here, no CONTINUATION follows. */
  endHeaders: boolean
  /** Field block fragment: HPACK, or a part of it. */
  fragment: Uint8Array
}

/** PING (RFC 9113 §6.7). */
export interface PingContent {
  kind: 'PING'
  /** ACK: the answer to a PING. */
  ack: boolean
  /** 8 octets. */
  data: Uint8Array
}

/** GOAWAY (RFC 9113 §6.8). */
export interface GoawayContent {
  kind: 'GOAWAY'
  /** Streams above this one were not processed. */
  lastStreamId: number
  /** 32 bits, see `ErrorCode`. */
  code: number
  /** Additional Debug Data: anything. */
  debugData: Uint8Array
}

/** WINDOW_UPDATE (RFC 9113 §6.9); stream 0 is the connection's window. */
export interface WindowUpdateContent extends OnStream {
  kind: 'WINDOW_UPDATE'
  /** 1 to 2^31 - 1 octets. */
  increment: number
}

/** CONTINUATION (RFC 9113 §6.10). */
export interface ContinuationContent extends OnStream {
  kind: 'CONTINUATION'
  /** END_HEADERS: the field block ends here. */
  endHeaders: boolean
  /** Field block fragment: HPACK, or a part of it. */
  fragment: Uint8Array
}

/** ALTSVC (RFC 7838 §4). */
export interface AltsvcContent extends OnStream {
  kind: 'ALTSVC'
  /** ASCII; empty except on stream 0. */
  origin: string
  /** ASCII Alt-Svc field value. */
  value: string
}

/** ORIGIN (RFC 8336 §2). */
export interface OriginContent {
  kind: 'ORIGIN'
  /** ASCII. */
  origins: readonly string[]
}

/** PRIORITY_UPDATE (RFC 9218 §7.1). */
export interface PriorityUpdateContent {
  kind: 'PRIORITY_UPDATE'
  /** The stream whose priority changes. */
  prioritizedStreamId: number
  /** ASCII Priority Field Value. */
  value: string
}

/** A frame to be ignored: its type is unknown, or it is an ALTSVC or ORIGIN frame that is not valid. */
export interface IgnoredContent extends OnStream {
  kind: 'IGNORED'
  /** 8 bits, see `FrameType`. */
  type: number
  /** 8 bits. */
  flags: number
  /** The octets behind the frame header. */
  payload: Uint8Array
}

/** A frame that broke a rule; with scope `connection` in its error it is the last one that can be read. */
export interface InvalidContent {
  kind: 'INVALID'
  /** The rule that was broken. */
  error: WireError
}

/** What a frame says, without its header: what `writeFrame` takes. */
export type FrameContent =
  | DataContent
  | HeadersContent
  | PriorityContent
  | RstStreamContent
  | SettingsContent
  | PushPromiseContent
  | PingContent
  | GoawayContent
  | WindowUpdateContent
  | ContinuationContent
  | AltsvcContent
  | OriginContent
  | PriorityUpdateContent
  | IgnoredContent

/**
 * A frame as it was read: its header, and what it says.
 *
 * @example
 * if (frame.kind === 'RST_STREAM') console.log(frame.offset, frame.code)
 */
export type Frame = FrameHeader & (FrameContent | InvalidContent)
