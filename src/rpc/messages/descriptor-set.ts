/**
 * Reads a google.protobuf.FileDescriptorSet, as `protoc --descriptor_set_out` and `buf build` write it, into message
 * types and services.
 */
import { createRequire } from 'node:module'
import protobuf from 'protobufjs'
import { checkDescriptorNames } from './descriptor-names.ts'
import { describeFile } from './file-descriptors.ts'
import { type MessageOptions, resolveMessageOptions } from './message-options.ts'
import { ProtoFiles } from './proto-files.ts'
import { type ProtoNamespace, ProtoRegistry } from './proto-registry.ts'

/** What is read of descriptor.proto here. */
interface DescriptorSet {
  file: FileDescriptor[]
}
interface FileDescriptor {
  name: string
  package: string
  dependency: string[]
  messageType: MessageDescriptor[]
  service: { name: string }[]
}
interface MessageDescriptor {
  name: string
  field: { name: string; number: number; jsonName: string }[]
  nestedType: MessageDescriptor[]
}

/** The part of `protobufjs/ext/descriptor.js` used here. */
interface DescriptorExtension {
  FileDescriptorSet: protobuf.Type
}
interface RootFromDescriptor {
  fromDescriptor(set: DescriptorSet, options: { keepCase: boolean }): protobuf.Root
}

/**
 * Reads a descriptor set.
 *
 * It must hold every file that its files import (`protoc --include_imports`), except those of google/protobuf. Read
 * only what you trust: message types become generated code.
 *
 * @param octets a serialized google.protobuf.FileDescriptorSet
 * @returns the declarations by package, as with `loadProto`
 * @throws Error if the octets are no descriptor set, a file or type is missing, or a name is no identifier
 * @example
 * const { helloworld } = loadDescriptorSet(await readFile('helloworld.binpb'))
 */
export function loadDescriptorSet(octets: Uint8Array, options: MessageOptions = {}): ProtoNamespace {
  const requireFromHere = createRequire(import.meta.url)
  const extension: DescriptorExtension = requireFromHere('protobufjs/ext/descriptor.js')
  const decode = (from: Uint8Array): DescriptorSet =>
    extension.FileDescriptorSet.decode(from) as unknown as DescriptorSet
  const serialized = splitDescriptorSet(octets)
  let set = decode(octets)
  for (const name of missingFiles(set)) serialized.push(builtInDescriptor(name))
  if (serialized.length > set.file.length) set = decode(joinSet(serialized))
  checkDescriptorNames(set.file)
  const files = new DescribedFiles(set, serialized)
  const jsonNames = new Map<string, string>()
  // protobufjs names properties by `json_name`, here they are named as `loadProto` does.
  for (const file of set.file)
    for (const type of file.messageType) takeJsonNames(type, file.package, jsonNames)
  const root = (protobuf.Root as unknown as RootFromDescriptor).fromDescriptor(set, {
    keepCase: options.keepCase ?? false,
  })
  giveJsonNames(root, jsonNames)
  return new ProtoRegistry(root, resolveMessageOptions(options), (service) => files.ofService(service))
    .namespace
}

/** The files of a set as octets, untouched, so that reflection gives what came in. */
class DescribedFiles {
  readonly #files = new Map<string, { descriptor: FileDescriptor; octets: Uint8Array }>()
  readonly #fileOfService = new Map<string, string>()

  constructor(set: DescriptorSet, serialized: readonly Uint8Array[]) {
    for (const [index, descriptor] of set.file.entries()) {
      this.#files.set(descriptor.name, { descriptor, octets: serialized[index]! })
      for (const { name } of descriptor.service)
        this.#fileOfService.set(qualify(descriptor.package, name), descriptor.name)
    }
  }

  ofService(service: protobuf.Service): readonly Uint8Array[] {
    const found = new Map<string, Uint8Array>()
    const visit = (name: string): void => {
      const file = this.#files.get(name)
      if (file === undefined || found.has(name)) return
      found.set(name, file.octets)
      for (const imported of file.descriptor.dependency) visit(imported)
    }
    visit(this.#fileOfService.get(service.fullName.slice(1)) ?? '')
    return [...found.values()]
  }
}

/** The octets of each file: field 1 of FileDescriptorSet. */
export function splitDescriptorSet(octets: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(octets)
  const files: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 0x0a) files.push(reader.bytes())
    else reader.skipType(tag & 7, 0, tag >>> 3)
  }
  return files
}

function joinSet(files: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const file of files) writer.uint32(0x0a).bytes(file)
  return writer.finish()
}

/** Files of google/protobuf that are imported, but not in the set. */
function missingFiles(set: DescriptorSet): string[] {
  const present = new Set(set.file.map((file) => file.name))
  const imported = new Set(set.file.flatMap((file) => file.dependency))
  return [...imported].filter((name) => {
    if (present.has(name)) return false
    if (name.startsWith('google/protobuf/')) return true
    throw new Error(
      `The descriptor set imports ${name}, but does not hold it (protoc --include_imports adds it)`,
    )
  })
}

function builtInDescriptor(name: string): Uint8Array {
  const files = new ProtoFiles([], undefined, false)
  files.addBuiltIn(name)
  files.root.resolveAll()
  return describeFile(files.describe(name))
}

function takeJsonNames(type: MessageDescriptor, scope: string, jsonNames: Map<string, string>): void {
  const name = qualify(scope, type.name)
  for (const field of type.field) {
    if (field.jsonName !== '') jsonNames.set(`${name}#${field.number}`, field.jsonName)
    field.jsonName = protobuf.util.camelCase(field.name)
  }
  for (const nested of type.nestedType) takeJsonNames(nested, name, jsonNames)
}

function giveJsonNames(namespace: protobuf.NamespaceBase, jsonNames: ReadonlyMap<string, string>): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) {
      for (const field of nested.fieldsArray) {
        const jsonName = jsonNames.get(`${nested.fullName.slice(1)}#${field.id}`)
        // Read-only in the types of protobufjs; its own conversion sets it just so.
        const named = field as { jsonName: string }
        named.jsonName = jsonName ?? protobuf.util.jsonName(field.protoName ?? field.name)
      }
    }
    if (nested instanceof protobuf.Namespace) giveJsonNames(nested, jsonNames)
  }
}

function qualify(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
