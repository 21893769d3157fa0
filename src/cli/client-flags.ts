/** The flags of every command that calls a server: how it connects, and what its values are collected in. */
import { type Command, Option } from 'commander'
import type { EngineName } from '../http2/transport.ts'
import { engineNames } from '../rpc/engines.ts'
import type { TlsFlags } from './tls-flags.ts'

/** How a command connects; flags of TLS that were not given are undefined. */
export interface ClientFlags extends TlsFlags {
  engine: EngineName
}

/** Adds the flags of {@link ClientFlags} to a command. */
export function addClientFlags(command: Command): void {
  command
    .option('--tls', 'connect with TLS, trusting the system’s roots')
    .option('--tls-ca <file>', 'connect with TLS, trusting the roots in this PEM file')
    .option('--tls-cert <file>', 'certificate of this client, as PEM')
    .option('--tls-key <file>', 'key of that certificate, as PEM')
    .option('--servername <name>', 'name in the server’s certificate, where it is not the host')
    .option('--insecure', 'connect with TLS and trust any certificate')
    .addOption(new Option('--engine <name>', 'HTTP/2 below the calls').choices(engineNames()).default('node'))
}

/** Parser of a flag that may be given several times: all its values, in order. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
