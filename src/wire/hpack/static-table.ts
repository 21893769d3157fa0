/** The static table: 61 fields that every HPACK endpoint knows (RFC 7541 §2.3.1, Appendix A). */
import { type HpackTableEntry, tableEntry } from './dynamic-table.ts'

/** Entries of the static table in order; the first one has index 1. */
const entries = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .trim()
  .split('\n')
  .map((line) => {
    const space = line.indexOf(' ')
    return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
  })

/** How many entries the static table has; the dynamic table's indices start one above (RFC 7541 §2.3.3). */
export const STATIC_TABLE_LENGTH = entries.length

/** Each static entry by index; index 0 is unused. */
export const staticEntries: readonly HpackTableEntry[] = [
  tableEntry('', ''),
  ...entries.map(([name, value]) => tableEntry(name!, value!)),
]

/** Where a name stands in the static table. */
export interface StaticName {
  /** The lowest index with this name. */
  readonly index: number
  /** Values of the entries from `index` on that have this name. */
  readonly values: readonly string[]
}

/** The static table by name, for encoders. Entries of the same name stand next to each other. */
export const staticTableByName: ReadonlyMap<string, StaticName> = new Map(
  staticEntries.slice(1).map(({ name }) => {
    const index = staticEntries.findIndex((entry, at) => at > 0 && entry.name === name)
    return [
      name,
      { index, values: staticEntries.filter((entry) => entry.name === name).map(({ value }) => value) },
    ]
  }),
)
