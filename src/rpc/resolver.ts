/** From a target to the socket addresses to try, in order (gRPC naming). */
import { promises as dns, type LookupAddress, Resolver } from 'node:dns'
import { isIP } from 'node:net'
import { numericAddresses, type Target } from '../http2/addresses.ts'
import type { SocketAddress } from '../http2/transport.ts'

/** Looks a host name up; replaceable, so that tests and special name services need no DNS. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** The system's resolver: `/etc/hosts` and all, both families, in the order the system prefers. */
export const systemLookup: Lookup = async (host) => {
  const found: LookupAddress[] = await dns.lookup(host, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/** A lookup that asks one DNS server, as `dns://8.8.8.8/host` demands. */
function serverLookup(authority: string): Lookup {
  return async (host) => {
    const resolver = new Resolver({ timeout: 5000, tries: 2 })
    resolver.setServers([authority])
    const ask = (type: 'A' | 'AAAA'): Promise<string[]> =>
      new Promise((resolve, reject) => {
        resolver.resolve(host, type, (error, records) =>
          error ? reject(error) : resolve(records as string[]),
        )
      })
    const [v6, v4] = await Promise.allSettled([ask('AAAA'), ask('A')])
    const found = [
      ...(v6.status === 'fulfilled' ? v6.value : []),
      ...(v4.status === 'fulfilled' ? v4.value : []),
    ]
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason
    return found
  }
}

/**
 * The addresses of a target.
 * @throws Error of the look-up, or one that says there is no address
 */
export async function resolveTarget(
  target: Target,
  lookup: Lookup = systemLookup,
): Promise<readonly SocketAddress[]> {
  const numeric = numericAddresses(target)
  if (numeric !== undefined) return numeric
  if (target.scheme !== 'dns') return []
  const ask = target.authority === undefined ? lookup : serverLookup(target.authority)
  const hosts = (await ask(target.host)).filter((host) => isIP(host) !== 0)
  if (hosts.length === 0) throw new Error(`no address found for ${target.host}`)
  return interleave(hosts).map((host) => ({ host, port: target.port }))
}

/** RFC 8305 §4: families alternate, beginning with that of the first address, so one broken family costs little. */
function interleave(hosts: readonly string[]): string[] {
  const family = isIP(hosts[0]!)
  const first = hosts.filter((host) => isIP(host) === family)
  const second = hosts.filter((host) => isIP(host) !== family)
  const mixed: string[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (first[i] !== undefined) mixed.push(first[i]!)
    if (second[i] !== undefined) mixed.push(second[i]!)
  }
  return mixed
}
