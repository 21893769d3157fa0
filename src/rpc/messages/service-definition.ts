/**
 * Services as grpc-js describes them, and back: what generated code and proto-loader give can be served and called as
 * it is.
 */
import {
  MESSAGE_PREFIX_OCTETS,
  type MessageCodec,
  type Method,
  type Methods,
  type Service,
} from '../method.ts'
import { MessageError } from './message-error.ts'
import { methodProperty } from './service.ts'

/** One method as grpc-js describes it. */
// biome-ignore lint/suspicious/noExplicitAny: the messages of generated code are of any type
export interface MethodDefinition<Request = any, Response = any> {
  /** The value of `:path`, as `/package.Service/Method`. */
  path: string
  /** Whether the client sends any number of messages. */
  requestStream: boolean
  /** Whether the server sends any number of messages. */
  responseStream: boolean
  /** Encodes a request, without a prefix. */
  requestSerialize(value: Request): Uint8Array
  /** Decodes a request. */
  requestDeserialize(octets: Buffer): Request
  /** Encodes a response, without a prefix. */
  responseSerialize(value: Response): Uint8Array
  /** Decodes a response. */
  responseDeserialize(octets: Buffer): Response
  /** The name in lower camel case, from proto-loader. */
  originalName?: string | undefined
  /** What proto-loader knows of the request's type. */
  requestType?: unknown
  /** What proto-loader knows of the response's type. */
  responseType?: unknown
}

/** A service as grpc-js describes it: methods by name. */
export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>

/** A name as `methodProperty` makes it, before its first letter becomes small. */
type WithoutUnderscores<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<WithoutUnderscores<Tail>>}`
  : Name

/** The methods of a service made of a definition: the messages keep the types that generated code gave them. */
export type MethodsOf<D extends ServiceDefinition> = string extends keyof D
  ? Methods
  : {
      readonly [K in keyof D & string as Uncapitalize<WithoutUnderscores<K>>]: Method<
        Parameters<D[K]['requestSerialize']>[0],
        Parameters<D[K]['responseSerialize']>[0],
        D[K]['requestStream'],
        D[K]['responseStream']
      >
    }

/**
 * Makes a service of a grpc-js `ServiceDefinition`.
 *
 * @param definition the definition, or a client class of grpc-js that has it as `service`
 * @throws TypeError if it has no method, a path is not `/package.Service/Method`, or two paths differ in their service
 * @example
 * server.add(fromServiceDefinition(grpc.loadPackageDefinition(definition).helloworld.Greeter.service), handlers)
 */
export function fromServiceDefinition<D extends ServiceDefinition>(
  definition: D | { service: D },
): Service<MethodsOf<D>> {
  const entries = Object.entries<MethodDefinition>(
    isClientClass<D>(definition) ? definition.service : definition,
  )
  const methods: Record<string, Method> = {}
  let serviceName: string | undefined
  for (const [key, method] of entries) {
    const [, service, name] = /^\/([^/]+)\/([^/]+)$/.exec(method?.path ?? '') ?? []
    if (service === undefined || name === undefined) {
      throw new TypeError(
        `Not a grpc-js ServiceDefinition: the path of ${key} is ${JSON.stringify(method?.path)}, expected /package.Service/Method`,
      )
    }
    serviceName ??= service
    if (service !== serviceName) {
      throw new TypeError(
        `Not one service: ${key} belongs to ${service}, the methods before it to ${serviceName}`,
      )
    }
    methods[methodProperty(name)] = {
      name,
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      request: codecOf(
        messageName(method.requestType, `${service}/${name} request`),
        method.requestSerialize,
        method.requestDeserialize,
      ),
      response: codecOf(
        messageName(method.responseType, `${service}/${name} response`),
        method.responseSerialize,
        method.responseDeserialize,
      ),
    }
  }
  if (serviceName === undefined) throw new TypeError('Not a grpc-js ServiceDefinition: it has no methods')
  const descriptors = entries.map(([, method]) => method.requestType).find(hasFileDescriptors)
  return {
    name: serviceName,
    methods: methods as MethodsOf<D>,
    ...(descriptors === undefined ? {} : { fileDescriptors: () => descriptors.fileDescriptorProtos }),
  }
}

/**
 * Makes a grpc-js `ServiceDefinition` of a service, for `grpc.makeGenericClientConstructor` or `server.addService` of grpc-js.
 *
 * @example
 * const Greeter = grpc.makeGenericClientConstructor(toServiceDefinition(helloworld.Greeter), 'Greeter')
 */
export function toServiceDefinition(service: Service): Record<string, MethodDefinition> {
  const definition: Record<string, MethodDefinition> = {}
  for (const [key, method] of Object.entries(service.methods)) {
    definition[method.name] = {
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: serializer(method.request),
      requestDeserialize: (octets) => method.request.decode(octets, 0, octets.length),
      responseSerialize: serializer(method.response),
      responseDeserialize: (octets) => method.response.decode(octets, 0, octets.length),
      originalName: key,
    }
  }
  return definition
}

function serializer(codec: MessageCodec): (message: unknown) => Buffer {
  return (message) => {
    const octets = codec.encode(message)
    return Buffer.from(
      octets.buffer,
      octets.byteOffset + MESSAGE_PREFIX_OCTETS,
      octets.length - MESSAGE_PREFIX_OCTETS,
    )
  }
}

function codecOf(
  typeName: string,
  serialize: (message: unknown) => Uint8Array,
  deserialize: (octets: Buffer) => unknown,
): MessageCodec {
  return {
    typeName,
    encode(message) {
      let serialized: Uint8Array
      try {
        serialized = serialize(message)
      } catch (error) {
        throw new MessageError(
          typeName,
          '',
          `can't be encoded: ${error instanceof Error ? error.message : error}`,
          error,
        )
      }
      const octets = Buffer.allocUnsafe(MESSAGE_PREFIX_OCTETS + serialized.length)
      octets.fill(0, 0, MESSAGE_PREFIX_OCTETS)
      octets.set(serialized, MESSAGE_PREFIX_OCTETS)
      return octets
    },
    decode(chunk, start, end) {
      try {
        return deserialize(Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start))
      } catch (error) {
        throw new MessageError(
          typeName,
          '',
          `can't be decoded: ${error instanceof Error ? error.message : error}`,
          error,
        )
      }
    },
  }
}

function isClientClass<D>(value: D | { service: D }): value is { service: D } {
  return typeof value === 'function' && 'service' in value
}

/** proto-loader tells the name of a message type without its package. */
function messageName(type: unknown, otherwise: string): string {
  const name = (type as { type?: { name?: unknown } } | undefined)?.type?.name
  return typeof name === 'string' && name !== '' ? name : otherwise
}

function hasFileDescriptors(type: unknown): type is { fileDescriptorProtos: Uint8Array[] } {
  return Array.isArray((type as { fileDescriptorProtos?: unknown } | undefined)?.fileDescriptorProtos)
}
