/**
 * Whether a header or trailer section that we send is one that the peer takes: its SETTINGS_MAX_HEADER_LIST_SIZE
 * (RFC 9113 §6.5.2, §10.5.1). A peer only resets such a stream, without saying why; who sends it can say more.
 */
import type { Fields, Http2Connection } from '../http2/transport.ts'

/** What each field costs beyond its name and value, in octets (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD_OCTETS = 32

/**
 * Why the peer of `connection` would not take `fields`; undefined if it would, or did not say what it takes.
 * @param what the section, for the text: `The request headers`
 */
export function oversize(fields: Fields, connection: Http2Connection, what: string): string | undefined {
  const maxOctets = connection.remoteSettings.maxHeaderListSize
  if (maxOctets === undefined) return undefined
  let octets = fields.length * (FIELD_OVERHEAD_OCTETS >> 1)
  for (const text of fields) octets += text.length
  if (octets <= maxOctets) return undefined
  const whom = connection.role === 'client' ? 'server' : 'client'
  return `${what} have ${octets} octets, more than the ${maxOctets} that the ${whom} takes (SETTINGS_MAX_HEADER_LIST_SIZE): send less metadata, or raise its limit`
}
