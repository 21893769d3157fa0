/**
 * Fetches and builds the tools and peers of other languages that `npm run interop` and `npm run conformance` use,
 * once, into `.cache`, and starts programs so that none outlives the run. It fetches by package name and version
 * from Go's module proxy and from PyPI, and fails if it can't.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export const root = resolve(import.meta.dirname, '..')
export const cache = join(root, '.cache')
const goModule = join(root, 'interop/go')
const goPrograms = join(cache, 'go')
const generatedPython = join(cache, 'python-generated')
const venv = join(cache, 'python')
const requirements = join(root, 'interop/python/requirements.txt')
/** Services that the peers of both languages serve; grpc-go brings the code of `interop.proto` along. */
const protos = ['helloworld.proto', 'countries.proto']
const pythonProtos = [...protos, 'interop.proto']
const buildTimeoutMs = 900_000
const startTimeoutMs = 30_000
const certificateDays = 30

const execute = promisify(execFile)

/** Runs a program to its end and returns its standard output. @throws Error with both outputs if it fails */
export async function run(
  file: string,
  args: readonly string[],
  cwd = root,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, timeout: buildTimeoutMs, maxBuffer: 1 << 26 }
    return (await execute(file, args, options)).stdout
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string }
    throw new Error(`${message}\n${stdout}${stderr}`)
  }
}

/** Does the work if its output is missing, or its inputs (files, or texts) have changed since. */
async function once(
  name: string,
  inputs: readonly string[],
  output: string,
  work: () => Promise<void>,
): Promise<void> {
  const stamp = join(cache, `${name}.stamp`)
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(existsSync(input) ? readFileSync(input) : input)
  const digest = hash.digest('hex')
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  mkdirSync(cache, { recursive: true })
  await work()
  writeFileSync(stamp, digest)
}

/** A Python with grpcio and what goes with it, in an environment of its own; returns the interpreter. */
export async function python(): Promise<string> {
  const interpreter = join(venv, 'bin/python')
  await once('python', [requirements], interpreter, async () => {
    await run('python3', ['-m', 'venv', '--clear', venv])
    await run(interpreter, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      requirements,
    ])
  })
  return interpreter
}

/** Runs the protocol compiler that comes with grpcio-tools. */
async function protoc(...args: string[]): Promise<void> {
  await run(await python(), ['-m', 'grpc_tools.protoc', ...args])
}

const protoFiles = pythonProtos.map((name) => join(root, 'proto', name))

/** Environment in which the Python peers find the generated code. */
export async function pythonEnvironment(): Promise<NodeJS.ProcessEnv> {
  await once('python-generated', [...protoFiles, requirements], generatedPython, async () => {
    mkdirSync(generatedPython, { recursive: true })
    const out = [`--python_out=${generatedPython}`, `--grpc_python_out=${generatedPython}`]
    await protoc(`-I${join(root, 'proto')}`, ...out, ...pythonProtos)
  })
  return { PYTHONPATH: generatedPython, PYTHONDONTWRITEBYTECODE: '1' }
}

/** Generates Go code beside the Go peers; it is not kept in the repository. */
async function generateGo(): Promise<void> {
  const generated = join(goModule, 'gen')
  await once('go-generated', [...protoFiles, join(goModule, 'go.mod')], generated, async () => {
    mkdirSync(generated, { recursive: true })
    const args = [`-I${join(root, 'proto')}`]
    for (const [name, plugin] of [
      ['go', 'google.golang.org/protobuf/cmd/protoc-gen-go'],
      ['go-grpc', 'google.golang.org/grpc/cmd/protoc-gen-go-grpc'],
    ] as const) {
      const program = join(goPrograms, `protoc-gen-${name}`)
      await run('go', ['build', '-o', program, plugin], goModule)
      args.push(`--plugin=protoc-gen-${name}=${program}`, `--${name}_out=${generated}`)
      args.push(`--${name}_opt=module=grpc-glass/interop/gen`)
      for (const proto of protos) {
        args.push(`--${name}_opt=M${proto}=grpc-glass/interop/gen/${proto.replace('.proto', '')}`)
      }
    }
    await protoc(...args, ...protos)
  })
}

