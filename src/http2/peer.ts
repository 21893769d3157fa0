/** What is known about the other end of a socket, shared by both engines. */
import type { Duplex } from 'node:stream'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import { formatAddress } from './addresses.ts'
import type { PeerInfo } from './transport.ts'

/** The other end of a socket; on TLS also its certificate, read only when asked. */
export class SocketPeer implements PeerInfo {
  readonly address: string
  #socket: Duplex

  constructor(socket: Duplex, address: string) {
    this.#socket = socket
    this.address = address
  }

  /** The TLS socket has taken the place of the plain one. */
  secured(socket: TLSSocket): void {
    this.#socket = socket
  }

  get encrypted(): boolean {
    return this.#socket instanceof TLSSocket
  }

  get authorized(): boolean {
    return this.#socket instanceof TLSSocket && this.#socket.authorized
  }

  get alpnProtocol(): string | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.alpnProtocol || undefined : undefined
  }

  get certificate(): PeerCertificate | undefined {
    if (!(this.#socket instanceof TLSSocket)) return undefined
    // null after the close, an empty object where the peer sent none
    const certificate = this.#socket.getPeerCertificate() as PeerCertificate | null
    return certificate?.raw === undefined ? undefined : certificate
  }
}

/**
 * The address of an accepted socket's other end: `host:port` on TCP, else `localAddress` (a Unix domain
 * socket's client has no name), else `in-process`.
 */
export function remoteAddress(socket: Duplex, localAddress?: string): string {
  const { remoteAddress: host, remotePort: port } = socket as Duplex & {
    remoteAddress?: string | undefined
    remotePort?: number | undefined
  }
  if (host !== undefined && port !== undefined) return formatAddress({ host, port })
  return localAddress ?? 'in-process'
}
