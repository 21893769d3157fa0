/**
 * Everything that a set of .proto files declares: message types and services by full name, and the namespace object
 * in which an application finds them.
 */
import protobuf from 'protobufjs'
import type { Service } from '../method.ts'
import { mendFieldlessTypes } from './fieldless-types.ts'
import type { ResolvedMessageOptions } from './message-options.ts'
import { MessageType } from './message-type.ts'
import { type FileDescriptors, serviceOf } from './service.ts'

/**
 * What is declared, by package: `namespace.helloworld.Greeter` is a {@link Service}, `namespace.helloworld.HelloRequest` a
 * {@link MessageType}, an enum an object of numbers by name. What is nested in a message is a property of its type.
 */
// biome-ignore lint/suspicious/noExplicitAny: names of a file read at run time; this is the one place where types end
export type ProtoNamespace = { readonly [name: string]: any }

/** The declarations of a set of .proto files. */
export class ProtoRegistry {
  readonly root: protobuf.Root
  readonly options: ResolvedMessageOptions
  readonly namespace: ProtoNamespace
  readonly services: ReadonlyMap<string, Service>
  readonly #messageTypes = new Map<protobuf.Type, MessageType>()

  constructor(root: protobuf.Root, options: ResolvedMessageOptions, fileDescriptors: FileDescriptors) {
    this.root = root
    this.options = options
    root.resolveAll()
    mendFieldlessTypes(root)
    const services = new Map<string, Service>()
    this.services = services
    this.namespace = this.#build(root, (service) => {
      const built = serviceOf(service, this.messageType, fileDescriptors)
      services.set(built.name, built)
      return built
    })
    registries.set(this.namespace, this)
  }

  /** The message type of a reflection object. */
  readonly messageType = (type: protobuf.Type): MessageType => {
    let messageType = this.#messageTypes.get(type)
    if (messageType === undefined) {
      messageType = new MessageType(type, this.options, this.messageType)
      this.#messageTypes.set(type, messageType)
    }
    return messageType
  }

  /** Finds a message type by its full name. */
  findMessageType(typeName: string): MessageType | undefined {
    const found = this.root.lookup(`.${typeName}`)
    return found instanceof protobuf.Type ? this.messageType(found) : undefined
  }

  #build(namespace: protobuf.NamespaceBase, service: (service: protobuf.Service) => Service): ProtoNamespace {
    const built: Record<string, unknown> = {}
    for (const nested of namespace.nestedArray) {
      const value = this.#buildOne(nested, service)
      if (value !== undefined) define(built, nested.name, value)
    }
    return built
  }

  #buildOne(nested: protobuf.ReflectionObject, service: (service: protobuf.Service) => Service): unknown {
    if (nested instanceof protobuf.Service) return service(nested)
    if (nested instanceof protobuf.Enum) return Object.freeze({ ...nested.values })
    if (nested instanceof protobuf.Type) {
      const messageType = this.messageType(nested)
      for (const [name, value] of Object.entries(this.#build(nested, service))) {
        if (!(name in messageType)) define(messageType, name, value)
      }
      return messageType
    }
    if (nested instanceof protobuf.Namespace) return this.#build(nested, service)
    return undefined
  }
}

const registries = new WeakMap<object, ProtoRegistry>()

/** The registry behind a namespace that `loadProto` or `loadDescriptorSet` gave. */
export function registryOf(namespace: ProtoNamespace): ProtoRegistry {
  const registry = registries.get(namespace)
  if (registry === undefined) {
    throw new TypeError(
      'Not a namespace: give the object that loadProto or loadDescriptorSet resolved to, not a part of it',
    )
  }
  return registry
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}
