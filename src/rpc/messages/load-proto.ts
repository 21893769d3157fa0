/**
 * Reads .proto files, with all that they import, into message types and services.
 *
 * protobufjs parses; here files are read, and imports found as protoc finds them. The reading itself is apart from
 * the rest, so that it can wait or not.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type MessageOptions, resolveMessageOptions } from './message-options.ts'
import { ProtoFiles } from './proto-files.ts'
import { type ProtoNamespace, ProtoRegistry } from './proto-registry.ts'

/** Where a .proto file is: a path, or a `file:` URL as in `new URL('x.proto', import.meta.url)`. */
export type ProtoPath = string | URL

/** Options of {@link loadProto}. */
export interface LoadProtoOptions extends MessageOptions {
  /**
   * Directories where files and imports are looked for, first one first. By default imports are looked for in the
   * directory of the importing file and in those above it.
   */
  includeDirs?: readonly string[]
}

/**
 * Reads .proto files.
 *
 * Understands proto2, proto3 and editions, and knows the files of google/protobuf by itself. Field names become
 * `lowerCamelCase`, enum values names, 64-bit integers bigint, unless the options say otherwise.
 *
 * @param paths one file or several, relative to the working directory or to an include directory, or `file:` URLs
 * @returns the declarations by package
 * @throws Error (as a rejection) if a file or import is not found or can't be parsed, naming file and line
 * @example
 * const { helloworld } = await loadProto('proto/helloworld.proto')
 * const greeter = channel.client(helloworld.Greeter)
 */
export async function loadProto(
  paths: ProtoPath | readonly ProtoPath[],
  options: LoadProtoOptions = {},
): Promise<ProtoNamespace> {
  const files = filesOf(paths, options)
  for (let path = files.next(); path !== undefined; path = files.next()) {
    files.take(await readFile(path, 'utf8').catch(missing))
  }
  return namespaceOf(files, options)
}

/**
 * Reads .proto files without waiting; otherwise as {@link loadProto}.
 *
 * @throws Error if a file or import is not found or can't be parsed
 * @example
 * const { helloworld } = loadProtoSync('proto/helloworld.proto')
 */
export function loadProtoSync(
  paths: ProtoPath | readonly ProtoPath[],
  options: LoadProtoOptions = {},
): ProtoNamespace {
  const files = filesOf(paths, options)
  for (let path = files.next(); path !== undefined; path = files.next()) {
    let source: string | undefined
    try {
      source = readFileSync(path, 'utf8')
    } catch (error) {
      source = missing(error)
    }
    files.take(source)
  }
  return namespaceOf(files, options)
}

function filesOf(paths: ProtoPath | readonly ProtoPath[], options: LoadProtoOptions): ProtoFiles {
  const list = typeof paths === 'string' || paths instanceof URL ? [paths] : paths
  return new ProtoFiles(
    list.map((path) => (path instanceof URL ? fileURLToPath(path) : path)),
    options.includeDirs,
    options.keepCase ?? false,
  )
}

function namespaceOf(files: ProtoFiles, options: LoadProtoOptions): ProtoNamespace {
  const registry = new ProtoRegistry(files.root, resolveMessageOptions(options), (service) =>
    files.descriptorsOf(service),
  )
  return registry.namespace
}

/** No file there is no error yet: it may be somewhere else. */
function missing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
  throw error
}
