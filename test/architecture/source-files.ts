/**
 * The project's TypeScript sources and what each of them imports, read with TypeScript's own parser, for the
 * architecture tests. It knows nothing about the rules.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The folder that holds package.json. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** One import or re-export of a source file. */
export interface Import {
  /** As written, for example `../octets.ts` or `node:net`. */
  readonly specifier: string
  /** Path from the root for a relative specifier, for example `src/wire/octets.ts`; otherwise undefined. */
  readonly target: string | undefined
  readonly line: number
}

/** One source file. */
export interface SourceFile {
  /** From the root, for example `src/wire/octets.ts`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

/** Reads every TypeScript file of the folders (from the root), in order of path. */
export function readSources(...folders: string[]): SourceFile[] {
  const paths = folders.flatMap((folder) => ts.sys.readDirectory(join(root, folder), ['.ts']))
  return paths
    .map((path) => relative(root, path))
    .sort()
    .map(readSource)
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, imports: readImports(path, text) }
}

/** Imports of all forms: `import`, `export … from`, `import()` and `import('…').Type`. */
function readImports(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) {
      imports.push({
        specifier,
        target: specifier.startsWith('.')
          ? relative(root, resolve(root, dirname(path), specifier))
          : undefined,
        line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1,
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return imports
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  ) {
    return node.argument.literal.text
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments
    return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : undefined
  }
  return undefined
}
