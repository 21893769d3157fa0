/** HTTP/2 error codes, carried by RST_STREAM and GOAWAY (RFC 9113 §7). */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const

/** One of the HTTP/2 error codes that RFC 9113 names. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/**
 * The name of an HTTP/2 error code, or its hex value where RFC 9113 §7 names none.
 *
 * @example
 * errorCodeName(8) // 'CANCEL'
 * errorCodeName(99) // '0x63'
 */
export function errorCodeName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`
}
