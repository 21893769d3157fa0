/**
 * Exit codes of `glass`: 0 for status OK, otherwise the status code and 64. What the user typed wrong counts as
 * INVALID_ARGUMENT (67), what failed inside of the program as INTERNAL (77).
 */
import { Status } from '../wire/grpc/status-codes.ts'

const BASE = 64

/** The exit code that stands for a status code. */
export function exitCodeOf(statusCode: number): number {
  return statusCode === Status.OK ? 0 : BASE + statusCode
}

/** Exit code of a command line, a file or JSON that can't be used. */
export const USAGE_EXIT_CODE = exitCodeOf(Status.INVALID_ARGUMENT)

/** Ends a command with one line on standard error, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** The status code whose exit code is used. */
  readonly statusCode: number

  /** @param statusCode default INVALID_ARGUMENT: the user can mend it by typing something else */
  constructor(message: string, statusCode: number = Status.INVALID_ARGUMENT, options?: ErrorOptions) {
    super(message, options)
    this.statusCode = statusCode
  }
}
