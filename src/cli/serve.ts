/** `glass serve`: a server with the Greeter and Country services, and a line for each call. */
import { type Command, Option } from 'commander'
import type { EngineName } from '../http2/transport.ts'
import { engineNames } from '../rpc/engines.ts'
import { findService } from '../rpc/messages/find-declaration.ts'
import type { Service } from '../rpc/method.ts'
import { Server } from '../rpc/server.ts'
import type { ServerOptions } from '../rpc/server-options.ts'
import { addHealth } from '../rpc/services/health.ts'
import { addReflection } from '../rpc/services/reflection.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { callLine } from './call-log.ts'
import { countryService } from './country-service.ts'
import { parseDuration } from './duration.ts'
import { CommandError, exitCodeOf } from './exit-code.ts'
import { greeter } from './greeter-service.ts'
import { interopService } from './interop-service.ts'
import { printable } from './printable.ts'
import { INTEROP_PROTO, loadSchema } from './schema.ts'
import type { Terminal } from './terminal.ts'
import { serverTls, type TlsFlags } from './tls-flags.ts'

interface ServeFlags extends TlsFlags {
  listen?: string[]
  engine: EngineName
  compression?: string
  grace: number
  quiet?: boolean
  interop?: boolean
  json?: boolean
}

const DEFAULT_ADDRESS = '127.0.0.1:50051'

/** Adds the command. */
export function addServe(program: Command, terminal: Terminal, exit: (exitCode: number) => void): void {
  program
    .command('serve')
    .summary('serve helloworld.Greeter and countries.Country')
    .description(
      'Serves helloworld.Greeter and countries.Country, health and reflection, and prints a line for each call:\n' +
        'time, method, peer, status, duration. SIGTERM or SIGINT lets running calls end; a second one cuts them.',
    )
    .option(
      '--listen <address>',
      `host:port (port 0: any free one), :port, unix:path; repeatable (default: ${DEFAULT_ADDRESS})`,
      (value: string, before: string[] = []) => [...before, value],
    )
    .addOption(new Option('--engine <name>', 'HTTP/2 below the calls').choices(engineNames()).default('node'))
    .option('--tls-cert <file>', 'certificate chain, as PEM: serve with TLS')
    .option('--tls-key <file>', 'key of that certificate, as PEM')
    .option('--tls-ca <file>', 'ask clients for a certificate from the roots in this PEM file')
    .option('--compression <name>', 'compress responses for clients that accept it: gzip, deflate')
    .addOption(
      new Option('--grace <duration>', 'how long calls may run on after the first signal')
        .argParser(parseDuration)
        .default(30_000, '30s'),
    )
    .option(
      '--interop',
      "serve grpc.testing.TestService too, for gRPC's interoperability cases; compresses with gzip",
    )
    .option('--quiet', 'print no line for a call')
    .option('--json', 'print lines as JSON')
    .action(async (flags: ServeFlags) => exit(await serve(flags, terminal)))
}

async function serve(flags: ServeFlags, terminal: Terminal): Promise<number> {
  const print = (line: string): void => void terminal.stdout.write(`${line}\n`)
  const warn = (line: string): void => void terminal.stderr.write(`glass: ${printable(line)}\n`)
  const json = flags.json === true
  const tls = serverTls(flags)
  const compression = flags.compression ?? (flags.interop === true ? 'gzip' : undefined)
  const options: ServerOptions = {
    engine: flags.engine,
    ...(compression !== undefined && { compression }),
    onHandlerError: (error) => warn(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    onConnectionError: (error) => warn(error.message),
    ...(flags.quiet !== true && { onCall: (call) => print(callLine(call, new Date(), json)) }),
  }
  const server = newServer(options)
  const schema = await loadSchema()
  server.add(findService(schema, 'helloworld.Greeter') as Service, greeter)
  server.add(findService(schema, 'countries.Country') as Service, countryService)
  if (flags.interop === true) {
    const interop = await loadSchema([INTEROP_PROTO])
    server.add(findService(interop, 'grpc.testing.TestService') as Service, interopService)
  }
  addHealth(server)
  addReflection(server)
  const stopped = new Promise<void>((resolve) => {
    let signals = 0
    const stopListening = terminal.onStop(() => {
      void server.close({ graceMs: signals++ === 0 ? flags.grace : 0 }).then(() => {
        stopListening()
        resolve()
      })
    })
  })
  for (const address of flags.listen ?? [DEFAULT_ADDRESS]) {
    const real = await listen(server, address, tls)
    print(json ? JSON.stringify({ listening: real, tls: tls !== undefined }) : `listening on ${real}`)
  }
  await stopped
  return exitCodeOf(Status.OK)
}

function newServer(options: ServerOptions): Server {
  try {
    return new Server(options)
  } catch (cause) {
    throw new CommandError((cause as Error).message, undefined, { cause })
  }
}

/** @throws CommandError: INVALID_ARGUMENT for what is no address, FAILED_PRECONDITION for one that can't be had */
async function listen(server: Server, address: string, tls: ReturnType<typeof serverTls>): Promise<string> {
  try {
    return await server.listen(address, tls === undefined ? {} : { tls })
  } catch (cause) {
    await server.close({ graceMs: 0 })
    const code = cause instanceof TypeError ? Status.INVALID_ARGUMENT : Status.FAILED_PRECONDITION
    throw new CommandError(`can't listen on ${address}: ${(cause as Error).message}`, code, { cause })
  }
}
