/**
 * The rules of the house as functions on source files: which floor may import which, what comes from outside,
 * and that imports run in one direction only. Each returns its breaches as lines of text.
 */
import { builtinModules } from 'node:module'
import type { SourceFile } from './source-files.ts'

/** What each folder of `src` may import besides itself: the floors of ARCHITECTURE.md. */
export const lowerFloors: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  http2: ['wire'],
  rpc: ['wire', 'http2'],
  inspect: ['wire', 'http2', 'rpc'],
  cli: ['wire', 'http2', 'rpc', 'inspect'],
}

/** Node's modules and packages that only some files may use, because a floor promises to do without them. */
export const reserved: readonly { module: RegExp; files: RegExp; why: string }[] = [
  { module: /^node:/, files: /^src\/(?!wire\/)/, why: 'src/wire is pure functions on octets' },
  { module: /^protobufjs/, files: /^src\/(rpc|inspect|cli)\//, why: 'messages belong to src/rpc' },
  { module: /^commander$/, files: /^src\/cli\//, why: 'only the command line reads arguments' },
  { module: /^node:http2$/, files: /^src\/http2\/node\//, why: 'only the node engine sits on node:http2' },
  {
    module: /^node:(net|tls)$/,
    files: /^src\/(http2|inspect|cli)\/|^src\/rpc\/resolver\.ts$/,
    why: 'src/rpc knows no sockets; its resolver asks isIP',
  },
]

/** The floor of a path: `wire` for `src/wire/octets.ts`, `index` for `src/index.ts`. */
export function floorOf(path: string): string {
  const [, second = ''] = path.split('/')
  return second.endsWith('.ts') ? second.slice(0, -'.ts'.length) : second
}

/** Imports that climb to a higher floor or leave `src`. */
export function floorBreaches(sources: readonly SourceFile[]): string[] {
  const breaches: string[] = []
  for (const { path, imports } of sources) {
    const floor = floorOf(path)
    const allowed = floor === 'index' ? Object.keys(lowerFloors) : [floor, ...(lowerFloors[floor] ?? [])]
    if (floor !== 'index' && lowerFloors[floor] === undefined) breaches.push(`${path}: ${floor} is no floor`)
    for (const { target, line } of imports) {
      if (target === undefined) continue
      if (target.startsWith('src/') && target.split('/').length > 2 && allowed.includes(floorOf(target)))
        continue
      breaches.push(`${path}:${line} imports ${target}; ${floor} may import ${allowed.join(', ')}`)
    }
  }
  return breaches
}

/** The two engines, which must not know each other: what both need lies beside them in `src/http2`. */
const engine = /^src\/http2\/(node|pure)\//

/** Imports from one engine into the other. */
export function engineBreaches(sources: readonly SourceFile[]): string[] {
  const breaches: string[] = []
  for (const { path, imports } of sources) {
    const own = engine.exec(path)?.[1]
    if (own === undefined) continue
    for (const { target = '', line } of imports) {
      const other = engine.exec(target)?.[1]
      if (other !== undefined && other !== own) breaches.push(`${path}:${line} imports ${target}`)
    }
  }
  return breaches
}

/** Imports of packages that are no run-time dependency, and of modules reserved for other files. */
export function outsideBreaches(sources: readonly SourceFile[], dependencies: readonly string[]): string[] {
  const breaches: string[] = []
  for (const { path, imports } of sources) {
    for (const { specifier, target, line } of imports) {
      if (target !== undefined) continue
      const rule = reserved.find(({ module, files }) => module.test(specifier) && !files.test(path))
      if (rule !== undefined) breaches.push(`${path}:${line} imports ${specifier}; ${rule.why}`)
      if (!isDeclared(specifier, dependencies)) {
        breaches.push(`${path}:${line} imports ${specifier}, which is no run-time dependency`)
      }
    }
  }
  return breaches
}

function isDeclared(specifier: string, dependencies: readonly string[]): boolean {
  if (specifier.startsWith('node:')) return builtinModules.includes(specifier.slice('node:'.length))
  return dependencies.some((name) => specifier === name || specifier.startsWith(`${name}/`))
}

/** Chains of imports that come back to their start, types included, as `a.ts -> b.ts -> a.ts`. */
export function cycles(sources: readonly SourceFile[]): string[] {
  const targets = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, chain: readonly string[]): void => {
    const start = chain.indexOf(path)
    if (start >= 0) found.push([...chain.slice(start), path].join(' -> '))
    if (start >= 0 || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...chain, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return found
}
