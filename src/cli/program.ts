/** The command line of `glass`: its commands, and how their ends become exit codes. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../rpc/version.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { addBench } from './bench.ts'
import { addCall } from './call.ts'
import { CommandError, exitCodeOf, USAGE_EXIT_CODE } from './exit-code.ts'
import { addHealthCheck } from './health.ts'
import { printable } from './printable.ts'
import { addServe } from './serve.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs one command to its end.
 *
 * @param args what stands after `glass`
 * @returns the exit code; never rejects
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = exitCodeOf(Status.OK)
  const program = new Command('glass')
    .description('gRPC that you can see through')
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      // errors are told below, in one line
      writeErr: () => {},
    })
    .exitOverride()
  const exit = (code: number): void => {
    exitCode = code
  }
  addServe(program, terminal, exit)
  addCall(program, terminal, exit)
  addHealthCheck(program, terminal, exit)
  addBench(program, terminal, exit)
  if (args.length === 0) {
    terminal.stderr.write(program.helpInformation())
    return USAGE_EXIT_CODE
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error, args, terminal)
  }
}

function report(error: unknown, args: readonly string[], { stderr }: Terminal): number {
  if (error instanceof CommanderError) {
    // help and version were printed
    if (error.exitCode === 0) return exitCodeOf(Status.OK)
    const text = error.message.replace(/^error: |\.$/g, '').replace(/\n/g, ' ')
    const command = error.code === 'commander.unknownCommand' || args[0]?.startsWith('-') ? '' : ` ${args[0]}`
    stderr.write(`glass: ${printable(text)}; see glass${printable(command)} --help\n`)
    return USAGE_EXIT_CODE
  }
  if (error instanceof CommandError) {
    stderr.write(`glass: ${printable(error.message)}\n`)
    return exitCodeOf(error.statusCode)
  }
  const text = error instanceof Error ? error.message : String(error)
  stderr.write(`glass: internal error: ${printable(text)}\n`)
  return exitCodeOf(Status.INTERNAL)
}
