/**
 * Server reflection (`grpc.reflection.v1` and `v1alpha`): tells clients without .proto files, such as grpcurl and
 * `buf curl`, what the services of a server look like (gRPC server-reflection).
 */
import { Status } from '../../wire/grpc/status-codes.ts'
import { splitDescriptorSet } from '../messages/descriptor-set.ts'
import type { Method, Service } from '../method.ts'
import type { Server } from '../server.ts'
import { bundledDescriptors, bundledService } from './bundled-registry.ts'
import { DescriptorIndex, type IndexedFile, withImports } from './descriptor-index.ts'

/** One question; exactly one of the last five is set. */
export interface ServerReflectionRequest {
  /** Comes back with the answer. */
  readonly host?: string
  /** Asks for the file of this name. */
  readonly fileByFilename?: string
  /** Asks for the file that declares this full name. */
  readonly fileContainingSymbol?: string
  /** Asks for the file that declares an extension. */
  readonly fileContainingExtension?: {
    /** Full name of the message type that is extended. */
    readonly containingType?: string
    /** Number of the extension. */
    readonly extensionNumber?: number
  }
  /** Asks for the numbers of all extensions of the message type with this full name. */
  readonly allExtensionNumbersOfType?: string
  /** Asks for the names of all services; the value means nothing. */
  readonly listServices?: string
}

/** One answer; exactly one of the last four is set. */
export interface ServerReflectionResponse {
  /** The host of the request. */
  readonly validHost?: string
  /** The request. */
  readonly originalRequest?: ServerReflectionRequest
  /** The file asked for, first, and those it imports that this call has not brought yet. */
  readonly fileDescriptorResponse?: {
    /** Serialized google.protobuf.FileDescriptorProtos. */
    readonly fileDescriptorProto: readonly Uint8Array[]
  }
  /** The numbers asked for. */
  readonly allExtensionNumbersResponse?: {
    /** Full name of the message type that is extended. */
    readonly baseTypeName: string
    /** In order. */
    readonly extensionNumber: readonly number[]
  }
  /** The services. */
  readonly listServicesResponse?: {
    /** Each with its full name. */
    readonly service: readonly { readonly name: string }[]
  }
  /** There is no answer. */
  readonly errorResponse?: {
    /** One of the codes of `Status`. */
    readonly errorCode: number
    /** Why, in words. */
    readonly errorMessage: string
  }
}

/** The methods of {@link ServerReflection}. */
export type ServerReflectionMethods = {
  /** Answers each request with one response, in order. */
  readonly serverReflectionInfo: Method<ServerReflectionRequest, ServerReflectionResponse, true, true>
}

/** The service `grpc.reflection.v1.ServerReflection`, for clients; a server gets it by {@link addReflection}. */
export const ServerReflection: Service<ServerReflectionMethods> = bundledService(
  'grpc.reflection.v1.ServerReflection',
  'grpc/reflection/v1/reflection.proto',
)

/** The service `grpc.reflection.v1alpha.ServerReflection`: the same for older clients. */
export const ServerReflectionV1Alpha: Service<ServerReflectionMethods> = bundledService(
  'grpc.reflection.v1alpha.ServerReflection',
  'grpc/reflection/v1alpha/reflection.proto',
)

/** Options of {@link addReflection}. */
export interface ReflectionOptions {
  /**
   * Serialized google.protobuf.FileDescriptorSets with more files than the services import, for example such that
   * declare extensions.
   */
  descriptorSets?: readonly Uint8Array[]
}

type Answer = Omit<ServerReflectionResponse, 'validHost' | 'originalRequest'>

const MAX_SHOWN_CHARACTERS = 200

function notFound(what: string, name: string): Answer {
  const shown = name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name
  return {
    errorResponse: {
      errorCode: Status.NOT_FOUND,
      errorMessage: `This server knows no ${what} ${JSON.stringify(shown)}`,
    },
  }
}

/** Looks up what a server has when it is asked, so that the order of additions does not matter. */
class Reflection {
  readonly #server: Server
  readonly #descriptorSets: readonly Uint8Array[]
  #index: DescriptorIndex | undefined
  #details: DescriptorIndex | undefined
  /** How many of the server's services the index holds. */
  #indexed = 0

