/** connectconformance: our client against its servers, our server against its clients, and ours against ours. */
import { join } from 'node:path'
import { goModuleFolder, goTool, outcome } from '../../../interop/toolchain.ts'
import type { EngineName } from '../../../src/http2/transport.ts'
import { counted, engines, type Suite } from '../suite-result.ts'

const module = 'connectrpc.com/conformance'
const version = 'v1.0.5'
/** How many cases the full configuration has. */
const expected = { client: 634, server: 566, both: 306 }
const timeoutMs = 300_000

function adapter(name: 'client' | 'server', engine: EngineName): string[] {
  return [process.execPath, '--import=tsx', join(import.meta.dirname, `${name}.ts`), engine]
}

async function run(mode: keyof typeof expected, command: readonly string[]): ReturnType<Suite['run']> {
  const program = await goTool('connectconformance', `${module}/cmd/connectconformance@${version}`)
  const env = { CONFORMANCE_PROTOS: join(await goModuleFolder(`${module}@${version}`), 'proto') }
  const config = join(import.meta.dirname, 'config.yaml')
  const { output, errors } = await outcome(
    program,
    ['--mode', mode, '--conf', config, '--', ...command],
    timeoutMs,
    env,
  )
  const all = output + errors
  const [, passed = '0', failed = '0'] = /^(\d+) passed, (\d+) failed$/m.exec(all) ?? []
  return counted(Number(passed), Number(failed), expected[mode], all)
}

/** One suite for each engine and direction. */
export const connectSuites: readonly Suite[] = [
  ...engines.flatMap((engine): Suite[] => [
    {
      part: 'connect',
      suite: 'connectconformance, client',
      engine,
      engines: [engine],
      run: () => run('client', adapter('client', engine)),
    },
    {
      part: 'connect',
      suite: 'connectconformance, server',
      engine,
      engines: [engine],
      run: () => run('server', adapter('server', engine)),
    },
  ]),
  ...engines.flatMap((client) =>
    engines.map(
      (server): Suite => ({
        part: 'connect',
        suite: 'connectconformance, client on server',
        engine: client === server ? client : `${client} on ${server}`,
        engines: [client, server],
        run: () => run('both', [...adapter('client', client), '----', ...adapter('server', server)]),
      }),
    ),
  ),
]
