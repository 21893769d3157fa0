/**
 * What a server's services declare, by file, by name and by extension: where reflection looks things up. It reads
 * serialized google.protobuf.FileDescriptorProto that the application gave, never a peer's.
 */
import { descriptorType } from '../messages/file-descriptors.ts'

/** One .proto file. */
export interface IndexedFile {
  /** As it is imported. */
  readonly name: string
  /** The serialized FileDescriptorProto. */
  readonly octets: Uint8Array
  /** The files it imports, as far as they were given. */
  readonly imports: readonly IndexedFile[]
}

/** The parts of descriptor.proto that are read here. */
interface FileDescriptor {
  readonly name: string
  readonly package: string
  readonly dependency: readonly string[]
  readonly messageType: readonly MessageDescriptor[]
  readonly enumType: readonly EnumDescriptor[]
  readonly service: readonly { readonly name: string; readonly method: readonly Named[] }[]
  readonly extension: readonly ExtensionDescriptor[]
}
interface Named {
  readonly name: string
}
interface MessageDescriptor extends Named {
  readonly field: readonly Named[]
  readonly oneofDecl: readonly Named[]
  readonly nestedType: readonly MessageDescriptor[]
  readonly enumType: readonly EnumDescriptor[]
  readonly extension: readonly ExtensionDescriptor[]
}
interface EnumDescriptor extends Named {
  readonly value: readonly Named[]
}
interface ExtensionDescriptor extends Named {
  readonly number: number
  /** Full name with a dot before it. */
  readonly extendee: string
}

interface MutableFile extends IndexedFile {
  readonly imports: IndexedFile[]
}

/** Finds the file that declares something. */
export class DescriptorIndex {
  readonly #byName = new Map<string, MutableFile>()
  readonly #bySymbol = new Map<string, IndexedFile>()
  /** Extensions by the full name of the message type that they extend, and by number. */
  readonly #extensions = new Map<string, Map<number, IndexedFile>>()
  readonly #messageTypes = new Set<string>()

  /**
   * Takes a set of files that import each other. A file that was given before is not taken twice; of two different
   * files by one name, that name finds the first, and what they declare finds either.
   *
   * @param descriptors serialized FileDescriptorProtos
   * @throws Error if the octets are no FileDescriptorProto
   */
  add(descriptors: readonly Uint8Array[]): void {
    const type = descriptorType('FileDescriptorProto')
    const set = new Map<string, { file: MutableFile; descriptor: FileDescriptor; isNew: boolean }>()
    for (const octets of descriptors) {
      const descriptor = type.decode(octets) as unknown as FileDescriptor
      const known = this.#byName.get(descriptor.name)
      const isNew = known === undefined || Buffer.compare(known.octets, octets) !== 0
      const file = isNew ? { name: descriptor.name, octets, imports: [] } : known
      set.set(descriptor.name, { file, descriptor, isNew })
      if (known === undefined) this.#byName.set(descriptor.name, file)
    }
    for (const { file, descriptor, isNew } of set.values()) {
      if (!isNew) continue
      for (const name of descriptor.dependency) {
        const imported = set.get(name)?.file
        if (imported !== undefined) file.imports.push(imported)
      }
      this.#indexFile(file, descriptor)
    }
  }

  #indexFile(file: IndexedFile, descriptor: FileDescriptor): void {
    const scope = descriptor.package
    for (const message of descriptor.messageType) this.#indexMessage(file, scope, message)
    for (const each of descriptor.enumType) this.#indexEnum(file, scope, each)
    for (const extension of descriptor.extension) this.#indexExtension(file, scope, extension)
    for (const service of descriptor.service) {
      const name = this.#declare(file, scope, service)
      for (const method of service.method) this.#declare(file, name, method)
    }
  }

  #indexMessage(file: IndexedFile, scope: string, message: MessageDescriptor): void {
    const name = this.#declare(file, scope, message)
    this.#messageTypes.add(name)
    for (const field of message.field) this.#declare(file, name, field)
    for (const oneof of message.oneofDecl) this.#declare(file, name, oneof)
    for (const nested of message.nestedType) this.#indexMessage(file, name, nested)
    for (const each of message.enumType) this.#indexEnum(file, name, each)
    for (const extension of message.extension) this.#indexExtension(file, name, extension)
  }

  #indexEnum(file: IndexedFile, scope: string, descriptor: EnumDescriptor): void {
    this.#declare(file, scope, descriptor)
    // The names of values stand beside their enum's name, not within it (descriptor.proto, EnumValueDescriptorProto).
    for (const value of descriptor.value) this.#declare(file, scope, value)
  }

  #indexExtension(file: IndexedFile, scope: string, { name, number, extendee }: ExtensionDescriptor): void {
    this.#declare(file, scope, { name })
    const typeName = extendee.replace(/^\./, '')
    let numbers = this.#extensions.get(typeName)
    if (numbers === undefined) {
      numbers = new Map()
      this.#extensions.set(typeName, numbers)
    }
    if (!numbers.has(number)) numbers.set(number, file)
  }

  #declare(file: IndexedFile, scope: string, { name }: Named): string {
    const fullName = scope === '' ? name : `${scope}.${name}`
    if (!this.#bySymbol.has(fullName)) this.#bySymbol.set(fullName, file)
    return fullName
  }

  /** The file of this name. */
  file(name: string): IndexedFile | undefined {
    return this.#byName.get(name)
  }

  /** The file that declares this full name: of a service, method, message, field, oneof, enum, value or extension. */
  fileOfSymbol(fullName: string): IndexedFile | undefined {
    return this.#bySymbol.get(fullName)
  }

  /** The file that declares the extension of this number. */
  fileOfExtension(typeName: string, number: number): IndexedFile | undefined {
    return this.#extensions.get(typeName)?.get(number)
  }

  /** The numbers of all extensions of a message type, in order; undefined if there is no such type. */
  extensionNumbers(typeName: string): number[] | undefined {
    const numbers = this.#extensions.get(typeName)
    if (numbers !== undefined) return [...numbers.keys()].sort((a, b) => a - b)
    return this.#messageTypes.has(typeName) ? [] : undefined
  }
}

/** A file and all that it imports, directly or not, itself first; without those that `isKnown`, except itself. */
export function withImports(file: IndexedFile, isKnown: (file: IndexedFile) => boolean): IndexedFile[] {
  const found = new Set([file])
  // A set hands out what is added while it is walked through.
  for (const each of found) {
    for (const imported of each.imports) if (!isKnown(imported)) found.add(imported)
  }
  return [...found]
}
