/** The floors of ARCHITECTURE.md hold: imports go down or stay, never round in a circle, never outside unasked. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cycles, engineBreaches, floorBreaches, lowerFloors, outsideBreaches } from './floor-rules.ts'
import { readSources, root, type SourceFile } from './source-files.ts'

const sources = readSources('src')
const manifest: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

/** A made-up source file that imports the given specifiers, to show that the rules can fail. */
function sourceThatImports(path: string, ...targets: string[]): SourceFile {
  const imports = targets.map((target, index) => ({
    specifier: target.startsWith('src/') ? `./${target}` : target,
    target: target.startsWith('src/') ? target : undefined,
    line: index + 1,
  }))
  return { path, text: '', imports }
}

t.test('every floor is there', async (t) => {
  for (const floor of Object.keys(lowerFloors)) t.ok(existsSync(join(root, 'src', floor)), `src/${floor}`)
})

t.test('imports of all forms are read', async (t) => {
  const self = readSources('test/architecture').find(
    ({ path }) => path === 'test/architecture/floors.test.ts',
  )
  const specifiers = self?.imports.map(({ specifier }) => specifier)
  type Hidden = import('./source-files.ts').Import
  const { root: again } = await import('./source-files.ts')
  t.equal(again, root)
  t.match(specifiers, ['node:fs', 'node:path', 'tap', './floor-rules.ts', './source-files.ts'])
  const hidden: Hidden | undefined = self?.imports.at(-2)
  t.same(
    self?.imports.slice(-2).map(({ specifier }) => specifier),
    ['./source-files.ts', './source-files.ts'],
    'import() and import types',
  )
  t.ok(hidden !== undefined && hidden.line > 20, 'with their lines')
})

t.test('a floor imports itself and lower floors', async (t) => {
  t.strictSame(floorBreaches(sources), [])
  t.equal(floorBreaches([sourceThatImports('src/wire/a.ts', 'src/http2/b.ts')]).length, 1, 'wire -> http2')
  t.equal(floorBreaches([sourceThatImports('src/rpc/a.ts', 'src/cli/b.ts')]).length, 1, 'rpc -> cli')
  t.equal(
    floorBreaches([sourceThatImports('src/rpc/a.ts', 'src/index.ts')]).length,
    1,
    'rpc -> the top index',
  )
  t.equal(floorBreaches([sourceThatImports('src/odd/a.ts')]).length, 1, 'a folder that is no floor')
})

t.test('the engines do not import each other', async (t) => {
  t.strictSame(engineBreaches(sources), [])
  const [node, pure] = ['src/http2/node/a.ts', 'src/http2/pure/a.ts'] as const
  t.equal(engineBreaches([sourceThatImports(node, pure)]).length, 1)
  t.equal(engineBreaches([sourceThatImports(pure, node)]).length, 1)
  t.equal(engineBreaches([sourceThatImports(pure, pure, 'src/http2/peer.ts')]).length, 0)
  t.equal(engineBreaches([sourceThatImports('src/http2/index.ts', node, pure)]).length, 0)
})

t.test('what comes from outside is a run-time dependency, and only where its floor allows', async (t) => {
  const dependencies = Object.keys(manifest.dependencies)
  t.strictSame(outsideBreaches(sources, dependencies), [])
  t.equal(
    outsideBreaches([sourceThatImports('src/rpc/a.ts', 'tap')], dependencies).length,
    1,
    'a dev dependency',
  )
  t.equal(
    outsideBreaches([sourceThatImports('src/rpc/a.ts', 'net')], dependencies).length,
    1,
    'without node:',
  )
  t.equal(
    outsideBreaches([sourceThatImports('src/wire/a.ts', 'node:net')], dependencies).length,
    1,
    'a socket in wire',
  )
  t.equal(outsideBreaches([sourceThatImports('src/http2/pure/a.ts', 'node:http2')], dependencies).length, 1)
})

t.test('imports never come back to their start, types included', async (t) => {
  t.strictSame(cycles(sources), [])
  const loop = [
    sourceThatImports('src/wire/a.ts', 'src/wire/b.ts'),
    sourceThatImports('src/wire/b.ts', 'src/wire/c.ts'),
    sourceThatImports('src/wire/c.ts', 'src/wire/b.ts'),
  ]
  t.strictSame(cycles(loop), ['src/wire/b.ts -> src/wire/c.ts -> src/wire/b.ts'])
})
