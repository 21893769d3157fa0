/**
 * The project's TypeScript sources and what each of them imports, read with TypeScript's own scanner, for the
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
  return ts.preProcessFile(text, true, false).importedFiles.map(({ fileName, pos }) => ({
    specifier: fileName,
    target: fileName.startsWith('.') ? relative(root, resolve(root, dirname(path), fileName)) : undefined,
    line: text.slice(0, pos).split('\n').length,
  }))
}
