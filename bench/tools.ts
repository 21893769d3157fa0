/** What else is on the machine: servers in Go and Python, neutral clients. What is missing is left out, and said so. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, root } from './bundle.ts'
import { hasProgram } from './processes.ts'

const run = promisify(execFile)
const BUILD_MS = 600_000
const GHZ = 'github.com/bojand/ghz/cmd/ghz@v0.121.0'

/** Paths of what there is. */
export interface Tools {
  go: string | undefined
  /** An interpreter that has grpcio. */
  python: string | undefined
  h2load: string | undefined
  ghz: string | undefined
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
  mkdirSync(cacheFolder, { recursive: true })
  await run('go', ['build', '-o', program, '.'], { cwd: join(root, 'bench/peers/go'), timeout: BUILD_MS })
  return program
}

async function findGhz(): Promise<string> {
  const program = join(root, '.cache/bin/ghz')
  if (existsSync(program)) return program
  if (hasProgram('ghz')) return 'ghz'
  if (!hasProgram('go')) throw new Error('go, which builds it, is not installed')
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

/** Finds, and builds, what the named libraries and plans need. */
export async function findTools(needs: ReadonlySet<string>): Promise<Tools> {
  const missing: string[] = []
  const find = (name: string, how: () => Promise<string>) =>
    needs.has(name) ? tried(missing, name, how) : Promise.resolve(undefined)
  return {
    go: await find('grpc-go', buildGo),
    python: await find('Python', findPython),
    h2load: await find('h2load', async () => {
      if (!hasProgram('h2load')) throw new Error('not installed (Debian package nghttp2-client)')
      return 'h2load'
    }),
    ghz: await find('ghz', findGhz),
    missing,
  }
}
