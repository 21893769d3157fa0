/**
 * gRPC's official interoperability cases: our client with grpc-go's server, grpc-go's and grpcio's clients with our
 * server, and ours with ours (where compression can be seen from both ends), in the clear and with TLS.
 */
import { join } from 'node:path'
import { readTap } from '../../../interop/tap-report.ts'
import {
  certificate,
  goProgram,
  outcome,
  python,
  pythonEnvironment,
  type RunningServer,
  root,
  startServer,
} from '../../../interop/toolchain.ts'
import type { EngineName } from '../../../src/http2/transport.ts'
import { counted, engines, type Suite } from '../suite-result.ts'

const plainCases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'custom_metadata',
  'status_code_and_message',
  'special_status_message',
  'unimplemented_method',
  'unimplemented_service',
  'cancel_after_begin',
  'cancel_after_first_response',
  'timeout_on_sleeping_server',
]
const compressionCases = [
  'client_compressed_unary',
  'server_compressed_unary',
  'client_compressed_streaming',
  'server_compressed_streaming',
]
const soakCases = ['rpc_soak', 'channel_soak']
const soakIterations = '1000'
const soakSeconds = '120'
const clientTimeoutMs = 240_000

/** Runs a client against a server; `tls` as in the flags of all programs here. */
type Pairing = (engine: EngineName, tls: boolean) => ReturnType<Suite['run']>

async function ourServer(engine: EngineName, tls: boolean): Promise<RunningServer> {
  const glass = ['--import=tsx', join(root, 'src/cli/glass.ts'), 'serve', '--interop', '--quiet']
  const flags = ['--engine', engine, '--listen', '127.0.0.1:0', ...(await serverTls(tls))]
  return startServer(process.execPath, [...glass, ...flags])
}

async function goServer(tls: boolean): Promise<RunningServer> {
  return startServer(await goProgram('interop-server'), await serverTls(tls))
}

async function serverTls(tls: boolean): Promise<string[]> {
  const { cert, key } = await certificate()
  return tls ? ['--tls-cert', cert, '--tls-key', key] : []
}

async function clientTls(tls: boolean): Promise<string[]> {
  return tls ? ['--tls-ca', (await certificate()).cert] : []
}

/** Runs a client that prints TAP. */
async function runTap(
  server: RunningServer,
  command: readonly string[],
  cases: readonly string[],
  env?: NodeJS.ProcessEnv,
): ReturnType<Suite['run']> {
  const [file = '', ...args] = command
  const { output, errors } = await outcome(file, [...args, '--address', server.address], clientTimeoutMs, env)
  await server.stop()
  const report = readTap(output, cases, errors + server.errors())
  return counted(report.passed, report.failed, cases.length, report.lines.join('\n'))
}

async function runOurs(
  server: RunningServer,
  engine: EngineName,
  tls: boolean,
  cases: readonly string[],
): ReturnType<Suite['run']> {
  const program = join(import.meta.dirname, 'client.ts')
  const flags = cases.flatMap((name) => ['--case', name])
  const soak = ['--soak-iterations', soakIterations]
  const command = [process.execPath, '--import=tsx', program, '--engine', engine, ...flags, ...soak]
  return runTap(server, [...command, ...(await clientTls(tls))], cases)
}

const ourClientOnGo: Pairing = async (engine, tls) =>
  runOurs(await goServer(tls), engine, tls, [...plainCases, ...soakCases])

const ourClientOnOurs: Pairing = async (engine, tls) =>
  runOurs(await ourServer(engine, tls), engine, tls, [...plainCases, ...compressionCases, ...soakCases])

const pythonClientOnOurs: Pairing = async (engine, tls) => {
  const command = [await python(), join(root, 'interop/python/interop_client.py'), ...(await clientTls(tls))]
  const cases = [...plainCases, ...compressionCases]
  return runTap(await ourServer(engine, tls), command, cases, await pythonEnvironment())
}

/** grpc-go's client runs one case and tells by its exit code. */
const goClientOnOurs: Pairing = async (engine, tls) => {
  const program = await goProgram('interop-client')
  const server = await ourServer(engine, tls)
  const [host = '', port = ''] = server.address.split(':')
  const { cert } = await certificate()
  const flags = ['-server_host', host, '-server_port', port]
  if (tls) flags.push('-use_tls', '-use_test_ca', '-ca_file', cert)
  const soak = ['-soak_iterations', soakIterations, '-soak_overall_timeout_seconds', soakSeconds]
  const cases = [...plainCases, ...soakCases]
  const failures: string[] = []
  for (const name of cases) {
    const { code, errors } = await outcome(program, [...flags, ...soak, '-test_case', name], clientTimeoutMs)
    if (code !== 0) failures.push(`${name}: exit code ${code}\n${errors}`)
  }
  await server.stop()
  const report = failures.join('\n') + server.errors()
  return counted(cases.length - failures.length, failures.length, cases.length, report)
}

const pairings: readonly [string, Pairing][] = [
  ['our client, Go server', ourClientOnGo],
  ['Go client, our server', goClientOnOurs],
  ['Python client, our server', pythonClientOnOurs],
  ['our client, our server', ourClientOnOurs],
]

/** One suite for each pairing, engine and transport. */
export const interopSuites: readonly Suite[] = engines.flatMap((engine) =>
  [false, true].flatMap((tls) =>
    pairings.map(
      ([name, run]): Suite => ({
        part: 'interop',
        suite: `gRPC interop, ${name}${tls ? ', TLS' : ''}`,
        engine,
        engines: [engine],
        run: () => run(engine, tls),
      }),
    ),
  ),
)
