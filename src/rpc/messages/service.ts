/** Services of a .proto file as calls know them: paths, kinds and codecs of their methods. */
import type protobuf from 'protobufjs'
import type { Method, Service } from '../method.ts'
import type { MessageType } from './message-type.ts'

/** Names that mean something on every object; a method of such a name gets a `$` behind it. */
const TAKEN_NAMES: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'then',
  'toJSON',
  'toLocaleString',
  'toString',
  'valueOf',
])

/**
 * The name by which a client or a handler object has a method: the first letter small, underscores gone.
 *
 * @example
 * methodProperty('SayHello') // 'sayHello'
 * methodProperty('GetHTTPInfo') // 'getHTTPInfo'
 */
export function methodProperty(protoName: string): string {
  const camel = protoName.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  const name = camel.charAt(0).toLowerCase() + camel.slice(1)
  return TAKEN_NAMES.has(name) ? `${name}$` : name
}

/** Gives the serialized FileDescriptorProto of a service's file and of all that it imports. */
export type FileDescriptors = (service: protobuf.Service) => readonly Uint8Array[]

/** Describes a service of protobufjs for calls. */
export function serviceOf(
  service: protobuf.Service,
  messageType: (type: protobuf.Type) => MessageType,
  fileDescriptors: FileDescriptors,
): Service {
  const name = service.fullName.slice(1)
  const methods: Record<string, Method> = {}
  for (const method of service.methodsArray) {
    method.resolve()
    const idempotency = idempotencyOf(method)
    methods[methodProperty(method.name)] = {
      name: method.name,
      path: `/${name}/${method.name}`,
      requestStream: method.requestStream ?? false,
      responseStream: method.responseStream ?? false,
      request: messageType(method.resolvedRequestType!),
      response: messageType(method.resolvedResponseType!),
      ...(idempotency === undefined ? {} : { idempotency }),
    }
  }
  let descriptors: readonly Uint8Array[] | undefined
  return {
    name,
    methods,
    fileDescriptors: () => {
      descriptors ??= fileDescriptors(service)
      return descriptors
    },
  }
}

function idempotencyOf(method: protobuf.Method): Method['idempotency'] {
  const level: unknown = method.options?.idempotency_level
  return level === 'NO_SIDE_EFFECTS' || level === 'IDEMPOTENT' ? level : undefined
}
