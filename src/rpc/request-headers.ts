/** Request-Headers: written by a client, read by a server (gRPC PROTOCOL-HTTP2 "Requests"). */
import type { Fields } from '../http2/transport.ts'
import { formatTimeout } from '../wire/grpc/timeout.ts'
import type { Metadata } from './metadata.ts'

/** What all calls of a method on a channel have in common. */
export interface RequestTemplate {
  /** `:method` to `te`: what must come before grpc-timeout. */
  readonly before: Fields
  /** What comes after it. */
  readonly after: Fields
  /** Both in one, the same array for each call: HPACK finds it by identity. */
  readonly whole: Fields
}

/** Makes the fields that all calls of a method share. */
export function requestTemplate(init: {
  scheme: 'http' | 'https'
  path: string
  authority: string
  userAgent: string
  acceptEncoding: string
  encoding: string | undefined
}): RequestTemplate {
  const before = [
    ':method',
    'POST',
    ':scheme',
    init.scheme,
    ':path',
    init.path,
    ':authority',
    init.authority,
    'te',
    'trailers',
  ]
  const after = ['content-type', 'application/grpc', 'user-agent', init.userAgent]
  if (init.encoding !== undefined) after.push('grpc-encoding', init.encoding)
  after.push('grpc-accept-encoding', init.acceptEncoding)
  return { before, after, whole: Object.freeze([...before, ...after]) }
}

/** The request header section of one call; `timeoutMs` is Infinity for none. */
export function writeRequestHeaders(
  template: RequestTemplate,
  timeoutMs: number,
  metadata: Metadata | undefined,
): Fields {
  if (timeoutMs === Number.POSITIVE_INFINITY && metadata === undefined) return template.whole
  const fields = template.before.slice()
  const timeout = formatTimeout(timeoutMs)
  if (timeout !== undefined) fields.push('grpc-timeout', timeout)
  for (const item of template.after) fields.push(item)
  metadata?.appendTo(fields)
  return fields
}

/** The protocol's fields of a request header section. */
export interface RequestHead {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly authority: string | undefined
  readonly contentType: string | undefined
  /** The text of `grpc-timeout`. */
  readonly timeout: string | undefined
  /** `grpc-encoding`, undefined for identity. */
  readonly encoding: string | undefined
  readonly acceptEncoding: string | undefined
}

let lastFields: Fields = []
let lastHead: RequestHead | undefined

/** Reads a request header section; the list that came last, if it comes again, is not read again. */
export function readRequestHead(fields: Fields): RequestHead {
  if (lastHead === undefined || fields !== lastFields) {
    lastHead = readNewHead(fields)
    lastFields = fields
  }
  return lastHead
}

function readNewHead(fields: Fields): RequestHead {
  let method: string | undefined
  let path: string | undefined
  let authority: string | undefined
  let contentType: string | undefined
  let timeout: string | undefined
  let encoding: string | undefined
  let acceptEncoding: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    switch (fields[i]) {
      case ':method':
        method = fields[i + 1]
        break
      case ':path':
        path = fields[i + 1]
        break
      case ':authority':
        authority = fields[i + 1]
        break
      case 'content-type':
        contentType = fields[i + 1]
        break
      case 'grpc-timeout':
        timeout = fields[i + 1]
        break
      case 'grpc-encoding':
        if (fields[i + 1] !== 'identity') encoding = fields[i + 1]
        break
      case 'grpc-accept-encoding':
        acceptEncoding = acceptEncoding === undefined ? fields[i + 1] : `${acceptEncoding},${fields[i + 1]}`
        break
    }
  }
  return { method, path, authority, contentType, timeout, encoding, acceptEncoding }
}
