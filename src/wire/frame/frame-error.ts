/** Errors of the frame layer: the same few facts for every rule (RFC 9113 §5.4, §7). */
import { WireError } from '../wire-error.ts'
import type { FrameHeader } from './header.ts'

/**
 * A frame that breaks a rule, reaching over the whole connection (RFC 9113 §5.4.1).
 *
 * @param code HTTP/2 error code for GOAWAY
 * @param section the rule's place
 * @param reason what came and what was allowed
 */
export function connectionError(
  header: FrameHeader,
  code: number,
  section: string,
  reason: string,
): WireError {
  return frameError(header, 'connection', code, section, reason)
}

/** A frame that breaks a rule, reaching over its own stream only (RFC 9113 §5.4.2); otherwise as `connectionError`. */
export function streamError(header: FrameHeader, code: number, section: string, reason: string): WireError {
  return frameError(header, 'stream', code, section, reason)
}

function frameError(
  header: FrameHeader,
  scope: 'stream' | 'connection',
  code: number,
  section: string,
  reason: string,
): WireError {
  const { offset, streamId } = header
  return new WireError(reason, { layer: 'frame', section, offset, code, scope, streamId })
}
