/**
 * Makes message types and services of the .proto files that are part of the library. They are parsed when first
 * needed, so that importing the library costs nothing of it.
 */
import { join, resolve } from 'node:path'
import { describeFile } from '../messages/file-descriptors.ts'
import { resolveMessageOptions } from '../messages/message-options.ts'
import type { MessageType } from '../messages/message-type.ts'
import { ProtoFiles } from '../messages/proto-files.ts'
import { ProtoRegistry } from '../messages/proto-registry.ts'
import type { Methods, Service } from '../method.ts'
import { BUNDLED_PROTOS } from './bundled-protos.ts'

/** Stands for a folder in which the files would lie; nothing is read there. */
const FOLDER = resolve('/grpc-glass')
const sources = new Map(Object.entries(BUNDLED_PROTOS).map(([name, text]) => [join(FOLDER, name), text]))

/** Parses bundled files with what they import. */
function parse(names: readonly string[]): ProtoFiles {
  const files = new ProtoFiles(names, [FOLDER], false)
  for (let path = files.next(); path !== undefined; path = files.next()) files.take(sources.get(path))
  return files
}

function registryOf(names: readonly string[]): ProtoRegistry {
  const files = parse(names)
  return new ProtoRegistry(files.root, resolveMessageOptions({}), (service) => files.descriptorsOf(service))
}

/** Parsed when the returned function is first called. */
function lazily(names: readonly string[]): () => ProtoRegistry {
  let registry: ProtoRegistry | undefined
  return () => {
    registry ??= registryOf(names)
    return registry
  }
}

/**
 * Gives message types of bundled files by their full names.
 * @param fileNames as they are imported
 */
export function bundledTypes(...fileNames: string[]): (typeName: string) => MessageType {
  const registry = lazily(fileNames)
  return (typeName) => registry().findMessageType(typeName)!
}

/**
 * A service of a bundled file, which is parsed when its methods are first read.
 * @param fileName as it is imported
 */
export function bundledService<M extends Methods>(name: string, fileName: string): Service<M> {
  const registry = lazily([fileName])
  const service = (): Service => registry().services.get(name)!
  return {
    name,
    get methods() {
      return service().methods as M
    },
    fileDescriptors: () => service().fileDescriptors!(),
  }
}

/** The serialized FileDescriptorProtos of bundled files and of all that they import, parsed at each call. */
export function bundledDescriptors(...fileNames: string[]): Uint8Array[] {
  const files = parse(fileNames)
  files.root.resolveAll()
  const names = new Set(fileNames)
  // A set hands out what is added while it is walked through.
  for (const name of names) for (const imported of files.describe(name).imports) names.add(imported)
  return [...names].map((name) => describeFile(files.describe(name)))
}
