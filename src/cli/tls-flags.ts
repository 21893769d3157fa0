/** TLS as it is asked for on a command line: flags that name PEM files. */
import { readFileSync } from 'node:fs'
import type { ClientTls, ServerTls } from '../http2/transport.ts'
import { CommandError } from './exit-code.ts'

/** The flags that a command shares with others; those that were not given are undefined. */
export interface TlsFlags {
  tls?: boolean
  tlsCa?: string
  tlsCert?: string
  tlsKey?: string
  servername?: string
  insecure?: boolean
}

/**
 * TLS of a client, undefined for a connection in the clear; every flag of TLS asks for it.
 * @throws CommandError if a file can't be read or a flag is missing
 */
export function clientTls(flags: TlsFlags): ClientTls | undefined {
  const { tlsCa, tlsCert, tlsKey, servername, insecure } = flags
  checkPair(tlsCert, tlsKey)
  const asked = [tlsCa, tlsCert, servername].some((flag) => flag !== undefined)
  if (flags.tls !== true && insecure !== true && !asked) return undefined
  return {
    ...(tlsCa !== undefined && { ca: readPem('--tls-ca', tlsCa) }),
    ...(tlsCert !== undefined && { cert: readPem('--tls-cert', tlsCert) }),
    ...(tlsKey !== undefined && { key: readPem('--tls-key', tlsKey) }),
    ...(servername !== undefined && { servername }),
    ...(insecure === true && { rejectUnauthorized: false }),
  }
}

/**
 * TLS of a server, undefined for one in the clear. With `--tls-ca` clients must bring a certificate.
 * @throws CommandError if a file can't be read or a flag is missing
 */
export function serverTls({ tlsCa, tlsCert, tlsKey }: TlsFlags): ServerTls | undefined {
  checkPair(tlsCert, tlsKey)
  if (tlsCert === undefined || tlsKey === undefined) {
    if (tlsCa !== undefined) throw new CommandError('--tls-ca needs --tls-cert and --tls-key beside it')
    return undefined
  }
  return {
    cert: readPem('--tls-cert', tlsCert),
    key: readPem('--tls-key', tlsKey),
    ...(tlsCa !== undefined && { ca: readPem('--tls-ca', tlsCa) }),
  }
}

function checkPair(cert: string | undefined, key: string | undefined): void {
  if ((cert === undefined) === (key === undefined)) return
  throw new CommandError(
    cert === undefined ? '--tls-key needs --tls-cert beside it' : '--tls-cert needs --tls-key beside it',
  )
}

function readPem(flag: string, path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new CommandError(`${flag} ${path}: ${(cause as Error).message}`, undefined, { cause })
  }
}
