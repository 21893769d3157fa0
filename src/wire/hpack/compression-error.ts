/** The one kind of error HPACK has: a decoding error ends the connection (RFC 9113 §4.3, COMPRESSION_ERROR). */
import { ErrorCode } from '../frame/error-codes.ts'
import { WireError } from '../wire-error.ts'

/**
 * Makes the error for a field block that cannot be decoded; the caller throws it.
 *
 * It is always a connection error: the two dynamic tables are no longer known to be equal.
 */
export function compressionError(reason: string, section: string, offset: number): WireError {
  return new WireError(reason, {
    layer: 'hpack',
    section,
    offset,
    code: ErrorCode.COMPRESSION_ERROR,
    scope: 'connection',
  })
}
