/** `glass bench`: load on any server, and how it bears it. */
import { setMaxListeners } from 'node:events'
import { type Command, InvalidArgumentError } from 'commander'
import type { CallOptions } from '../rpc/call-options.ts'
import { type Channel, connect } from '../rpc/channel.ts'
import type { ChannelOptions } from '../rpc/channel-options.ts'
import { fromJson } from '../rpc/messages/message-json.ts'
import type { Metadata } from '../rpc/metadata.ts'
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { Load } from './bench-load.ts'
import { BenchTally, renderBench } from './bench-report.ts'
import { addClientFlags, type ClientFlags, collect } from './client-flags.ts'
import { parseDuration } from './duration.ts'
import { CommandError, exitCodeOf } from './exit-code.ts'
import { addHeader } from './header-flag.ts'
import { splitJsonValues } from './json-values.ts'
import { learnMethod } from './learned-method.ts'
import type { SchemaMethod } from './schema.ts'
import { type Terminal, writeLine } from './terminal.ts'
import { clientTls } from './tls-flags.ts'

interface BenchFlags extends ClientFlags {
  data: string
  proto?: string[]
  include?: string[]
  header?: Metadata
  deadline?: number
  compression?: string
  calls?: number
  duration?: number
  outstanding: number
  connections: number
  rps?: number
  json?: boolean
}

const DEFAULT_CALLS = 200
const PROGRESS_MS = 200
const BAR_LENGTH = 30

/** Adds the command. */
export function addBench(program: Command, terminal: Terminal, exit: (exitCode: number) => void): void {
  const command = program
    .command('bench')
    .summary('load a server and print rates, percentiles and a histogram')
    .description(
      'Makes many calls and tells how long they took and how they ended. Several requests (-d) take turns in a\n' +
        'method with one request; in a stream each call sends all of them and reads all responses.\n' +
        'Without --proto it knows the services of `glass serve`, and asks the server (reflection) about others.\n' +
        'Ctrl-C ends it early, with a report of what there is. Exit code 0 if every call ended with OK.',
    )
    .argument('<address>', 'host:port, dns:///host:port, unix:path, …')
    .argument('<method>', 'package.Service/Method')
    .option('-d, --data <json>', 'the request, or several in a row', '{}')
    .option(
      '-n, --calls <number>',
      `how many calls (default: ${DEFAULT_CALLS}, or what --duration allows)`,
      parseCount,
    )
    .option('--duration <duration>', 'how long to start calls: 500ms, 10s, 2m', parseDuration)
    .option('-c, --outstanding <number>', 'calls at the same time, over all connections', parseCount, 50)
    .option('--connections <number>', 'connections that share them', parseCount, 1)
    .option(
      '--rps <number>',
      'start calls at this rate, and count latencies from when each was due',
      parseRate,
    )
    .option('--proto <file>', 'a .proto file that declares the service (repeatable)', collect)
    .option('-I, --include <folder>', 'a folder where imports of .proto files are (repeatable)', collect)
    .option('-H, --header <name: value>', 'metadata to send, base64 for -bin (repeatable)', addHeader)
    .option('--deadline <duration>', 'deadline of each call: 500ms, 5s, 2m', parseDuration)
    .option('--compression <name>', 'compress requests: gzip, deflate')
    .option('--json', 'the report as one line of JSON')
    .action(async (address: string, method: string, flags: BenchFlags) => {
      exit(await bench(address, method, flags, terminal))
    })
  addClientFlags(command)
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.')
  return Number(text)
}

function parseRate(text: string): number {
  const rate = /^\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (rate === 0) throw new InvalidArgumentError('Write calls a second, above 0.')
  return rate
}

