/**
 * Serialized google.protobuf.FileDescriptorProto of a file that was parsed, for server reflection.
 *
 * protobufjs has a conversion of its own, but only of whole packages, with relative type names, and without the names
 * that protoc gives to map entries and synthetic oneofs; reflection clients refuse that. Options that are declared
 * outside of descriptor.proto (custom options), comments and source positions are left out.
 */
import { createRequire } from 'node:module'
import protobuf from 'protobufjs'

type Plain = Record<string, unknown>

/** What is needed to describe one file. */
export interface DescribedFile {
  readonly name: string
  /** Names of the files it imports. */
  readonly imports: readonly string[]
  /** Its text; undefined for a file that protobufjs has built in. */
  readonly source: string | undefined
  readonly packageName: string
  /** Its top-level messages, enums, services and extensions, resolved. */
  readonly declarations: readonly protobuf.ReflectionObject[]
}

/** descriptor.proto as protobufjs types; loaded when first needed. */
let descriptorTypes: protobuf.Root | undefined

/** A type of descriptor.proto, for example `FileDescriptorProto`. */
export function descriptorType(name: string): protobuf.Type {
  if (descriptorTypes === undefined) {
    const requireFromHere = createRequire(import.meta.url)
    const json: protobuf.INamespace = requireFromHere('protobufjs/google/protobuf/descriptor.json')
    descriptorTypes = protobuf.Root.fromJSON(json)
  }
  return descriptorTypes.lookupType(`google.protobuf.${name}`)
}

/** Serializes the FileDescriptorProto of a file. */
export function describeFile(file: DescribedFile): Uint8Array {
  const head = readHead(file.source)
  const of = <T>(kind: abstract new (...args: never[]) => T): T[] =>
    file.declarations.filter(
      (declaration): declaration is protobuf.ReflectionObject & T => declaration instanceof kind,
    )
  const descriptor: Plain = {
    name: file.name,
    package: file.packageName,
    dependency: file.imports,
    publicDependency: head.publicImports.flatMap((asked) => {
      const index = file.imports.findIndex((name) => name === asked || asked.endsWith(`/${name}`))
      return index < 0 ? [] : [index]
    }),
    messageType: of(protobuf.Type).map(describeMessage),
    enumType: of(protobuf.Enum).map(describeEnum),
    service: of(protobuf.Service).map(describeService),
    extension: of(protobuf.Field).map((field) => describeField(field, [])),
    options: knownOptions(head.options, 'FileOptions'),
    ...(head.edition.startsWith('proto')
      ? head.edition === 'proto2'
        ? {}
        : { syntax: head.edition }
      : { syntax: 'editions', edition: `EDITION_${head.edition}` }),
  }
  return serialize('FileDescriptorProto', descriptor)
}

function serialize(typeName: string, descriptor: Plain): Uint8Array {
  const type = descriptorType(typeName)
  return type.encode(type.fromObject(descriptor)).finish()
}

/** What protobufjs does not keep by file: read again from the text. */
function readHead(source: string | undefined): { edition: string; publicImports: string[]; options: Plain } {
  if (source === undefined) return { edition: 'proto3', publicImports: [], options: {} }
  const root = new protobuf.Root()
  const parsed = protobuf.parse(source, root, { keepCase: true })
  const namespace = parsed.package === undefined ? root : root.lookup(parsed.package)
  const tokens = protobuf.tokenize(source, false)
  const publicImports: string[] = []
  let edition = 'proto2'
  let depth = 0
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token === '{') depth++
    else if (token === '}') depth--
    else if (depth === 0 && (token === 'syntax' || token === 'edition') && tokens.peek() === '=') {
      tokens.next()
      edition = readString(tokens)
    } else if (depth === 0 && token === 'import' && tokens.peek() === 'public') {
      tokens.next()
      publicImports.push(readString(tokens))
    }
  }
  return { edition, publicImports, options: namespace?.options ?? {} }
}

function readString(tokens: protobuf.ITokenizerHandle): string {
  tokens.next()
  const text = tokens.next() ?? ''
  tokens.next()
  return text
}

function describeMessage(type: protobuf.Type): Plain {
  // Synthetic oneofs come last (descriptor.proto, FieldDescriptorProto.proto3_optional).
  const oneofs = [...type.oneofsArray].sort((a, b) => Number(a.isProto3Optional) - Number(b.isProto3Optional))
  const fields = type.fieldsArray.filter((field) => field.declaringField === null)
  const nested = type.nestedArray
  return {
    name: type.name,
    field: fields.map((field) => describeField(field, oneofs)),
    oneofDecl: oneofs.map((oneof) => ({
      name: oneof.name,
      options: knownOptions(oneof.options, 'OneofOptions'),
    })),
    nestedType: [
      ...nested.filter((object) => object instanceof protobuf.Type).map(describeMessage),
      ...fields.filter((field) => field.map).map(describeMapEntry),
    ],
    enumType: nested.filter((object) => object instanceof protobuf.Enum).map(describeEnum),
    extension: nested
      .filter((object) => object instanceof protobuf.Field)
      .map((field) => describeField(field, [])),
    // Ends are exclusive here, and inclusive in a .proto file.
    extensionRange: (type.extensions ?? []).map((range) => ({ start: range[0], end: range[1]! + 1 })),
    ...reserved(type.reserved, 1),
    options: knownOptions(type.options, 'MessageOptions'),
  }
}

