/**
 * `npm run interop`: every client of the peers against every server it has something to say to, in the clear and
 * with TLS. Prints TAP with one subtest a pairing, and fails if a peer can't be had, a case fails or is missing.
 *
 * Options: `--engine node|pure` runs our side on one engine only.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { EngineName } from '../src/http2/transport.ts'
import { runGrpcurl } from './grpcurl.ts'
import { runHttp2Tools } from './http2-tools.ts'
import { readTap, type TapReport } from './tap-report.ts'
import {
  certificate,
  goProgram,
  outcome,
  python,
  pythonEnvironment,
  type RunningServer,
  root,
  startServer,
} from './toolchain.ts'

/** How one program of a peer is started. */
interface Program {
  file: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
}
interface Peer {
  name: string
  ours: boolean
  server: Program
  client: Program
  /** The server ends an expired call by RST_STREAM(CANCEL) on its own clock, not by a status. */
  resetsAtDeadline?: true
  /** What its client is told about such a server, if its own clock can come second. */
  clientFlagsForResets?: readonly string[]
}

const clientTimeoutMs = 120_000
const engines: readonly EngineName[] = ['node', 'pure']
const countries = ['--countries', join(root, 'interop/countries.json')]
const expectedCases: string[] = JSON.parse(readFileSync(join(root, 'interop/cases.json'), 'utf8'))

function ours(engine: EngineName): Peer {
  const program = (name: string): Program => ({
    file: process.execPath,
    args: ['--import=tsx', join(root, 'interop/node', name), '--engine', engine],
  })
  return { name: `ours on ${engine}`, ours: true, server: program('server.ts'), client: program('client.ts') }
}

async function goPeer(): Promise<Peer> {
  const [server, client] = [await goProgram('server'), await goProgram('client')]
  const program = (file: string): Program => ({ file, args: [] })
  return { name: 'Go', ours: false, server: program(server), client: program(client), resetsAtDeadline: true }
}

async function pythonPeer(): Promise<Peer> {
  const [file, env] = [await python(), await pythonEnvironment()]
  const program = (name: string): Program => ({ file, env, args: [join(root, 'interop/python', name)] })
  return {
    name: 'Python',
    ours: false,
    server: program('server.py'),
    client: program('client.py'),
    clientFlagsForResets: ['--server-resets-at-deadline'],
  }
}

/** One client against one server; returns the lines of its TAP and how many cases passed and failed. */
async function runPairing(
  client: Peer,
  server: Peer,
  running: RunningServer,
  tls: boolean,
  cert: string,
): Promise<TapReport> {
  const { file, args, env } = client.client
  const flags = ['--address', running.address, ...countries]
  if (server.resetsAtDeadline && client.clientFlagsForResets) flags.push(...client.clientFlagsForResets)
  const result = await outcome(
    file,
    [...args, ...flags, ...(tls ? ['--tls-ca', cert] : [])],
    clientTimeoutMs,
    env,
  )
  return readTap(result.output, expectedCases, `${result.errors}${running.errors()}`)
}

const { values: flags } = parseArgs({ options: { engine: { type: 'string' } } })
if (flags.engine !== undefined && !engines.some((name) => name === flags.engine)) {
  throw new Error(`--engine ${flags.engine}: there are ${engines.join(', ')}`)
}
const { cert, key } = await certificate()
const peers = [await goPeer(), await pythonPeer()]
for (const engine of engines)
  if (flags.engine === undefined || flags.engine === engine) peers.push(ours(engine))

let number = 0
const total = { passed: 0, failed: 0 }

/** Prints what a pairing came to. */
function tell(client: string, server: string, tls: boolean, report: TapReport): void {
  const name = `${client} client, ${server} server, ${tls ? 'TLS' : 'in the clear'}`
  total.passed += report.passed
  total.failed += report.failed
  console.log(`# Subtest: ${name}`)
  for (const line of report.lines) console.log(`    ${line}`)
  console.log(`${report.failed === 0 ? 'ok' : 'not ok'} ${++number} - ${name}`)
}

console.log('TAP version 14')
for (const tls of [false, true]) {
  for (const server of peers) {
    const { file, args, env } = server.server
    const running = await startServer(
      file,
      [...args, ...countries, ...(tls ? ['--tls-cert', cert, '--tls-key', key] : [])],
      env,
    )
    for (const client of peers) {
      // Our engines meet each other in `npm test`, and a peer needs no proof that it understands itself.
      if (client === server || (client.ours && server.ours)) continue
      tell(client.name, server.name, tls, await runPairing(client, server, running, tls, cert))
    }
    if (server.ours) {
      tell('grpcurl', server.name, tls, await runGrpcurl(running.address, tls ? cert : undefined))
      if (!tls) {
        const engine: EngineName = server.name.endsWith('pure') ? 'pure' : 'node'
        tell('HTTP/2 tools', server.name, tls, await runHttp2Tools(running.address, engine))
      }
    }
    await running.stop()
  }
}
console.log(`1..${number}\n# ${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
