/** Names and forms of source files: what a reader may rely on before opening one. */
import { basename } from 'node:path'
import t from 'tap'
import { readSources } from './source-files.ts'

const sources = readSources('src')
const everything = readSources('src', 'test', 'bench', 'examples', 'scripts', 'interop')

/** Kebab case, with the kind of a test file before the extension. */
const fileName = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?\.ts$/
/** Names that say nothing of what is inside. */
const emptyName = /^(utils?|helpers?|managers?|common|misc|shared|stuff)(\.|-|$)|-(utils?|helpers?|manager)\./

/** Paths for which the check fails. */
function failing(files: typeof sources, isFine: (file: (typeof sources)[number]) => boolean): string[] {
  return files.filter((file) => !isFine(file)).map(({ path }) => path)
}

t.test('files are named after the thing inside, in kebab case', async (t) => {
  t.strictSame(
    failing(everything, ({ path }) => fileName.test(basename(path)) && !emptyName.test(basename(path))),
    [],
  )
  t.notMatch('OctetWriter.ts', fileName)
  t.match('frame-utils.ts', emptyName)
})

t.test(
  'every source file opens with a comment: what it is, which sections, what it does not do',
  async (t) => {
    t.strictSame(
      failing(sources, ({ text }) => /^(#!.*\n)?(\/\*\*|\/\/)/.test(text)),
      [],
    )
  },
)

t.test('relative imports name the file as it is on disk, with .ts', async (t) => {
  t.strictSame(
    failing(everything, ({ imports }) =>
      imports.every(({ specifier, target }) => target === undefined || /\.(ts|json)$/.test(specifier)),
    ),
    [],
  )
})

t.test('exports have names, and nothing re-exports a whole module unseen', async (t) => {
  t.strictSame(
    failing(sources, ({ text }) => !/^export default\b/m.test(text)),
    [],
  )
  // The main entry point is the rpc floor's index and little more.
  const listing = sources.filter(({ path }) => path !== 'src/index.ts')
  t.strictSame(
    failing(listing, ({ text }) => !/^export \* from\b/m.test(text)),
    [],
  )
})
