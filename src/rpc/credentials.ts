/** Call credentials: metadata that proves who calls, made anew for each call (gRPC authentication). */
import { Status } from '../wire/grpc/status-codes.ts'
import { Metadata, type MetadataInit } from './metadata.ts'
import { StatusError } from './status-error.ts'

/** What credentials may look at. */
export interface CredentialsContext {
  /** As Google's token services want it: `https://host/package.Service`. */
  readonly serviceUrl: string
  /** The method's path, `/package.Service/Method`. */
  readonly path: string
}

/**
 * Makes the metadata that authenticates one call. It runs before each call; what it throws fails the call
 * (a StatusError with its own code, anything else with UNKNOWN). Never sent on a connection without TLS, unless the
 * channel says `allowInsecureCredentials`.
 */
export type CallCredentials = (context: CredentialsContext) => MetadataInit | Promise<MetadataInit>

/**
 * A bearer token in `authorization`: fixed, or asked for before each call.
 *
 * @param token the token, or a function that returns or promises one
 * @example
 * connect('dns:///api.example.com:443', { tls: {}, credentials: bearerToken(() => cache.currentToken()) })
 */
export function bearerToken(token: string | (() => string | Promise<string>)): CallCredentials {
  if (typeof token === 'string') {
    const metadata = { authorization: `Bearer ${token}` }
    return () => metadata
  }
  return async () => ({ authorization: `Bearer ${await token()}` })
}

/** The part of google-auth-library's clients that is needed here. */
export interface HeaderSource {
  /** Headers for a request to `url`: a plain object, a Map or a Headers. */
  getRequestHeaders(url?: string): Promise<Iterable<readonly [string, string]> | Record<string, string>>
}

/**
 * Credentials of an auth client in the style of google-auth-library.
 *
 * @param client anything with `getRequestHeaders(url)`, which is called with the service's URL
 */
export function credentialsFromHeaders(client: HeaderSource): CallCredentials {
  return async ({ serviceUrl }) => {
    const headers = await client.getRequestHeaders(serviceUrl)
    const entries =
      Symbol.iterator in headers ? [...(headers as Iterable<[string, string]>)] : Object.entries(headers)
    return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]))
  }
}

/** Both, in order: the metadata of the second is added to that of the first. */
export function combineCredentials(first: CallCredentials, second: CallCredentials): CallCredentials {
  return async (context) => new Metadata(await first(context)).merge(await second(context))
}

/** Codes that a credentials plugin has no say over (gRFC A54); they become INTERNAL. */
const NOT_FOR_CONTROL_PLANE: ReadonlySet<number> = new Set([
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.DATA_LOSS,
])

/**
 * The metadata of a call with that of its credentials.
 * @param allowed false if they must not be sent, because the connection is in the clear
 * @throws StatusError UNAUTHENTICATED if not allowed; the plugin's own; UNKNOWN for anything else it throws
 */
export async function authenticate(
  credentials: CallCredentials,
  context: CredentialsContext,
  allowed: boolean,
  metadata: Metadata | undefined,
): Promise<Metadata> {
  if (!allowed) {
    throw new StatusError(
      Status.UNAUTHENTICATED,
      'Call credentials are not sent on a connection without TLS; give the channel tls, or allowInsecureCredentials',
    )
  }
  let merged: Metadata
  try {
    merged = new Metadata(metadata).merge(await credentials(context))
  } catch (error) {
    const text =
      error instanceof StatusError ? error.details : error instanceof Error ? error.message : String(error)
    const code = error instanceof StatusError ? error.code : Status.UNKNOWN
    throw new StatusError(
      NOT_FOR_CONTROL_PLANE.has(code) ? Status.INTERNAL : code,
      NOT_FOR_CONTROL_PLANE.has(code)
        ? `Invalid status from control plane: ${code} ${text}`
        : `Getting metadata from plugin failed with error: ${text}`,
      { cause: error },
    )
  }
  if (merged.getAll('authorization').length > 1) {
    throw new StatusError(Status.INTERNAL, '"authorization" metadata cannot have multiple values')
  }
  return merged
}
