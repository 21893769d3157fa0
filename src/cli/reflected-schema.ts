/**
 * The schema of a service, asked from its server: `grpc.reflection.v1`, and `v1alpha` for older ones (gRPC
 * server-reflection). How much a server may tell is bounded.
 */
import type { CallOptions } from '../rpc/call-options.ts'
import type { Channel } from '../rpc/channel.ts'
import { loadDescriptorSet } from '../rpc/messages/descriptor-set.ts'
import { findService } from '../rpc/messages/find-declaration.ts'
import type { ProtoNamespace } from '../rpc/messages/proto-registry.ts'
import type { Service } from '../rpc/method.ts'
import {
  ServerReflection,
  type ServerReflectionMethods,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionV1Alpha,
} from '../rpc/services/reflection.ts'
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { ProtobufReader } from '../wire/protobuf/reader.ts'
import { WireType } from '../wire/protobuf/wire-type.ts'
import { ProtobufWriter } from '../wire/protobuf/writer.ts'
import { CommandError } from './exit-code.ts'

const MAX_FILES = 2000
const MAX_TOTAL_OCTETS = 16 << 20
const DEFAULT_DEADLINE_MS = 20_000

/** Fields of google.protobuf.FileDescriptorProto. */
const NAME = 1
const DEPENDENCY = 3

/**
 * Asks a server what a service looks like.
 *
 * @param options of the conversation; its deadline is 20000 milliseconds if they have none
 * @throws StatusError if the server can't be reached; CommandError (UNIMPLEMENTED) if it has no such service or
 *   does not tell
 */
export async function reflectSchema(
  channel: Channel,
  serviceName: string,
  options: CallOptions = {},
): Promise<ProtoNamespace> {
  const deadline = options.deadline ?? DEFAULT_DEADLINE_MS
  const timed = { ...options, deadline }
  try {
    return await converse(channel, ServerReflection, serviceName, timed)
  } catch (error) {
    if (!isUnimplemented(error)) throw error
  }
  try {
    return await converse(channel, ServerReflectionV1Alpha, serviceName, timed)
  } catch (error) {
    if (!isUnimplemented(error)) throw error
    throw new CommandError(
      `the service ${serviceName} is unknown here, and the server does not tell what it looks like ` +
        '(no reflection): --proto names the file that declares it',
      Status.UNIMPLEMENTED,
    )
  }
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof StatusError && error.code === Status.UNIMPLEMENTED
}

async function converse(
  channel: Channel,
  service: Service<ServerReflectionMethods>,
  serviceName: string,
  options: CallOptions,
): Promise<ProtoNamespace> {
  await using call = channel.client(service).serverReflectionInfo(options)
  const responses = call[Symbol.asyncIterator]()
  const ask = async (request: ServerReflectionRequest): Promise<ServerReflectionResponse> => {
    await call.write(request)
    const { value } = await responses.next()
    if (value === undefined) throw new CommandError('the server ended its reflection early', Status.INTERNAL)
    return value
  }
  const files = new CollectedFiles()
  const first = await ask({ fileContainingSymbol: serviceName })
  if (first.errorResponse !== undefined) throw await noService(serviceName, first, ask)
  files.take(first)
  for (let missing = files.missing(); missing !== undefined; missing = files.missing()) {
    const response = await ask({ fileByFilename: missing })
    if (response.errorResponse !== undefined) {
      const { errorMessage } = response.errorResponse
      throw new CommandError(`the server does not tell its file ${missing}: ${errorMessage}`, Status.INTERNAL)
    }
    files.take(response)
    if (!files.has(missing)) {
      throw new CommandError(`the server answered with other files than ${missing}`, Status.INTERNAL)
    }
  }
  try {
    const schema = loadDescriptorSet(files.toDescriptorSet())
    if (findService(schema, serviceName) === undefined) throw new Error(`it lacks ${serviceName}`)
    return schema
  } catch (cause) {
    throw unusable(cause)
  }
}

function unusable(cause: unknown): CommandError {
  const text = `the schema that the server told can't be used: ${(cause as Error).message}`
  return new CommandError(text, Status.INTERNAL, { cause })
}

async function noService(
  name: string,
  { errorResponse }: ServerReflectionResponse,
  ask: (request: ServerReflectionRequest) => Promise<ServerReflectionResponse>,
): Promise<CommandError> {
  const { listServicesResponse } = await ask({ listServices: '' })
  const names = listServicesResponse?.service.map((service) => service.name).join(', ')
  const known = names === undefined ? errorResponse?.errorMessage : `there are ${names}`
  return new CommandError(`the server has no service ${name}: ${known}`, Status.UNIMPLEMENTED)
}

/** Descriptors of files, until none that is imported is missing. */
class CollectedFiles {
  readonly #files = new Map<string, Uint8Array>()
  readonly #wanted = new Set<string>()
  #octets = 0

  take({ fileDescriptorResponse }: ServerReflectionResponse): void {
    for (const octets of fileDescriptorResponse?.fileDescriptorProto ?? []) {
      try {
        this.#takeFile(octets)
      } catch (cause) {
        throw unusable(cause)
      }
    }
    if (this.#files.size > MAX_FILES || this.#octets > MAX_TOTAL_OCTETS) {
      throw new CommandError(
        `the server told a schema of more than ${MAX_FILES} files or ${MAX_TOTAL_OCTETS} octets`,
        Status.RESOURCE_EXHAUSTED,
      )
    }
  }

  #takeFile(octets: Uint8Array): void {
    const reader = new ProtobufReader(octets)
    let fileName = ''
    while (reader.next()) {
      if (reader.wireType === WireType.LEN && reader.fieldNumber === NAME) fileName = reader.string()
      else if (reader.wireType === WireType.LEN && reader.fieldNumber === DEPENDENCY) {
        const imported = reader.string()
        // these are known here, if the server does not bring them
        if (!imported.startsWith('google/protobuf/')) this.#wanted.add(imported)
      } else reader.skip()
    }
    this.#files.set(fileName, octets)
    this.#octets += octets.length
  }

  has(name: string): boolean {
    return this.#files.has(name)
  }

  /** The name of a file that is imported and not here. */
  missing(): string | undefined {
    for (const name of this.#wanted) if (!this.#files.has(name)) return name
    return undefined
  }

  /** A google.protobuf.FileDescriptorSet. */
  toDescriptorSet(): Uint8Array {
    const writer = new ProtobufWriter()
    for (const octets of this.#files.values()) writer.tag(1, WireType.LEN).bytes(octets)
    return writer.finish()
  }
}
