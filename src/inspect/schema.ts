/** What a dissector knows of services: from a `:path` to the types of the messages. */
import { MessageType } from '../rpc/messages/message-type.ts'
import type { Service } from '../rpc/method.ts'
import type { MessageDescriptor } from '../wire/index.ts'
import { messageDescriptor } from './protobufjs-descriptor.ts'

/** The types of one method's messages; undefined where only the method is known. */
export interface MethodTypes {
  readonly request: MessageDescriptor | undefined
  readonly response: MessageDescriptor | undefined
}

/** Finds the method of a `:path`, for example `/helloworld.Greeter/SayHello`. */
export type Schema = (path: string) => MethodTypes | undefined

/**
 * The schema of services that `loadProto` or `loadDescriptorSet` gave.
 *
 * Methods whose messages come from elsewhere (a grpc-js ServiceDefinition) have no types, so their messages
 * are guessed.
 *
 * @example
 * const { helloworld } = await loadProto('proto/helloworld.proto')
 * const dissector = new Dissector({ schema: schemaOf([helloworld.Greeter]), onEvent })
 */
export function schemaOf(services: readonly Service[]): Schema {
  const methods = new Map<string, MethodTypes>()
  for (const service of services) {
    for (const method of Object.values(service.methods)) {
      methods.set(method.path, { request: typeOf(method.request), response: typeOf(method.response) })
    }
  }
  return (path) => methods.get(path)
}

function typeOf(codec: unknown): MessageDescriptor | undefined {
  return codec instanceof MessageType ? messageDescriptor(codec.type) : undefined
}