async function bench(address: string, name: string, flags: BenchFlags, terminal: Terminal): Promise<number> {
  const stop = new AbortController()
  // every call that runs listens
  setMaxListeners(0, stop.signal)
  const options: CallOptions = { signal: stop.signal, metadata: flags.header, deadline: flags.deadline }
  const channels = openAll(address, flags)
  let stopLoad = (): void => {}
  let interrupt = (): void => {}
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve
  })
  const stopListening = terminal.onStop(() => {
    stopLoad()
    stop.abort()
    interrupt()
  })
  const tally = new BenchTally()
  try {
    const method = await learnMethod(name, flags, () => channels[0]!, options)
    const requests = requestsOf(method, flags.data)
    const makeCall = async (index: number): Promise<void> => {
      try {
        await callOf(method, requests, channels[index % channels.length]!, index, options)
        tally.status(Status.OK)
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        // what is cut by Ctrl-C says nothing about the server
        if (!stop.signal.aborted) tally.status(error.code, error.details)
      }
    }
    // connecting is no part of a call's time; where it fails, the calls will tell
    const ready = channels.map((channel) => channel.ready({ deadline: flags.deadline ?? 20_000 }))
    await Promise.race([Promise.all(ready).catch(() => {}), interrupted])
    const load = new Load(planOf(flags), makeCall, (latencyMs) => {
      if (!stop.signal.aborted) tally.latency(latencyMs)
    })
    stopLoad = () => load.stop()
    if (stop.signal.aborted) stopLoad()
    const hideProgress = showProgress(load, tally, flags, terminal)
    await load.run()
    hideProgress()
    const report = tally.report(load.elapsedMs / 1000, flags.rps !== undefined)
    await writeLine(terminal.stdout, flags.json === true ? JSON.stringify(report) : renderBench(report))
    return tally.exitStatus === Status.OK ? 0 : exitCodeOf(tally.exitStatus)
  } catch (error) {
    // where the server was asked what the method looks like
    if (!(error instanceof StatusError)) throw error
    throw new CommandError(error.message, error.code, { cause: error })
  } finally {
    stopListening()
    await Promise.all(channels.map((channel) => channel.close({ graceMs: 0 })))
  }
}

function planOf({ calls, duration, outstanding, rps }: BenchFlags) {
  return {
    outstanding,
    calls: calls ?? (duration === undefined ? DEFAULT_CALLS : undefined),
    durationMs: duration,
    callsPerSecond: rps,
  }
}

function requestsOf(method: SchemaMethod, data: string): unknown[] {
  const requests: unknown[] = []
  for (const value of splitJsonValues(data)) {
    try {
      requests.push(fromJson(method.request, value))
    } catch (cause) {
      throw new CommandError((cause as Error).message, undefined, { cause })
    }
  }
  if (requests.length === 0 && !method.requestStream) {
    throw new CommandError(`${method.path.slice(1)} takes a request, none was given`)
  }
  return requests
}

function openAll(address: string, flags: BenchFlags): Channel[] {
  const tls = clientTls(flags)
  const options: ChannelOptions = {
    engine: flags.engine,
    ...(tls !== undefined && { tls }),
    ...(flags.compression !== undefined && { compression: flags.compression, minCompressOctets: 0 }),
  }
  try {
    return Array.from({ length: flags.connections }, () => connect(address, options))
  } catch (cause) {
    if (cause instanceof TypeError) throw new CommandError(cause.message, undefined, { cause })
    throw cause
  }
}

/** One call of any kind, to its end. */
async function callOf(
  method: SchemaMethod,
  requests: readonly unknown[],
  channel: Channel,
  index: number,
  options: CallOptions,
): Promise<void> {
  const request = requests[index % requests.length]
  if (!method.responseStream) {
    await (method.requestStream
      ? channel.clientStreaming(method, requests, options)
      : channel.unary(method, request, options))
    return
  }
  const responses = method.requestStream
    ? channel.bidirectional(method, requests, options)
    : channel.serverStreaming(method, request, options)
  for await (const _ of responses);
}

/** A bar on a terminal, nothing elsewhere. @returns what takes it away */
function showProgress(load: Load, tally: BenchTally, flags: BenchFlags, { stderr }: Terminal): () => void {
  if ((stderr as { isTTY?: boolean }).isTTY !== true) return () => {}
  const { calls, durationMs } = planOf(flags)
  const show = (): void => {
    const byCalls = calls === undefined ? 0 : tally.ended / calls
    const byTime = durationMs === undefined ? 0 : load.elapsedMs / durationMs
    const share = Math.min(1, Math.max(byCalls, byTime))
    const bar = '■'.repeat(Math.round(share * BAR_LENGTH)).padEnd(BAR_LENGTH, '·')
    stderr.write(`\r${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${tally.ended} calls`)
  }
  const timer = setInterval(show, PROGRESS_MS)
  show()
  return () => {
    clearInterval(timer)
    stderr.write('\r\u001b[K')
  }
}
