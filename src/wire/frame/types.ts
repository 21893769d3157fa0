/**
 * Frame types and flags by the names of the specifications (RFC 9113 §6, RFC 7838, RFC 8336, RFC 9218).
 *
 * Only names and numbers; what a type means is in the file of that frame.
 */

/**
 * The frame types of RFC 9113 §6 and of the three extensions that this package can read.
 *
 * @example
 * FrameType.WINDOW_UPDATE // 8
 */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
  /** RFC 7838 §4. */
  ALTSVC: 0xa,
  /** RFC 8336 §2. */
  ORIGIN: 0xc,
  /** RFC 9218 §7.1. */
  PRIORITY_UPDATE: 0x10,
} as const

/** One of the frame types named in {@link FrameType}; the wire may carry any other octet. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/**
 * Frame flags. A bit means something only on the frame types named beside it; elsewhere it is ignored
 * (RFC 9113 §4.1). ACK and END_STREAM are the same bit.
 *
 * @example
 * (flags & Flag.END_STREAM) !== 0
 */
export const Flag = {
  /** DATA, HEADERS: nothing follows on this stream from this side. */
  END_STREAM: 0x1,
  /** SETTINGS, PING: this answers the peer's frame. */
  ACK: 0x1,
  /** HEADERS, PUSH_PROMISE, CONTINUATION: the field block is complete. */
  END_HEADERS: 0x4,
  /** DATA, HEADERS, PUSH_PROMISE: a Pad Length field comes first, the padding last. */
  PADDED: 0x8,
  /** HEADERS: the deprecated priority fields come before the field block fragment. */
  PRIORITY: 0x20,
} as const

/** One of the flags named in {@link Flag}. */
export type Flag = (typeof Flag)[keyof typeof Flag]

/** Octets of a frame header (RFC 9113 §4.1). */
export const FRAME_HEADER_OCTETS = 9

/** SETTINGS_MAX_FRAME_SIZE before any SETTINGS says otherwise, and its lower limit (RFC 9113 §6.5.2), in octets. */
export const DEFAULT_MAX_FRAME_SIZE = 16_384

/** The upper limit of SETTINGS_MAX_FRAME_SIZE (RFC 9113 §6.5.2), in octets. */
export const MAX_MAX_FRAME_SIZE = 16_777_215

/** The largest stream identifier, window and window increment: 2^31 - 1 (RFC 9113 §4.1, §6.9.1). */
export const MAX_31_BIT = 0x7fffffff

const typeNames = new Map<number, string>(Object.entries(FrameType).map(([name, type]) => [type, name]))

/**
 * The name of a frame type, or its hex value where no specification known here names one.
 *
 * @example
 * frameTypeName(1) // 'HEADERS'
 * frameTypeName(0xbb) // '0xbb'
 */
export function frameTypeName(type: number): string {
  return typeNames.get(type) ?? `0x${type.toString(16)}`
}
