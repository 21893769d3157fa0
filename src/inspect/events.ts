/**
 * What a dissector tells: one plain object an event, layer above layer, in the order the octets arrived.
 *
 * A HEADERS frame is a `frame` event; when its field block is complete, a `fields` event follows; when that
 * says how a call ended, a `status` event. DATA is a `frame` event, and a `message` event for each message
 * that it completed. Offsets count from octet 0 of what the sender sent on the connection.
 */
import type { Frame, HpackInstruction, Scan, WireError } from '../wire/index.ts'

/** Which end sent the octets. */
export type Sender = 'client' | 'server'

/** What all events have. */
export interface InspectEventBase {
  /** Tells the connections of one tap apart: 1, 2, 3. */
  readonly connection: number
  readonly sender: Sender
  /** When the last octet came that the event needed, in milliseconds by the tap's clock. */
  readonly timeMs: number
  /** Of the event's first octet, from octet 0 of what this sender sent. */
  readonly offset: number
}

/** The client's connection preface (RFC 9113 §3.4). */
export interface PrefaceEvent extends InspectEventBase {
  readonly type: 'preface'
  readonly lengthOctets: number
}

/** Any frame, also one that breaks a rule (`frame.kind` is `INVALID` then). */
export interface FrameEvent extends InspectEventBase {
  readonly type: 'frame'
  readonly frame: Frame
}

/** What a field section is for. */
export type SectionKind =
  | 'request'
  | 'response'
  /** A response without messages: its only section is headers and trailers at once. */
  | 'trailers-only'
  /** A 1xx response (RFC 9110 §15.2). */
  | 'informational'
  | 'trailers'
  /** The request that a PUSH_PROMISE is about (RFC 9113 §8.4). */
  | 'promised-request'

/** A field section: a complete field block, decoded. */
export interface FieldsEvent extends InspectEventBase {
  readonly type: 'fields'
  readonly streamId: number
  readonly section: SectionKind
  readonly endStream: boolean
  /** Each step of the block with its representation (RFC 7541 §6). */
  readonly instructions: readonly HpackInstruction[]
  /** Name, value, name, value. */
  readonly fields: readonly string[]
  /** Octets of the field block, all fragments together. */
  readonly blockOctets: number
  /** Size of the fields as RFC 9113 §6.5.2 counts it: what `blockOctets` stand for. */
  readonly fieldsOctets: number
  /** True if there were more fields than the dissector keeps. */
  readonly truncated: boolean
  /** Entries of the sender's dynamic table after the block, and their size (RFC 7541 §4.1). */
  readonly tableEntries: number
  readonly tableOctets: number
}

/** One Length-Prefixed-Message, complete. */
export interface MessageEvent extends InspectEventBase {
  readonly type: 'message'
  readonly streamId: number
  /** 1 for the sender's first message on the stream. */
  readonly index: number
  /** The Compressed-Flag. */
  readonly compressed: boolean
  /** What `grpc-encoding` says; `identity` without it. */
  readonly encoding: string
  /** Message-Length: octets behind the prefix. */
  readonly lengthOctets: number
  /** The message as it was sent, behind the prefix; only its beginning if it is longer than is kept. */
  readonly octets: Uint8Array
  /** The same without compression; undefined if that could not be undone. */
  readonly plain: Uint8Array | undefined
  /** Full name of the message type, where the method is known. */
  readonly typeName: string | undefined
  /** Its records; undefined if the message was cut, or could not be decompressed. */
  readonly scan: Scan | undefined
  /** What is missing and why; else empty. */
  readonly note: string
}

/** Octets of a body that is not gRPC, or no longer. */
export interface BodyEvent extends InspectEventBase {
  readonly type: 'body'
  readonly streamId: number
  readonly octets: Uint8Array
}

/** How a call ended, from the trailers or a Trailers-Only response. */
export interface StatusEvent extends InspectEventBase {
  readonly type: 'status'
  readonly streamId: number
  readonly code: number
  /** For example `NOT_FOUND`. */
  readonly name: string
  /** `grpc-message`, decoded. */
  readonly message: string
  /** `grpc-status-details-bin` as records of google.rpc.Status. */
  readonly details: Scan | undefined
  /** Where `grpc-status` is no status code: what it is. */
  readonly malformed: string | undefined
}

/** Octets that break a rule. */
export interface ErrorEvent extends InspectEventBase {
  readonly type: 'error'
  /** 0 for the connection. */
  readonly streamId: number
  readonly error: WireError
  /** True if what this sender sends can't be read any further. */
  readonly fatal: boolean
}

/** The sender will send no more. */
export interface EndEvent extends InspectEventBase {
  readonly type: 'end'
  /** Why, unless it closed in order. */
  readonly error: string | undefined
}

/** Anything a dissector tells; `type` tells which. */
export type InspectEvent =
  | PrefaceEvent
  | FrameEvent
  | FieldsEvent
  | MessageEvent
  | BodyEvent
  | StatusEvent
  | ErrorEvent
  | EndEvent
