/**
 * The published package: what the tarball holds, and that an empty folder with nothing but the tarball can use
 * it from modules, from CommonJS and from TypeScript.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSources, root } from './source-files.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entryPoints = Object.keys(manifest.exports).filter((path) => path !== './package.json')
const tool = (name: string): string => join(root, 'node_modules/.bin', name)

/** Without what makes this process, and every Node.js below it, measure coverage. */
const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env

/** Runs a program and returns its standard output; a failure carries both outputs in its message. */
function run(cwd: string, file: string, ...args: string[]): string {
  try {
    return execFileSync(file, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${file} ${args.join(' ')} failed\n${stdout}${stderr}`)
  }
}

/** Builds and packs a copy of the package, so that the work tree stays as it is; returns the tarball's path. */
function pack(folder: string): string {
  const made = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/compile.ts']
  for (const path of [...manifest.files, ...made]) {
    if (path !== 'dist') cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [packed] = JSON.parse(run(folder, 'npm', 'pack', '--json', '--loglevel=error').replace(/^[^[]*/, ''))
  return join(folder, packed.filename)
}

/** Installs the tarball into an empty folder, with Node's types as a TypeScript user has them. */
function install(folder: string, tarball: string): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  const types = `@types/node@${manifest.devDependencies['@types/node']}`
  run(
    folder,
    'npm',
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    tarball,
    types,
  )
}

// Outside the project, so that nothing is found in the project's own node_modules.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'grpc-glass-')))
t.teardown(() => rmSync(folder, { recursive: true }))
for (const name of ['package', 'user']) mkdirSync(join(folder, name))
const tarball = pack(join(folder, 'package'))
const user = join(folder, 'user')
install(user, tarball)

t.test('the tarball holds what a user needs and nothing else', async (t) => {
  const paths = run(folder, 'tar', '-tzf', tarball).trim().split('\n')
  const files = new Set(paths.map((path) => path.replace(/^package\//, '')))
  const allowed =
    /^(dist\/.*\.(js|d\.ts)(\.map)?|src\/.*\.ts|proto\/.*\.proto|LICENSE|README\.md|CHANGELOG\.md|package\.json)$/
  t.strictSame(
    [...files].filter((path) => !allowed.test(path)),
    [],
  )
  const declared = readSources('src').flatMap(({ path }) => {
    const name = path.replace(/^src/, 'dist').replace(/\.ts$/, '')
    return [`${name}.d.ts`, `${name}.d.ts.map`]
  })
  t.strictSame(
    declared.filter((path) => !files.has(path)),
    [],
    'every source has its declarations',
  )
  const compiled = [...files].filter((path) => path.endsWith('.js'))
  t.ok(compiled.length < 20, `a first call loads few files, of ${compiled.length}`)
  t.strictSame(
    compiled.filter((path) => !files.has(`${path}.map`)),
    [],
    'and each has its map',
  )
})

t.test('publint and attw find nothing', async (t) => {
  t.match(run(root, tool('publint'), 'run', tarball, '--strict'), /All good!/)
  // Exit code 0 is checked by `run`; ES modules only, so resolutions that know none are left out by the profile.
  const report = run(root, tool('attw'), tarball, '--profile', 'esm-only', '--no-color')
  for (const resolution of ['node16 (from ESM): 🟢', 'bundler: 🟢']) {
    t.equal(report.split(resolution).length - 1, Object.keys(manifest.exports).length, resolution)
  }
})

t.test('every entry point loads as a module and through require', async (t) => {
  const names = entryPoints.map((path) => path.replace('.', manifest.name))
  /** What each entry point exports, with `load` as the expression that loads `name`. */
  const exportsBy = (type: string, load: string): Record<string, string[]> => {
    const source = `const found = {}
      for (const name of ${JSON.stringify(names)}) found[name] = Object.keys(${load}).filter((key) => key !== '__esModule').sort()
      console.log(JSON.stringify(found))`
    return JSON.parse(run(user, process.execPath, `--input-type=${type}`, '-e', source))
  }
  const imported = exportsBy('module', 'await import(name)')
  for (const name of names) t.ok(imported[name]?.length, `${name} exports something`)
  t.strictSame(exportsBy('commonjs', 'require(name)'), imported)
  const misnamed = `const found = []
    for (const name of ${JSON.stringify(names)})
      for (const [key, value] of Object.entries(await import(name)))
        if (typeof value === 'function' && value.name !== key) found.push(key + ' is called ' + value.name)
    console.log(JSON.stringify(found))`
  t.strictSame(JSON.parse(run(user, process.execPath, '--input-type=module', '-e', misnamed)), [])
})

t.test('a call works with the installed package', async (t) => {
  writeFileSync(join(user, 'call.mjs'), callSource)
  t.equal(run(user, process.execPath, 'call.mjs'), 'node Hello world\npure Hello world\n')
})

t.test('the declarations resolve, under both ways of resolving modules', async (t) => {
  mkdirSync(join(user, 'types'))
  writeFileSync(join(user, 'types/use.ts'), typedSource)
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ] as const) {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: module === 'ESNext',
    }
    const config = join(user, `tsconfig.${module}.json`)
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['types/use.ts'] }))
    t.equal(run(user, tool('tsc'), '-p', config), '', module)
  }
})

t.test('the command is installed', async (t) => {
  t.equal(run(user, join(user, 'node_modules/.bin/glass'), '--version').trim(), manifest.version)
})

const callSource = `
import { connect, loadProto, Server } from 'grpc-glass'
const { helloworld } = await loadProto('node_modules/grpc-glass/proto/helloworld.proto')
for (const engine of ['node', 'pure']) {
  const server = new Server({ engine })
  server.add(helloworld.Greeter, { async sayHello(request) { return { message: 'Hello ' + request.name } } })
  const address = await server.listen('127.0.0.1:0')
  const channel = connect(address, { engine })
  const reply = await channel.client(helloworld.Greeter).sayHello({ name: 'world' })
  console.log(engine, reply.message)
  await channel.close()
  await server.close()
}
`

const typedSource = `
import { connect, Server, StatusError } from 'grpc-glass'
import { errorCodeName, WireError } from 'grpc-glass/wire'
import type { Http2Engine, StreamListener } from 'grpc-glass/http2'
import type { Method, Service } from 'grpc-glass/rpc'
const name: string = errorCodeName(0)
const method = undefined as unknown as Method<{ name: string }, { message: string }, false, false>
const listener = undefined as unknown as StreamListener
const engine = undefined as unknown as Http2Engine
const service = undefined as unknown as Service<{ sayHello: typeof method }>
const path: string = method.path
const ended: void = listener.onEnd()
const engineName: 'node' | 'pure' = engine.name
// @ts-expect-error a method has no such field
method.nonsense
console.log(name, path, ended, engineName, service.name, connect, Server, StatusError, WireError)
`
