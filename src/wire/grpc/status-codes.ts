/**
 * The seventeen status codes of gRPC and the value of `grpc-status`.
 *
 * gRPC "Status codes and their use in gRPC" (statuscodes.md) and PROTOCOL-HTTP2, "Responses": Status.
 */

/** The status codes by name. */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** A status code, 0 to 16. */
export type StatusCode = (typeof Status)[keyof typeof Status]

/** The name of a status code. */
export type StatusName = keyof typeof Status

const NAMES = Object.keys(Status) as StatusName[]

/**
 * The name of a status code.
 *
 * @returns for example `NOT_FOUND`; `CODE_99` for a number that is no status code
 * @example
 * statusName(5) // 'NOT_FOUND'
 */
export function statusName(code: number): string {
  return NAMES[code] ?? `CODE_${code}`
}

/** What `grpc-status` says. */
export interface ParsedStatus {
  /** The code; UNKNOWN if the text is no status code. */
  readonly code: StatusCode
  /** The text, if it is no status code. */
  readonly malformed: string | undefined
}

const PARSED: readonly ParsedStatus[] = Object.values(Status).map((code) =>
  Object.freeze({ code, malformed: undefined }),
)

/**
 * Reads the value of `grpc-status`: digits, 0 to 16.
 *
 * Everything else (no digits, a sign, a number that is no code, two values joined) is UNKNOWN, and the text
 * is kept: an empty or strange status never counts as OK.
 *
 * @example
 * parseGrpcStatus('5') // { code: 5, malformed: undefined }
 * parseGrpcStatus('99') // { code: 2, malformed: '99' }
 */
export function parseGrpcStatus(text: string): ParsedStatus {
  const parsed = /^[0-9]{1,8}$/.test(text) ? PARSED[Number(text)] : undefined
  return parsed ?? { code: Status.UNKNOWN, malformed: text }
}
