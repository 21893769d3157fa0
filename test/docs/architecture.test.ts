/** ARCHITECTURE.md draws the code as it is: what it names is there, and no folder is left out. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { readSources } from '../architecture/source-files.ts'

const text = readFileSync('ARCHITECTURE.md', 'utf8')
const sources = readSources('src').map(({ path }) => path)

t.test('every path in the text exists', async (t) => {
  const paths = [...text.matchAll(/`((?:src|test|docs|examples|proto|interop|bench)\/[\w./-]*)`/g)].map(
    ([, path]) => path ?? '',
  )
  t.ok(paths.length > 15)
  for (const path of paths) t.ok(existsSync(path), path)
})

/** The paths of the map, which is drawn by indentation. */
function mapped(): string[] {
  const map = /## Where things are\n\n```\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  const folders: string[] = []
  const paths: string[] = []
  for (const line of map.trimEnd().split('\n')) {
    const depth = (line.length - line.trimStart().length) / 2
    const names = line.trim().split(/ {2,}/)[0] ?? ''
    for (const name of names.split(', ')) {
      const path = join(folders[depth - 1] ?? '', name)
      paths.push(path)
      if (name.endsWith('/')) folders[depth] = path
    }
  }
  return paths
}

t.test('every path of the map exists', async (t) => {
  t.ok(mapped().length > 60)
  for (const path of mapped()) t.ok(existsSync(path), path)
})

t.test('every folder of the sources is on the map', async (t) => {
  const folders = new Set(mapped().filter((path) => existsSync(path) && statSync(path).isDirectory()))
  const missing = new Set(sources.map(dirname).filter((path) => path !== 'src' && !folders.has(`${path}/`)))
  t.same([...missing], [])
})

t.test('every file in the picture of a call is on its floor', async (t) => {
  const picture = /```\n( CLIENT[\s\S]*?)```/.exec(text)?.[1] ?? ''
  let floor = ''
  for (const line of picture.split('\n')) {
    floor = /(src\/(?:rpc|http2\/pure|wire)) /.exec(line)?.[1] ?? floor
    for (const [name] of line.replace(/src\/\S+/g, '').matchAll(/[\w/-]+\.ts/g)) {
      const found = sources.some((path) => path.startsWith(`${floor}/`) && path.endsWith(`/${name}`))
      t.ok(found, `${name} in ${floor}`)
    }
  }
})
