/** How many sockets this process holds, where the system tells (Linux). */
import { readdirSync, readlinkSync } from 'node:fs'

/** The number of open sockets; undefined where there is no /proc. */
export function openSockets(): number | undefined {
  let names: string[]
  try {
    names = readdirSync('/proc/self/fd')
  } catch {
    return undefined
  }
  let sockets = 0
  for (const name of names) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) sockets++
    } catch {
      // closed in the meantime
    }
  }
  return sockets
}
