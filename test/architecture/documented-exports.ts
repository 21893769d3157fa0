/**
 * Finds what the package exports without saying what it is, by asking the TypeScript compiler for every symbol
 * that an entry point exports, and for the public members of exported classes, interfaces and object types.
 * A member may take its comment from the interface it implements; a tag whose only value is its type needs none. It
 * does not judge the words.
 */
import { relative } from 'node:path'
import ts from 'typescript'
import { root } from './source-files.ts'

/** Compiles the entry points as the build does; `sources` replaces files on disk, for tests. */
export function compileEntries(
  paths: readonly string[],
  sources: ReadonlyMap<string, string> = new Map(),
): ts.Program {
  const config = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const readFile = host.readFile.bind(host)
  const fileExists = host.fileExists.bind(host)
  host.readFile = (path) => sources.get(path) ?? readFile(path)
  host.fileExists = (path) => sources.has(path) || fileExists(path)
  return ts.createProgram([...paths], options, host)
}

/** One line for each undocumented export or member: `src/wire/octets.ts:12 OctetWriter.reserve`. */
export function undocumentedExports(program: ts.Program, entries: readonly string[]): string[] {
  const checker = program.getTypeChecker()
  const found = new Set<string>()
  for (const entry of entries) {
    const file = program.getSourceFile(entry)
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${entry} is no module of the program`)
    for (const exported of checker.getExportsOfModule(module)) {
      for (const line of undocumented(resolveAlias(exported, checker), checker)) found.add(line)
    }
  }
  return [...found].sort()
}

function resolveAlias(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

function undocumented(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  const declarations = (symbol.declarations ?? []).filter(isOurs)
  if (declarations.length === 0) return []
  const missing = isDocumented(symbol, checker) ? [] : [place(declarations[0]!, symbol.name)]
  for (const member of declarations.flatMap(publicMembers)) {
    if (speaksForItself(member)) continue
    const memberSymbol = member.name === undefined ? undefined : checker.getSymbolAtLocation(member.name)
    if (memberSymbol !== undefined && !isDocumented(memberSymbol, checker)) {
      missing.push(place(member, `${symbol.name}.${memberSymbol.name}`))
    }
  }
  return missing
}

/** True with a comment of its own, or one inherited from an interface or base class. */
function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== ''
}

function isOurs(declaration: ts.Declaration): boolean {
  return !declaration.getSourceFile().fileName.includes('/node_modules/')
}

/** Members that a user sees: no constructors, no `private`, `protected` or `#private` ones. */
function publicMembers(declaration: ts.Declaration): readonly ts.NamedDeclaration[] {
  if (ts.isClassDeclaration(declaration)) return declaration.members.filter(isPublic)
  if (ts.isInterfaceDeclaration(declaration)) return declaration.members
  if (ts.isTypeAliasDeclaration(declaration) && ts.isTypeLiteralNode(declaration.type)) {
    return declaration.type.members
  }
  return []
}

/** A tag such as `kind: 'data'` or `name = 'WireError'`: its only value is its type. */
function speaksForItself(member: ts.NamedDeclaration): boolean {
  if (ts.isPropertySignature(member)) return member.type !== undefined && ts.isLiteralTypeNode(member.type)
  return (
    ts.isPropertyDeclaration(member) &&
    member.initializer !== undefined &&
    ts.isStringLiteral(member.initializer)
  )
}

function isPublic(member: ts.ClassElement): boolean {
  if (ts.isConstructorDeclaration(member) || ts.isClassStaticBlockDeclaration(member)) return false
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return (ts.getCombinedModifierFlags(member) & hidden) === 0
}

function place(declaration: ts.Node, name: string): string {
  const file = declaration.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart(file))
  return `${relative(root, file.fileName)}:${line + 1} ${name}`
}
