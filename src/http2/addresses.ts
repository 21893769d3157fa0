/**
 * The names of places: what a user types (`localhost:50051`, `unix:/run/x.sock`), as values and back.
 *
 * After gRPC's naming document (grpc/doc/naming.md): schemes `dns`, `ipv4`, `ipv6`, `unix`, `unix-abstract`;
 * a text without a scheme is a DNS name. Nothing is looked up here: a `dns` target keeps its name, and who
 * connects resolves it.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { SocketAddress } from './transport.ts'

/** Port of a target that names none (gRPC naming). */
export const DEFAULT_PORT = 443

/** A name to be looked up; `authority` is the DNS server, where one is given. */
export interface DnsTarget {
  readonly scheme: 'dns'
  /** The name, or an address in its place. */
  readonly host: string
  /** 0 to 65535. */
  readonly port: number
  /** The DNS server to ask, as `host` or `host:port`; absent for the system's. */
  readonly authority?: string
}

/** A list of numeric addresses. */
export interface IpTarget {
  /** The family of every address of the list. */
  readonly scheme: 'ipv4' | 'ipv6'
  /** Tried in this order. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
}

/** A Unix domain socket in the file system. */
export interface UnixTarget {
  readonly scheme: 'unix'
  /** Path of the socket, absolute or relative to the working directory. */
  readonly path: string
}

/** A Unix domain socket of Linux's abstract name space. */
export interface UnixAbstractTarget {
  readonly scheme: 'unix-abstract'
  /** Name of the socket, without the zero octet in front. */
  readonly name: string
}

/** What {@link parseTarget} makes of a text. */
export type Target = DnsTarget | IpTarget | UnixTarget | UnixAbstractTarget

const SCHEMES = 'dns:, ipv4:, ipv6:, unix:, unix-abstract:'
const MAX_PORT = 65535

/** Longest path of a Unix domain socket, in octets, the closing NUL not counted (Linux `sun_path`). */
const MAX_UNIX_PATH_OCTETS = 107

function refuse(text: string, reason: string): never {
  throw new TypeError(`"${text}" is no address: ${reason}`)
}

/**
 * Reads a target as gRPC names them: `host:port`, `[v6]:port`, `dns:///host:port`, `ipv4:1.2.3.4:50051,…`,
 * `ipv6:[::1]:50051,…`, `unix:path`, `unix:///absolute/path`, `unix-abstract:name`.
 *
 * A missing port is {@link DEFAULT_PORT}.
 *
 * @throws TypeError saying what was wrong and what is allowed
 * @example
 * parseTarget('localhost:50051') // { scheme: 'dns', host: 'localhost', port: 50051 }
 * parseTarget('unix:/run/x.sock') // { scheme: 'unix', path: '/run/x.sock' }
 */
export function parseTarget(text: string): Target {
  if (text === '') refuse(text, 'it is empty; write host:port, for example localhost:50051')
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1)
  switch (scheme) {
    case 'dns':
      return parseDns(text, rest)
    case 'ipv4':
    case 'ipv6':
      return parseIpList(text, scheme, rest)
    case 'unix':
      return parseUnix(text, rest)
    case 'unix-abstract':
      return parseUnixAbstract(text, rest)
    default:
      if (scheme !== undefined && rest.startsWith('//')) refuse(text, unknownScheme(scheme))
      return { scheme: 'dns', ...parseHostPort(text, text, DEFAULT_PORT) }
  }
}

function unknownScheme(scheme: string): string {
  if (scheme === 'http' || scheme === 'https') {
    const tls = scheme === 'https' ? ', and TLS is switched on by an option' : ''
    return `gRPC addresses have no ${scheme}://, write host:port${tls}`
  }
  return `the scheme "${scheme}:" is unknown, allowed are ${SCHEMES} or none`
}

function parseDns(text: string, rest: string): DnsTarget {
  if (!rest.startsWith('//')) return { scheme: 'dns', ...parseHostPort(text, rest, DEFAULT_PORT) }
  const slash = rest.indexOf('/', 2)
  if (slash === -1) {
    refuse(text, `after "dns://authority" a "/" and the name are missing; write dns:///${rest.slice(2)}`)
  }
  const authority = rest.slice(2, slash)
  const target = parseHostPort(text, rest.slice(slash + 1), DEFAULT_PORT)
  return authority === '' ? { scheme: 'dns', ...target } : { scheme: 'dns', ...target, authority }
}

function parseIpList(text: string, scheme: 'ipv4' | 'ipv6', rest: string): IpTarget {
  // grpc/doc/naming.md gives no authority form for these, but `ipv4:///1.2.3.4:80` is common usage
  const list = rest.startsWith('///') ? rest.slice(3) : rest
  const addresses = list.split(',').map((part) => {
    const address = parseHostPort(text, part, DEFAULT_PORT)
    const right = scheme === 'ipv4' ? isIPv4(address.host) : isIPv6(address.host)
    if (!right) {
      const example = scheme === 'ipv4' ? '127.0.0.1:50051' : '[::1]:50051'
      refuse(text, `"${part}" is no ${scheme} address; write for example ${scheme}:${example}`)
    }
    return address
  })
  return { scheme, addresses }
}

function parseUnix(text: string, rest: string): UnixTarget {
  let path = rest
  if (rest.startsWith('//')) {
    if (rest[2] !== '/') refuse(text, 'unix:// wants an absolute path, as in unix:///run/x.sock')
    path = rest.slice(2)
  }
  if (path === '') refuse(text, 'the path is missing; write for example unix:/run/x.sock')
  checkUnixPath(text, path)
  return { scheme: 'unix', path }
}

