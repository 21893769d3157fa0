/**
 * Fails when the tests reach too few lines of the floors that must be covered. Run it after `npm test`: it reads
 * the V8 coverage that tap left in `.tap/coverage`, and counts lines with code on them only, so that comments and
 * types make no figure look better. Lines of files that no test loads count as not reached.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { mergeProcessCovs, type ProcessCoverage } from '@bcoe/v8-coverage'
import ts from 'typescript'
import v8ToIstanbul from 'v8-to-istanbul'

/** Folders and the least share of their lines that tests must reach, in percent. */
const required: Readonly<Record<string, number>> = { 'src/wire': 95, 'src/rpc': 95 }
/** Shown for information. */
const shown = ['src/http2', 'src/inspect', 'src/cli']

type ScriptCoverage = ProcessCoverage['result'][number]

/** What Node.js keeps of a transformed script: the lengths of its lines, and its source map. */
interface CachedMap {
  lineLengths: readonly number[]
  data: { sources: string[]; sourcesContent?: (string | null)[] }
}
interface CoverageFile extends ProcessCoverage {
  'source-map-cache'?: Record<string, CachedMap>
}

const root = resolve(import.meta.dirname, '..')
const coverageFolder = join(root, '.tap/coverage')

/** Reads the coverage of every process, keeping sources of this project only. */
function readCoverage(): { scripts: ScriptCoverage[]; maps: Map<string, CachedMap> } {
  const maps = new Map<string, CachedMap>()
  const processes: ProcessCoverage[] = []
  const prefix = pathToFileURL(join(root, 'src/')).href
  for (const name of readdirSync(coverageFolder)) {
    const file: CoverageFile = JSON.parse(readFileSync(join(coverageFolder, name), 'utf8'))
    for (const [url, map] of Object.entries(file['source-map-cache'] ?? {})) {
      if (url.startsWith(prefix)) maps.set(url, map)
    }
    processes.push({ result: file.result.filter(({ url }) => url.startsWith(prefix) && url.endsWith('.ts')) })
  }
  return { scripts: mergeProcessCovs(processes).result, maps }
}

/** The lines of one script that ran, by their numbers in the source. */
async function linesReached(script: ScriptCoverage, map: CachedMap | undefined): Promise<Set<number>> {
  const path = fileURLToPath(script.url)
  const original = readFileSync(path, 'utf8')
  // tsx leaves the content out of its maps (`[null]`), and the conversion would take the null for an empty file.
  const sources =
    map === undefined
      ? undefined
      : {
          source: map.lineLengths.map((length) => '.'.repeat(length)).join('\n'),
          originalSource: original,
          sourceMap: { sourcemap: { ...map.data, sourcesContent: [original] } as never },
        }
  const converter = v8ToIstanbul(path, 0, sources)
  await converter.load()
  converter.applyCoverage(script.functions)
  const reached = new Set<number>()
  const data = converter.toIstanbul()[path]
  for (const [index, { start }] of Object.entries(data?.statementMap ?? {})) {
    if ((data?.s[index] ?? 0) > 0) reached.add(start.line)
  }
  return reached
}

/** The lines on which a statement, a member with a body or value, or an expression of its own begins. */
function linesWithCode(text: string): Set<number> {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true)
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (isOnlyTypes(node)) return
    if (ts.isStatement(node) ? !ts.isBlock(node) : ts.isExpression(node) || ts.isClassElement(node)) {
      lines.add(file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1)
    }
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(file, visit)
  return lines
}

function isOnlyTypes(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true
  if (ts.isFunctionLike(node) && 'body' in node && node.body === undefined) return true
  if (ts.isPropertyDeclaration(node) && node.initializer === undefined) return true
  return (
    ts.canHaveModifiers(node) &&
    (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Ambient) !== 0
  )
}

/** Lines with code and lines reached, of one file. */
interface FileLines {
  path: string
  code: number
  missed: number[]
}

async function measure(): Promise<FileLines[]> {
  const { scripts, maps } = readCoverage()
  const reached = new Map<string, Set<number>>()
  for (const script of scripts) {
    reached.set(fileURLToPath(script.url), await linesReached(script, maps.get(script.url)))
  }
  return ts.sys.readDirectory(join(root, 'src'), ['.ts']).map((path) => {
    const code = [...linesWithCode(readFileSync(path, 'utf8'))]
    const missed = code.filter((line) => reached.get(path)?.has(line) !== true)
    return { path: relative(root, path), code: code.length, missed: missed.sort((a, b) => a - b) }
  })
}

function report(files: readonly FileLines[]): boolean {
  let failed = false
  for (const folder of [...Object.keys(required), ...shown]) {
    const inFolder = files.filter(({ path }) => path.startsWith(`${folder}/`))
    const code = inFolder.reduce((sum, file) => sum + file.code, 0)
    const missed = inFolder.reduce((sum, file) => sum + file.missed.length, 0)
    const percent = code === 0 ? 0 : (100 * (code - missed)) / code
    const atLeast = required[folder]
    const verdict =
      atLeast === undefined
        ? ''
        : percent >= atLeast
          ? `, at least ${atLeast} % asked: ok`
          : `, at least ${atLeast} % asked: FAILED`
    if (atLeast !== undefined && percent < atLeast) failed = true
    console.log(`${folder}: ${percent.toFixed(1)} % of ${code} lines${verdict}`)
    for (const file of inFolder) {
      if (file.missed.length > 0 && (atLeast !== undefined || process.argv.includes('--all'))) {
        console.log(
          `  ${file.path}: not reached ${file.missed.length} of ${file.code}: ${ranges(file.missed)}`,
        )
      }
    }
  }
  return failed
}

/** `1-3, 7` for 1, 2, 3, 7. */
function ranges(lines: readonly number[]): string {
  const parts: [number, number][] = []
  for (const line of lines) {
    const last = parts.at(-1)
    if (last !== undefined && line === last[1] + 1) last[1] = line
    else parts.push([line, line])
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

if (!existsSync(coverageFolder)) {
  console.error('No coverage found in .tap/coverage: run `npm test` first.')
  process.exit(2)
}
if (report(await measure())) process.exitCode = 1
