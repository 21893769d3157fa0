/**
 * h2spec against the `pure` engine alone (three times: a race must not hide) and against `glass serve`, and h2specd
 * against its client. The last commit of h2spec is wanted; where the module proxy has tagged versions only, the last
 * of those runs, which lacks one case.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goTool, type Outcome, outcome, root, start, startServer } from '../../interop/toolchain.ts'
import { counted, type Suite } from './suite-result.ts'

const module = 'github.com/summerwind/h2spec/cmd'
const versions = ['af83a65', 'v2.2.1+incompatible']
const expected = { h2spec: 146, h2specd: 57 }
const caseTimeoutSeconds = '2'
const timeoutMs = 240_000
const repetitions = 3

function tool(name: keyof typeof expected): Promise<string> {
  return goTool(name, ...versions.map((version) => `${module}/${name}@${version}`))
}

/** The last line is `146 tests, 146 passed, 0 skipped, 0 failed`; a skipped case did not pass. */
function read({ output, errors }: Outcome, name: keyof typeof expected): Awaited<ReturnType<Suite['run']>> {
  const [, tests = '0', passed = '0'] = /^(\d+) tests, (\d+) passed/m.exec(output) ?? []
  return counted(Number(passed), Number(tests) - Number(passed), expected[name], output + errors)
}

async function h2spec(serverArgs: readonly string[]): ReturnType<Suite['run']> {
  const program = await tool('h2spec')
  const server = await startServer(process.execPath, ['--import=tsx', ...serverArgs])
  const port = server.address.slice(server.address.lastIndexOf(':') + 1)
  const flags = ['-h', '127.0.0.1', '-p', port, '-S', '-o', caseTimeoutSeconds]
  const result = await outcome(program, flags, timeoutMs)
  await server.stop()
  return read(result, 'h2spec')
}

/** h2specd takes a port for each case, counting up from a first one. */
async function freePorts(count: number): Promise<number> {
  for (let first = 20_000; first < 31_000; first += count) {
    const open = await Promise.all(Array.from({ length: count }, (_, index) => canListen(first + index)))
    if (open.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row`)
}

function canListen(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer()
    server.on('error', () => settle(false))
    server.listen(port, '127.0.0.1', () => server.close(() => settle(true)))
  })
}

async function h2specd(): ReturnType<Suite['run']> {
  const program = await tool('h2specd')
  const folder = mkdtempSync(join(tmpdir(), 'grpc-glass-'))
  const socket = join(folder, 'client.sock')
  const client = start(process.execPath, [
    '--import=tsx',
    join(import.meta.dirname, 'h2specd-client.ts'),
    socket,
  ])
  await new Promise<void>((ready, fail) => {
    client.stdout?.once('data', () => ready())
    client.once('close', (code) => fail(new Error(`h2specd-client.ts ended with code ${code}`)))
  })
  const first = await freePorts(2 * expected.h2specd)
  const command = `${process.execPath} ${join(import.meta.dirname, 'h2specd-request.js')} ${socket}`
  const flags = ['-h', '127.0.0.1', '-p', String(first), '-f', String(first + 1), '-o', '1', '-e', command]
  const result = await outcome(program, flags, timeoutMs)
  client.removeAllListeners('close').kill('SIGKILL')
  rmSync(folder, { recursive: true })
  return read(result, 'h2specd')
}

/** A suite on the `pure` engine: it is the one whose HTTP/2 is ours. */
function onPure(suite: string, run: Suite['run']): Suite {
  return { part: 'h2spec', suite, engine: 'pure', engines: ['pure'], run }
}

const bareServer = [join(import.meta.dirname, 'h2spec-server.ts')]
const glassServer = [
  join(root, 'src/cli/glass.ts'),
  'serve',
  '--engine',
  'pure',
  '--listen',
  '127.0.0.1:0',
  '--quiet',
]

/** All of them. */
export const h2specSuites: readonly Suite[] = [
  ...Array.from({ length: repetitions }, (_, index) =>
    onPure(`h2spec, engine alone, run ${index + 1}`, () => h2spec(bareServer)),
  ),
  onPure('h2spec, glass serve', () => h2spec(glassServer)),
  onPure('h2specd, engine alone', h2specd),
]