/** Programs of the Go module: ours by folder, those of the modules it requires by their path. */
const goPackages = {
  server: './server',
  client: './client',
  'interop-server': './interop-server',
  'interop-client': 'google.golang.org/grpc/interop/client',
} as const

/** Builds one of the Go programs and returns its path; Go itself skips what is built already. */
export async function goProgram(name: keyof typeof goPackages): Promise<string> {
  if (!goPackages[name].startsWith('google')) await generateGo()
  const program = join(goPrograms, name)
  await run('go', ['build', '-o', program, goPackages[name]], goModule)
  return program
}

/**
 * Installs a program of another Go module in a fixed version and returns its path.
 *
 * @param pathsAtVersion `path@version`, the wanted one first; further ones are taken if the proxy lacks it
 */
export async function goTool(name: string, ...pathsAtVersion: readonly string[]): Promise<string> {
  const tools = join(cache, 'bin')
  await once(`bin-${name}`, pathsAtVersion, join(tools, name), async () => {
    const failures: string[] = []
    for (const path of pathsAtVersion) {
      try {
        await run('go', ['install', path], root, { GOBIN: tools })
        return
      } catch (error) {
        failures.push(String(error))
      }
    }
    throw new Error(failures.join('\n'))
  })
  return join(tools, name)
}

/** Folder of a Go module's source, fetched if needed. */
export async function goModuleFolder(pathAtVersion: string): Promise<string> {
  const answer: { Dir: string } = JSON.parse(
    await run('go', ['mod', 'download', '-json', pathAtVersion], goModule),
  )
  return answer.Dir
}

/** Files of a certificate for localhost that is its own root. */
export interface CertificateFiles {
  cert: string
  key: string
}

/** A certificate for `localhost`, `127.0.0.1` and gRPC's test name, made anew when the old one comes of age. */
export async function certificate(): Promise<CertificateFiles> {
  const folder = join(cache, 'tls')
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const isFresh =
    existsSync(files.cert) && Date.now() - statSync(files.cert).mtimeMs < (certificateDays / 2) * 86_400_000
  if (isFresh) return files
  mkdirSync(folder, { recursive: true })
  const generator = join(
    (await run('go', ['env', 'GOROOT'], goModule)).trim(),
    'src/crypto/tls/generate_cert.go',
  )
  const hosts = 'localhost,127.0.0.1,foo.test.google.fr'
  await run(
    'go',
    [
      'run',
      generator,
      '--ca',
      '--ecdsa-curve=P256',
      `--host=${hosts}`,
      `--duration=${certificateDays * 24}h`,
    ],
    folder,
  )
  return files
}

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Starts a program; it is killed when this process exits. */
export function start(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.on('close', () => children.delete(child))
  return child
}

/** What a program wrote and how it ended. */
export interface Outcome {
  /** Undefined if a signal or the time limit ended it. */
  code: number | undefined
  output: string
  errors: string
}

/** Runs a program that may fail, for at most `timeoutMs`. */
export function outcome(
  file: string,
  args: readonly string[],
  timeoutMs: number,
  env?: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const child = start(file, args, env)
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((settle) => {
    child.on('error', (error) => {
      errors += error.message
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      settle({ code: code ?? undefined, output, errors })
    })
  })
}

/** A server in a process of its own. */
export interface RunningServer {
  /** As in `127.0.0.1:50051`. */
  address: string
  /** What it has written to its standard error. */
  errors(): string
  /** Ends the process and waits for that. */
  stop(): Promise<void>
}

/** Starts a program that says `listening ADDRESS` once it does. */
export async function startServer(
  file: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<RunningServer> {
  const child = start(file, args, env)
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const closed = new Promise<void>((settle) => child.on('close', () => settle()))
  const address = await new Promise<string>((settle, fail) => {
    const failed = (reason: string): void => fail(new Error(`${file} ${args.join(' ')} ${reason}\n${errors}`))
    const timer = setTimeout(() => failed('does not listen'), startTimeoutMs)
    child.on('error', (error) => failed(error.message))
    child.on('close', (code) => failed(`ended with code ${code}`))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const match = /\blistening (?:on )?(\S+:\d+)/.exec(line)
      if (match === null) return
      clearTimeout(timer)
      settle(match[1]!)
    })
  })
  return {
    address,
    errors: () => errors,
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await closed
      clearTimeout(timer)
    },
  }
}
