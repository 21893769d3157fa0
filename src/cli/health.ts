/**
 * `glass health`: asks a server by `grpc.health.v1.Health` whether it takes calls, for probes and scripts. Exit code 0 means
 * SERVING; everything else is told as a status: NOT_SERVING as UNAVAILABLE, a service that is unknown as NOT_FOUND.
 */
import { type Command, Option } from 'commander'
import { type Channel, connect } from '../rpc/channel.ts'
import type { Metadata } from '../rpc/metadata.ts'
import { Health } from '../rpc/services/health.ts'
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { CallOutput } from './call-output.ts'
import { addClientFlags, type ClientFlags } from './client-flags.ts'
import { parseDuration } from './duration.ts'
import { CommandError, exitCodeOf } from './exit-code.ts'
import { addHeader } from './header-flag.ts'
import type { Terminal } from './terminal.ts'
import { clientTls } from './tls-flags.ts'

interface HealthFlags extends ClientFlags {
  header?: Metadata
  deadline: number
  json?: boolean
}

const DEFAULT_DEADLINE_MS = 5000

/** Adds the command. */
export function addHealthCheck(program: Command, terminal: Terminal, exit: (exitCode: number) => void): void {
  const command = program
    .command('health')
    .summary('ask a server whether it takes calls')
    .description(
      'Asks grpc.health.v1.Health for the status of a service, or of the whole server, and prints it.\n' +
        'Exit code: 0 for SERVING, 78 (UNAVAILABLE) for any other status, otherwise that of the failed call.',
    )
    .argument('<address>', 'host:port, dns:///host:port, unix:path, …')
    .argument('[service]', 'full name of the service; the whole server without it')
    .option('-H, --header <name: value>', 'metadata to send, base64 for -bin (repeatable)', addHeader)
    .addOption(
      new Option('--deadline <duration>', 'give up after this time: 500ms, 5s, 2m')
        .argParser(parseDuration)
        .default(DEFAULT_DEADLINE_MS, '5s'),
    )
    .option('--json', 'print the status as a line of JSON')
    .action(async (address: string, service: string | undefined, flags: HealthFlags) => {
      exit(await check(address, service ?? '', flags, terminal))
    })
  addClientFlags(command)
}

async function check(
  address: string,
  service: string,
  flags: HealthFlags,
  terminal: Terminal,
): Promise<number> {
  const json = flags.json === true
  const channel = open(address, flags)
  const stop = new AbortController()
  const stopListening = terminal.onStop(() => stop.abort())
  try {
    const { deadline, header: metadata } = flags
    const options = { deadline, metadata, signal: stop.signal }
    const { status } = await channel.client(Health).check({ service }, options)
    terminal.stdout.write(json ? `${JSON.stringify({ status })}\n` : `${status}\n`)
    return exitCodeOf(status === 'SERVING' ? Status.OK : Status.UNAVAILABLE)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    new CallOutput(terminal, json).failed(error)
    return exitCodeOf(error.code)
  } finally {
    stopListening()
    await channel.close({ graceMs: 0 })
  }
}

function open(address: string, flags: HealthFlags): Channel {
  const tls = clientTls(flags)
  try {
    return connect(address, { engine: flags.engine, ...(tls !== undefined && { tls }) })
  } catch (cause) {
    if (cause instanceof TypeError) throw new CommandError(cause.message, undefined, { cause })
    throw cause
  }
}