  constructor(server: Server, options: ReflectionOptions) {
    this.#server = server
    this.#descriptorSets = options.descriptorSets ?? []
  }

  #current(): DescriptorIndex {
    if (this.#index === undefined) {
      this.#index = new DescriptorIndex()
      for (const set of this.#descriptorSets) this.#index.add(splitDescriptorSet(set))
    }
    const { services } = this.#server
    while (this.#indexed < services.length) {
      const service = services[this.#indexed++]!
      if (service.fileDescriptors !== undefined) this.#index.add(service.fileDescriptors())
    }
    return this.#index
  }

  /** The types of error details: clients ask for them to show what came with a status. */
  #detailTypes(): DescriptorIndex {
    if (this.#details === undefined) {
      this.#details = new DescriptorIndex()
      this.#details.add(bundledDescriptors('google/rpc/status.proto', 'google/rpc/error_details.proto'))
    }
    return this.#details
  }

  /** Handles a call. */
  async *answerAll(
    requests: AsyncIterable<ServerReflectionRequest>,
  ): AsyncGenerator<ServerReflectionResponse, undefined> {
    const sent = new Set<IndexedFile>()
    for await (const request of requests) {
      yield { validHost: request.host ?? '', originalRequest: request, ...this.#answer(request, sent) }
    }
  }

  #answer(request: ServerReflectionRequest, sent: Set<IndexedFile>): Answer {
    const index = this.#current()
    const fileAnswer = (file: IndexedFile | undefined, what: string, name: string): Answer => {
      if (file === undefined) return notFound(what, name)
      const files = withImports(file, (imported) => sent.has(imported))
      for (const each of files) sent.add(each)
      return { fileDescriptorResponse: { fileDescriptorProto: files.map(({ octets }) => octets) } }
    }
    if (request.fileByFilename !== undefined) {
      const name = request.fileByFilename
      return fileAnswer(index.file(name) ?? this.#detailTypes().file(name), 'file', name)
    }
    if (request.fileContainingSymbol !== undefined) {
      const name = request.fileContainingSymbol
      return fileAnswer(index.fileOfSymbol(name) ?? this.#detailTypes().fileOfSymbol(name), 'symbol', name)
    }
    if (request.fileContainingExtension !== undefined) {
      const { containingType = '', extensionNumber = 0 } = request.fileContainingExtension
      const file = index.fileOfExtension(containingType, extensionNumber)
      return fileAnswer(file, `extension ${extensionNumber} of`, containingType)
    }
    if (request.allExtensionNumbersOfType !== undefined) {
      const name = request.allExtensionNumbersOfType
      const numbers = index.extensionNumbers(name)
      if (numbers === undefined) return notFound('message type', name)
      return { allExtensionNumbersResponse: { baseTypeName: name, extensionNumber: numbers } }
    }
    if (request.listServices !== undefined) {
      const names = this.#server.services.map(({ name }) => ({ name }))
      return { listServicesResponse: { service: names } }
    }
    return {
      errorResponse: {
        errorCode: Status.INVALID_ARGUMENT,
        errorMessage:
          'The request asks for nothing that this server knows; message_request says what is wanted',
      },
    }
  }
}

/**
 * Adds reflection to a server, in both versions, for all its services, those added later too. A service is described as
 * far as `fileDescriptors` of its definition goes; one without is listed only. The standard types of error details are
 * known too.
 *
 * Everybody who can reach the server can then read its schema.
 *
 * @throws TypeError if the server has reflection already
 * @example
 * addReflection(server) // then: grpcurl -plaintext localhost:50051 list
 */
export function addReflection(server: Server, options: ReflectionOptions = {}): void {
  const reflection = new Reflection(server, options)
  const handlers = {
    serverReflectionInfo: (requests: AsyncIterable<ServerReflectionRequest>) =>
      reflection.answerAll(requests),
  }
  server.add(ServerReflection, handlers)
  server.add(ServerReflectionV1Alpha, handlers)
}
