/**
 * What a peer speaks, guessed from the first octets it sent, for the message of a connection that failed.
 * Shared by both engines and both roles.
 */

/** The client's connection preface (RFC 9113 §3.4). */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

const MAX_QUOTED_CHARACTERS = 60
const FRAME_HEADER_OCTETS = 9
const SETTINGS_FRAME_TYPE = 0x4

/** True if `octets` are the client's preface, or the beginning of it. */
export function mayBePreface(octets: Uint8Array): boolean {
  const sizeOctets = Math.min(octets.length, CLIENT_PREFACE.length)
  return CLIENT_PREFACE.compare(octets, 0, sizeOctets, 0, sizeOctets) === 0
}

/**
 * Names the protocol of a peer that speaks no HTTP/2 in words that say what to do.
 *
 * @param octets what the peer sent first; some twenty are enough
 * @param role ours: the words for a client and for a server differ
 * @returns undefined if the octets look like HTTP/2
 * @example
 * describeFirstOctets(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'client')
 * // 'the peer answered in HTTP/1.1: `HTTP/1.1 400 Bad Request`'
 */
export function describeFirstOctets(octets: Uint8Array, role: 'client' | 'server'): string | undefined {
  const text = Buffer.from(octets.buffer, octets.byteOffset, Math.min(octets.length, 512)).toString('latin1')
  const line = quote(text.split(/[\r\n]/, 1)[0] ?? '')
  if (/^HTTP\/1\.[01] /.test(text)) return `the peer answered in HTTP/1.1: ${line}`
  if (role === 'server') {
    if (mayBePreface(octets)) return undefined
    if (/^[A-Z]+ \S+ HTTP\/1\.[01]/.test(text))
      return `the peer sent an HTTP/1.1 request (${line}); this port speaks HTTP/2`
  }
  if (isTlsRecord(octets)) {
    return role === 'client'
      ? 'the peer speaks TLS; connect with tls'
      : 'the peer speaks TLS; this port expects plaintext HTTP/2'
  }
  if (/^\s*</.test(text)) return `the peer sent HTML or XML: ${line}`
  if (role === 'client' && octets.length >= FRAME_HEADER_OCTETS && octets[3] === SETTINGS_FRAME_TYPE)
    return undefined
  if (/^[\t\r\n\x20-\x7e]{4,}/.test(text)) return `the peer sent text instead of HTTP/2: ${line}`
  const hex = Buffer.from(octets.subarray(0, 16)).toString('hex')
  return `the peer sent octets that are no HTTP/2: ${hex}`
}

/** A TLS record header: handshake (22) or alert (21) of version 3.x (RFC 8446 §5.1). */
function isTlsRecord(octets: Uint8Array): boolean {
  return (octets[0] === 22 || octets[0] === 21) && octets[1] === 3 && (octets[2] ?? 255) <= 4
}

function quote(line: string): string {
  const short = line.length > MAX_QUOTED_CHARACTERS ? `${line.slice(0, MAX_QUOTED_CHARACTERS)}…` : line
  return `\`${short.replace(/[^\x20-\x7e…]/g, '?')}\``
}
