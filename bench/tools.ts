/** What else is on the machine: servers in Go and Python, neutral clients. What is missing is left out, and said so. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, root } from './bundle.ts'
import { hasProgram } from './processes.ts'

const run = promisify(execFile)
const BUILD_MS = 600_000
const GHZ_VERSION = 'v0.121.0'
const GHZ = `github.com/bojand/ghz/cmd/ghz@${GHZ_VERSION}`

/** Paths of what there is. */
export interface Tools {
  go: string | undefined
  /** An interpreter that has grpcio. */
  python: string | undefined
  h2load: string | undefined
  ghz: string | undefined
  /** Of what there is, by its name. */
  versions: Record<string, string>
  /** Why something is not there. */
  missing: string[]
}

async function tried(
  missing: string[],
  name: string,
  find: () => Promise<string>,
): Promise<string | undefined> {
  try {
    return await find()
  } catch (error) {
    missing.push(`${name}: ${String((error as Error).message).split('\n')[0]}`)
    return undefined
  }
}

async function buildGo(): Promise<string> {
  if (!hasProgram('go')) throw new Error('go is not installed')
  const program = join(cacheFolder, 'go-peer')
  if (!existsSync(program)) process.stderr.write('building the Go server\n')
  mkdirSync(cacheFolder, { recursive: true })
  await run('go', ['build', '-o', program, '.'], { cwd: join(root, 'bench/peers/go'), timeout: BUILD_MS })
  return program
}

async function findGhz(): Promise<string> {
  const program = join(root, '.cache/bin/ghz')
  if (existsSync(program)) return program
  if (hasProgram('ghz')) return 'ghz'
  if (!hasProgram('go')) throw new Error('go, which builds it, is not installed')
  process.stderr.write('building ghz\n')
  await run('go', ['install', GHZ], {
    env: { ...process.env, GOBIN: join(root, '.cache/bin') },
    timeout: BUILD_MS,
  })
  return program
}

async function findPython(): Promise<string> {
  for (const interpreter of [join(root, '.cache/python/bin/python'), 'python3']) {
    try {
      await run(interpreter, ['-c', 'import grpc, google.protobuf'])
      return interpreter
    } catch {
      // the next one may have it
    }
  }
  throw new Error('no Python with grpcio; npm run interop makes one')
}

/** The first group of `pattern` in what a program prints. */
async function versionOf(file: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await run(file, args)
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown'
}

async function versionsOf({ go, python, h2load, ghz }: Omit<Tools, 'versions' | 'missing'>) {
  const versions: Record<string, string> = {}
  if (go !== undefined) {
    const module = readFileSync(join(root, 'bench/peers/go/go.mod'), 'utf8')
    versions['grpc-go'] = /google\.golang\.org\/grpc v(\S+)/.exec(module)?.[1] ?? 'unknown'
    versions.go = await versionOf('go', ['version'], /go(\d[\d.]*)/)
  }
  if (python !== undefined) {
    const print =
      'import grpc, platform; print(f"grpcio {grpc.__version__} python {platform.python_version()}")'
    const text = await versionOf(python, ['-c', print], /(grpcio .*)/)
    const [, grpcio = 'unknown', , version = 'unknown'] = text.split(' ')
    versions.grpcio = grpcio
    versions.python = version
  }
  if (h2load !== undefined) versions.h2load = await versionOf(h2load, ['--version'], /nghttp2\/(\S+)/)
  if (ghz !== undefined)
    versions.ghz = await versionOf(ghz, ['--version'], /v?(\d+\.\S+)/).catch(() => 'unknown')
  if (versions.ghz === 'unknown') versions.ghz = GHZ_VERSION.slice(1)
  return versions
}

/** Finds, and builds, what the named libraries and plans need. */
export async function findTools(needs: ReadonlySet<string>): Promise<Tools> {
  const missing: string[] = []
  const find = (name: string, how: () => Promise<string>) =>
    needs.has(name) ? tried(missing, name, how) : Promise.resolve(undefined)
  const tools = {
    go: await find('grpc-go', buildGo),
    python: await find('Python', findPython),
    h2load: await find('h2load', async () => {
      if (!hasProgram('h2load')) throw new Error('not installed (Debian package nghttp2-client)')
      return 'h2load'
    }),
    ghz: await find('ghz', findGhz),
  }
  return { ...tools, versions: await versionsOf(tools), missing }
}
