/** The services that a command knows: from the .proto files it is given, or from those of this package. */
import { fileURLToPath } from 'node:url'
import { findService, servicesOf } from '../rpc/messages/find-declaration.ts'
import { loadProto } from '../rpc/messages/load-proto.ts'
import type { MessageType } from '../rpc/messages/message-type.ts'
import type { ProtoNamespace } from '../rpc/messages/proto-registry.ts'
import type { Method } from '../rpc/method.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { CommandError } from './exit-code.ts'

/** A method whose message types are known. */
export interface SchemaMethod extends Method {
  readonly request: MessageType
  readonly response: MessageType
}

/** The same place for sources and compiled files: both folders stand beside `proto`. */
function bundled(name: string): string {
  return fileURLToPath(new URL(`../../proto/${name}`, import.meta.url))
}

/** The .proto files of the services that `glass serve` has, but for reflection. */
export const BUNDLED_PROTOS: readonly string[] = [
  'helloworld.proto',
  'countries.proto',
  'grpc/health/v1/health.proto',
].map(bundled)

/** The .proto file of `glass serve --interop`. */
export const INTEROP_PROTO: string = bundled('interop.proto')

/**
 * Loads .proto files.
 * @throws CommandError if one can't be found or understood
 */
export async function loadSchema(
  paths: readonly string[] = BUNDLED_PROTOS,
  includeDirs?: readonly string[],
): Promise<ProtoNamespace> {
  try {
    return await loadProto(paths, includeDirs === undefined ? {} : { includeDirs })
  } catch (cause) {
    throw new CommandError((cause as Error).message, undefined, { cause })
  }
}

/**
 * Service and method of a name as it is typed: `package.Service/Method`, with a slash before it as in a path, or with a
 * dot between service and method.
 *
 * @throws CommandError if it is none of these
 */
export function splitMethodName(text: string): { service: string; method: string } {
  const [, service, method] = /^\/?([^/]+)[/.]([^/.]+)$/.exec(text) ?? []
  if (service === undefined || method === undefined) {
    throw new CommandError(`${JSON.stringify(text)} is no method: write package.Service/Method`)
  }
  return { service, method }
}

/**
 * Finds a method.
 * @throws CommandError (UNIMPLEMENTED, as a server would say) naming what there is
 */
export function findMethod(schema: ProtoNamespace, serviceName: string, methodName: string): SchemaMethod {
  const service = findService(schema, serviceName)
  if (service === undefined) {
    const names = servicesOf(schema).map(({ name }) => name)
    const known = names.length === 0 ? 'the .proto files have none' : `there are ${names.join(', ')}`
    throw new CommandError(`the service ${serviceName} is unknown: ${known}`, Status.UNIMPLEMENTED)
  }
  const methods = Object.values(service.methods)
  const method = methods.find(({ name }) => name === methodName)
  if (method === undefined) {
    const names = methods.map(({ name }) => name).join(', ')
    throw new CommandError(
      `${serviceName} has no method ${methodName}: there are ${names}`,
      Status.UNIMPLEMENTED,
    )
  }
  return method as SchemaMethod
}