function describeField(field: protobuf.Field, oneofs: readonly protobuf.OneOf[]): Plain {
  field.resolve()
  // `extend` declares a field here that protobufjs puts into the extended type as another one.
  const resolved = field.extensionField ?? field
  const protoName = field.protoName ?? field.name
  const oneofIndex = field.partOf === null ? -1 : oneofs.indexOf(field.partOf)
  const { default: defaultValue, json_name: _, ...options } = field.options ?? {}
  return {
    name: protoName,
    number: field.id,
    label:
      field.map || field.repeated
        ? 'LABEL_REPEATED'
        : field.rule === 'required'
          ? 'LABEL_REQUIRED'
          : 'LABEL_OPTIONAL',
    ...(field.map
      ? { type: 'TYPE_MESSAGE', typeName: `${field.parent!.fullName}.${mapEntryName(protoName)}` }
      : describeType(resolved)),
    ...(field.extend === undefined ? {} : { extendee: resolved.parent!.fullName }),
    ...(oneofIndex < 0 ? {} : { oneofIndex }),
    ...(defaultValue === undefined ? {} : { defaultValue: describeDefault(defaultValue) }),
    jsonName: field.jsonName ?? protobuf.util.jsonName(protoName),
    ...(options.proto3_optional === true ? { proto3Optional: true } : {}),
    options: knownOptions(options, 'FieldOptions'),
  }
}

function describeType(field: protobuf.Field): Plain {
  const { resolvedType } = field
  if (resolvedType instanceof protobuf.Enum) return { type: 'TYPE_ENUM', typeName: resolvedType.fullName }
  if (resolvedType instanceof protobuf.Type) {
    // A group is a type of proto2; editions say the same with a feature.
    return { type: isGroup(resolvedType) ? 'TYPE_GROUP' : 'TYPE_MESSAGE', typeName: resolvedType.fullName }
  }
  return { type: `TYPE_${field.type.toUpperCase()}` }
}

/** Whether a type was declared as a `group` field. */
function isGroup(type: protobuf.Type): boolean {
  return (type as protobuf.Type & { group?: boolean }).group === true
}

/** Default values are text: of octets escaped as in C. */
function describeDefault(value: unknown): string {
  return typeof value === 'number' && !Number.isFinite(value)
    ? String(value).replace('Infinity', 'inf').replace('NaN', 'nan')
    : String(value)
}

function describeMapEntry(field: protobuf.Field): Plain {
  const { keyType } = field as protobuf.Field & { keyType: string }
  const entryField = (name: string, number: number, type: Plain): Plain => ({
    name,
    number,
    label: 'LABEL_OPTIONAL',
    jsonName: name,
    ...type,
  })
  return {
    name: mapEntryName(field.protoName ?? field.name),
    field: [
      entryField('key', 1, { type: `TYPE_${keyType.toUpperCase()}` }),
      entryField('value', 2, describeType(field)),
    ],
    options: { mapEntry: true },
  }
}

/** protoc calls the entries of `string_to_int` StringToIntEntry. */
function mapEntryName(protoName: string): string {
  const camel = protoName.replace(
    /(^|_)([a-z])?/g,
    (_, __, letter: string | undefined) => letter?.toUpperCase() ?? '',
  )
  return `${camel}Entry`
}

function describeEnum(type: protobuf.Enum): Plain {
  return {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => ({
      name,
      number,
      options: knownOptions(type.valuesOptions?.[name], 'EnumValueOptions'),
    })),
    ...reserved(type.reserved, 0),
    options: knownOptions(type.options, 'EnumOptions'),
  }
}

function describeService(service: protobuf.Service): Plain {
  return {
    name: service.name,
    method: service.methodsArray.map((method) => {
      method.resolve()
      return {
        name: method.name,
        inputType: method.resolvedRequestType!.fullName,
        outputType: method.resolvedResponseType!.fullName,
        ...(method.requestStream ? { clientStreaming: true } : {}),
        ...(method.responseStream ? { serverStreaming: true } : {}),
        options: knownOptions(method.options, 'MethodOptions'),
      }
    }),
    options: knownOptions(service.options, 'ServiceOptions'),
  }
}

/** @param beyond what is added to the inclusive end of a range: 1 for messages, 0 for enums */
function reserved(entries: readonly (number[] | string)[] | undefined, beyond: number): Plain {
  const ranges = (entries ?? []).filter((entry) => typeof entry !== 'string')
  return {
    reservedRange: ranges.map((range) => ({ start: range[0], end: range[1]! + beyond })),
    reservedName: (entries ?? []).filter((entry) => typeof entry === 'string'),
  }
}

/** The options that descriptor.proto itself declares. */
function knownOptions(options: Plain | undefined, typeName: string): Plain | undefined {
  if (options === undefined) return undefined
  const known = knownFields(options, descriptorType(typeName))
  return Object.keys(known).length === 0 ? undefined : known
}

function knownFields(values: Plain, type: protobuf.Type): Plain {
  const known: Plain = {}
  for (const [name, value] of Object.entries(values)) {
    const field = type.fields[protobuf.util.camelCase(name)]
    if (field === undefined || value === undefined) continue
    field.resolve()
    const one =
      field.resolvedType instanceof protobuf.Type ? knownFields(value as Plain, field.resolvedType) : value
    known[field.name] = field.repeated && !Array.isArray(one) ? [one] : one
  }
  return known
}