function parseUnixAbstract(text: string, name: string): UnixAbstractTarget {
  if (name === '') refuse(text, 'the name is missing; write for example unix-abstract:my-service')
  checkUnixPath(text, name)
  return { scheme: 'unix-abstract', name }
}

function checkUnixPath(text: string, path: string): void {
  if (path.includes('\0')) refuse(text, 'a socket path has no NUL')
  const octets = Buffer.byteLength(path)
  if (octets > MAX_UNIX_PATH_OCTETS) {
    refuse(text, `a socket path has at most ${MAX_UNIX_PATH_OCTETS} octets, this one has ${octets}`)
  }
}

/** Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
function parseHostPort(text: string, part: string, defaultPort: number | undefined) {
  if (part === '') refuse(text, 'the host is missing; write host:port')
  if (/[\s/@?#]/.test(part)) refuse(text, `"${part}" has characters that no host:port has`)
  if (part.startsWith('[')) {
    const end = part.indexOf(']')
    const host = part.slice(1, end)
    if (end === -1 || !isIPv6(host)) refuse(text, 'between "[" and "]" an IPv6 address is expected')
    const tail = part.slice(end + 1)
    if (tail === '') return { host, port: needPort(text, defaultPort) }
    if (!tail.startsWith(':')) refuse(text, `after "]" only ":port" is allowed, not "${tail}"`)
    return { host, port: parsePort(text, tail.slice(1)) }
  }
  if (isIPv6(part)) return { host: part, port: needPort(text, defaultPort) }
  const colon = part.indexOf(':')
  if (colon === -1) return { host: part, port: needPort(text, defaultPort) }
  if (colon !== part.lastIndexOf(':')) {
    refuse(text, 'an IPv6 address with a port stands in brackets, as in [::1]:50051')
  }
  if (colon === 0) refuse(text, 'the host before ":" is missing; write host:port')
  return { host: part.slice(0, colon), port: parsePort(text, part.slice(colon + 1)) }
}

function needPort(text: string, defaultPort: number | undefined): number {
  return defaultPort ?? refuse(text, 'the port is missing; write host:port, port 0 for any free one')
}

function parsePort(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : -1
  if (port < 0 || port > MAX_PORT) {
    refuse(text, `the port "${digits}" is no number from 0 to ${MAX_PORT}`)
  }
  return port
}

/**
 * Reads an address to listen on: `host:port` (port 0 for any free one), `[v6]:port`, `:port` for every
 * interface, `unix:path`, `unix-abstract:name`.
 *
 * @throws TypeError saying what was wrong and what is allowed
 * @example
 * parseListenAddress('127.0.0.1:0') // { host: '127.0.0.1', port: 0 }
 */
export function parseListenAddress(text: string): SocketAddress {
  if (/^:\d+$/.test(text)) return { host: '::', port: parsePort(text, text.slice(1)) }
  const scheme = /^(dns|ipv4|ipv6|unix|unix-abstract):/.exec(text)?.[1]
  if (scheme === undefined && !text.includes('://')) return parseHostPort(text, text, undefined)
  const target = parseTarget(text)
  if (target.scheme === 'dns') return { host: target.host, port: target.port }
  const addresses = numericAddresses(target) as readonly SocketAddress[]
  if (addresses.length !== 1) refuse(text, 'a server listens on one address, this is a list')
  return addresses[0] as SocketAddress
}

/**
 * The socket addresses of a target that needs no look-up; undefined for a DNS name.
 *
 * A `dns` target whose host is a numeric address needs none either.
 *
 * @example
 * numericAddresses(parseTarget('127.0.0.1:50051')) // [{ host: '127.0.0.1', port: 50051 }]
 */
export function numericAddresses(target: Target): readonly SocketAddress[] | undefined {
  switch (target.scheme) {
    case 'dns':
      return isIP(target.host) ? [{ host: target.host, port: target.port }] : undefined
    case 'unix':
      return [{ path: target.path }]
    case 'unix-abstract':
      return [{ path: `\0${target.name}` }]
    default:
      return target.addresses
  }
}

/**
 * A target as text, in the shortest form that {@link parseTarget} reads back.
 *
 * @example
 * formatTarget({ scheme: 'dns', host: '::1', port: 443 }) // 'dns:[::1]:443'
 */
export function formatTarget(target: Target): string {
  switch (target.scheme) {
    case 'dns': {
      const name = formatAddress(target)
      return target.authority === undefined ? `dns:${name}` : `dns://${target.authority}/${name}`
    }
    case 'unix':
      return `unix:${target.path}`
    case 'unix-abstract':
      return `unix-abstract:${target.name}`
    default:
      return `${target.scheme}:${target.addresses.map(formatAddress).join(',')}`
  }
}

/**
 * The value of `:authority` for calls to a target: `host:port` of a name or first address, `localhost` for
 * a Unix domain socket.
 */
export function targetAuthority(target: Target): string {
  switch (target.scheme) {
    case 'dns':
      return formatAddress(target)
    case 'unix':
    case 'unix-abstract':
      return 'localhost'
    default:
      return formatAddress(target.addresses[0] as SocketAddress)
  }
}

/**
 * A socket's address as text: `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/x.sock`, `unix-abstract:name`.
 *
 * @example
 * formatAddress({ host: '::1', port: 50051 }) // '[::1]:50051'
 */
export function formatAddress(address: SocketAddress): string {
  if ('path' in address) {
    const { path } = address
    return path.startsWith('\0') ? `unix-abstract:${path.slice(1)}` : `unix:${path}`
  }
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
