/** Finds services and message types by their full names, as they stand in a path, an Any or on a command line. */
import type { Service } from '../method.ts'
import type { MessageType } from './message-type.ts'
import { type ProtoNamespace, registryOf } from './proto-registry.ts'

/**
 * All services of a namespace that `loadProto` or `loadDescriptorSet` gave.
 *
 * @throws TypeError if it is not such a namespace, but a part of one
 */
export function servicesOf(namespace: ProtoNamespace): Service[] {
  return [...registryOf(namespace).services.values()]
}

/**
 * The service with this full name, or undefined.
 *
 * @throws TypeError if the namespace is not what `loadProto` or `loadDescriptorSet` gave
 * @example
 * findService(await loadProto('proto/helloworld.proto'), 'helloworld.Greeter')
 */
export function findService(namespace: ProtoNamespace, name: string): Service | undefined {
  return registryOf(namespace).services.get(name)
}

/**
 * The message type with this full name, or undefined.
 *
 * @throws TypeError if the namespace is not what `loadProto` or `loadDescriptorSet` gave
 * @example
 * findMessageType(namespace, any.typeUrl.replace(/^.*\//, ''))?.decode(any.value)
 */
export function findMessageType(namespace: ProtoNamespace, typeName: string): MessageType | undefined {
  return registryOf(namespace).findMessageType(typeName)
}
