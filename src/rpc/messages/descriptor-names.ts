/**
 * Names in descriptors, before anything is made of them. A .proto file can only hold identifiers where names stand
 * (protobuf language specification, "Identifiers"), but a descriptor may hold any text there, and a peer may have
 * sent it: message types become generated code.
 */

/** What is read of a descriptor here; each level has names of its own. */
interface Named {
  name?: string
  package?: string
  typeName?: string
  extendee?: string
  inputType?: string
  outputType?: string
  messageType?: Named[]
  enumType?: Named[]
  service?: Named[]
  extension?: Named[]
  field?: Named[]
  nestedType?: Named[]
  oneofDecl?: Named[]
  value?: Named[]
  method?: Named[]
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
const DOTTED = /^\.?[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const REFERENCES = ['typeName', 'extendee', 'inputType', 'outputType'] as const
const CHILDREN = [
  'messageType',
  'enumType',
  'service',
  'extension',
  'field',
  'nestedType',
  'oneofDecl',
  'value',
  'method',
] as const
const MAX_SHOWN_CHARACTERS = 80

/**
 * Checks every name of the files.
 * @throws Error naming the file, if one is no identifier
 */
export function checkDescriptorNames(files: readonly Named[]): void {
  for (const file of files) {
    const where = shown(file.name ?? '')
    if (file.package && !DOTTED.test(file.package)) throw noIdentifier(where, 'package', file.package)
    checkChildren(file, where)
  }
}

function checkChildren(parent: Named, where: string): void {
  for (const kind of CHILDREN) for (const child of parent[kind] ?? []) checkNamed(child, kind, where)
}

function checkNamed(named: Named, kind: string, where: string): void {
  if (!IDENTIFIER.test(named.name ?? '')) throw noIdentifier(where, kind, named.name ?? '')
  for (const reference of REFERENCES) {
    const text = named[reference]
    if (text && !DOTTED.test(text)) throw noIdentifier(where, reference, text)
  }
  checkChildren(named, where)
}

function noIdentifier(where: string, kind: string, name: string): Error {
  return new Error(
    `the descriptor of ${where} has a ${kind} named ${shown(name)}: names are letters, digits and _, not beginning with a digit`,
  )
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN_CHARACTERS))
}
