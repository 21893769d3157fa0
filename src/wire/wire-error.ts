/** Which codec of the wire floor found the error. */
export type WireLayer = 'frame' | 'hpack' | 'length-prefixed-message' | 'protobuf' | 'grpc'

/** What a {@link WireError} is made of. */
export interface WireErrorInit {
  /** The codec that found the error. */
  layer: WireLayer
  /** The rule's place, for example `RFC 9113 §6.5`. */
  section: string
  /** Octets from the start of what was decoded, where known. */
  offset?: number
  /** HTTP/2 error code that answers it (RFC 9113 §7), where the layer has one. */
  code?: number
  /** How far the error reaches: this stream, or the whole connection. */
  scope?: 'stream' | 'connection'
  /** The stream it happened on, 0 or absent for the connection. */
  streamId?: number
}

/**
 * Octets from a peer that break a rule of the wire floor.
 *
 * The message says what came, what was allowed and where; the fields say the same to programs.
 *
 * @example
 * throw new WireError('Message-Length is 5000 octets, allowed 4096', {
 *   layer: 'length-prefixed-message', section: 'gRPC PROTOCOL-HTTP2 Length-Prefixed-Message', offset: 1,
 * })
 */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** The layer whose rule was broken. */
  readonly layer: WireLayer
  /** The message without layer, section and place. */
  readonly reason: string
  /** The rule's place, for example `RFC 9113 §6.5`. */
  readonly section: string
  /** Octets from the start of what was decoded, where known. */
  readonly offset: number | undefined
  /** HTTP/2 error code that answers it (RFC 9113 §7), where the layer has one. */
  readonly code: number | undefined
  /** How far the error reaches: this stream, or the whole connection. */
  readonly scope: 'stream' | 'connection' | undefined
  /** The stream it happened on, 0 or undefined for the connection. */
  readonly streamId: number | undefined

  constructor(reason: string, init: WireErrorInit) {
    const where = init.offset === undefined ? '' : ` at octet ${init.offset}`
    const stream = init.streamId ? ` on stream ${init.streamId}` : ''
    super(`${init.layer}: ${reason}${stream}${where} (${init.section})`)
    this.reason = reason
    this.layer = init.layer
    this.section = init.section
    this.offset = init.offset
    this.code = init.code
    this.scope = init.scope
    this.streamId = init.streamId
  }
}
