/** `glass call`: one call of any kind to any server, messages in and out as JSON. */
import { type Command, InvalidArgumentError } from 'commander'
import type { CallOptions } from '../rpc/call-options.ts'

import { type Channel, connect } from '../rpc/channel.ts'
import type { ChannelOptions } from '../rpc/channel-options.ts'
import { engineByName } from '../rpc/engines.ts'
import { fromJson, type JsonValue, toJson } from '../rpc/messages/message-json.ts'
import type { Metadata } from '../rpc/metadata.ts'
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { CallOutput } from './call-output.ts'
import { addClientFlags, type ClientFlags, collect } from './client-flags.ts'
import { parseDuration } from './duration.ts'
import { CommandError, exitCodeOf } from './exit-code.ts'
import { addHeader } from './header-flag.ts'
import { readJsonValues, splitJsonValues } from './json-values.ts'
import { learnMethod } from './learned-method.ts'
import type { SchemaMethod } from './schema.ts'
import type { Terminal } from './terminal.ts'
import { clientTls } from './tls-flags.ts'
import { watchEngine } from './watched-engine.ts'

interface CallFlags extends ClientFlags {
  data?: string
  proto?: string[]
  include?: string[]
  header?: Metadata
  deadline?: number
  connectTimeout?: number
  compression?: string
  maxMessageOctets?: number
  verbose?: boolean
  json?: boolean
}

/** Everything one call needs. */
interface Task {
  readonly channel: Channel
  readonly method: SchemaMethod
  readonly options: CallOptions
  readonly output: CallOutput
}

/** Adds the command. */
export function addCall(program: Command, terminal: Terminal, exit: (exitCode: number) => void): void {
  const command = program
    .command('call')
    .summary('make a call and print the answer as JSON')
    .description(
      'Makes one call. Requests are JSON (-d), responses are printed as JSON on standard output.\n' +
        'Without --proto it knows the services of `glass serve`, and asks the server (reflection) about others.',
    )
    .argument('<address>', 'host:port, dns:///host:port, unix:path, …')
    .argument('<method>', 'package.Service/Method')
    .option(
      '-d, --data <json>',
      'the request; several in a row for a stream; @ reads them from standard input',
    )
    .option('--proto <file>', 'a .proto file that declares the service (repeatable)', collect)
    .option('-I, --include <folder>', 'a folder where imports of .proto files are (repeatable)', collect)
    .option('-H, --header <name: value>', 'metadata to send, base64 for -bin (repeatable)', addHeader)
    .option('--deadline <duration>', 'give up after this time: 500ms, 5s, 2m', parseDuration)
    .option('--connect-timeout <duration>', 'time for one attempt to connect (default: 20s)', parseDuration)
    .option('--compression <name>', 'compress requests: gzip, deflate')
    .option('--max-message-octets <number>', 'largest response that is taken (default: 4194304)', parseCount)
    .option('-v, --verbose', 'print request headers, response headers and trailers too, on standard error')
    .option('--json', 'one line of JSON for each thing that is printed')
    .action(async (address: string, method: string, flags: CallFlags) => {
      exit(await call(address, method, flags, terminal))
    })
  addClientFlags(command)
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('Write a number of octets.')
  return Number(text)
}

async function call(address: string, name: string, flags: CallFlags, terminal: Terminal): Promise<number> {
  const output = new CallOutput(terminal, flags.json === true)
  const channels: Channel[] = []
  const stop = new AbortController()
  const stopListening = terminal.onStop(() => {
    stop.abort()
    // whoever waits for more of it waits no longer
    terminal.stdin.destroy()
  })
  try {
    const opened = (watcher: CallOutput | undefined): Channel => {
      const channel = open(address, flags, watcher)
      channels.push(channel)
      return channel
    }
    const options: CallOptions = { signal: stop.signal, metadata: flags.header, deadline: flags.deadline }
    // the server is asked on a connection of its own, so that -v shows the call alone
    const method = await learnMethod(name, flags, () => opened(undefined), options)
    const channel = opened(flags.verbose === true ? output : undefined)
    await perform({ channel, method, options, output }, flags.data, terminal)
    return exitCodeOf(Status.OK)
  } catch (thrown) {
    const error = stop.signal.aborted ? new StatusError(Status.CANCELLED, 'Interrupted') : thrown
    if (!(error instanceof StatusError)) throw error
    // a request that could not be read or encoded, in the midst of a stream
    if (error.cause instanceof CommandError) throw error.cause
    output.failed(error)
    return exitCodeOf(error.code)
  } finally {
    stopListening()
    if (flags.data === '@') terminal.stdin.destroy()
    for (const channel of channels) await channel.close({ graceMs: 0 })
  }
}

function open(address: string, flags: CallFlags, watcher: CallOutput | undefined): Channel {
  const tls = clientTls(flags)
  const engine = engineByName(flags.engine)
  const options: ChannelOptions = {
    engine: watcher === undefined ? engine : watchEngine(engine, watcher),
    ...(tls !== undefined && { tls }),
    ...(flags.compression !== undefined && { compression: flags.compression, minCompressOctets: 0 }),
    ...(flags.connectTimeout !== undefined && { connectTimeoutMs: flags.connectTimeout }),
    ...(flags.maxMessageOctets !== undefined && { maxReceiveMessageOctets: flags.maxMessageOctets }),
  }
  try {
    return connect(address, options)
  } catch (cause) {
    if (cause instanceof TypeError) throw new CommandError(cause.message, undefined, { cause })
    throw cause
  }
}

async function perform(task: Task, data: string | undefined, terminal: Terminal): Promise<void> {
  const { channel, method, options } = task
  if (method.requestStream) {
    const requests = requestsOf(method, data ?? '', terminal)
    if (method.responseStream) await printAll(task, channel.bidirectional(method, requests, options))
    else await printOne(task, channel.clientStreaming(method, requests, options))
    return
  }
  const request = await onlyRequest(method, data ?? '{}', terminal)
  if (method.responseStream) await printAll(task, channel.serverStreaming(method, request, options))
  else await printOne(task, channel.unary(method, request, options))
}

async function printOne({ method, output }: Task, response: PromiseLike<unknown>): Promise<void> {
  await output.message(toJson(method.response, await response))
}

async function printAll({ method, output }: Task, responses: AsyncIterable<unknown>): Promise<void> {
  for await (const response of responses) await output.message(toJson(method.response, response))
}

async function* requestsOf(method: SchemaMethod, data: string, terminal: Terminal): AsyncGenerator<unknown> {
  const values = data === '@' ? readJsonValues(terminal.stdin) : splitJsonValues(data)
  for await (const value of values) yield messageOf(method, value)
}

async function onlyRequest(method: SchemaMethod, data: string, terminal: Terminal): Promise<unknown> {
  let request: unknown
  let count = 0
  for await (const each of requestsOf(method, data, terminal)) {
    request = each
    count++
  }
  if (count === 1) return request
  const given = count === 0 ? 'no request was given' : `${count} requests were given`
  throw new CommandError(`${method.path.slice(1)} takes one request, ${given}`)
}

function messageOf({ request }: SchemaMethod, value: JsonValue): unknown {
  try {
    return fromJson(request, value)
  } catch (cause) {
    throw new CommandError((cause as Error).message, undefined, { cause })
  }
}
