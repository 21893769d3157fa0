/** Options of channels, servers and calls that are numbers, checked where they are given. */
import { ANY_LIMIT, checkedEngineOptions, checkedNumbers, type NumberRule } from '../http2/check-options.ts'
import type { CallOptions } from './call-options.ts'
import type { ChannelOptions } from './channel-options.ts'
import type { ServerOptions } from './server-options.ts'

const MESSAGES: Readonly<Record<string, NumberRule>> = {
  maxReceiveMessageOctets: ANY_LIMIT,
  maxSendMessageOctets: ANY_LIMIT,
}
const BOTH: Readonly<Record<string, NumberRule>> = {
  ...MESSAGES,
  minCompressOctets: ANY_LIMIT,
  maxMetadataEntries: ANY_LIMIT,
}
const CHANNEL: Readonly<Record<string, NumberRule>> = {
  ...BOTH,
  connectTimeoutMs: ANY_LIMIT,
  idleTimeoutMs: ANY_LIMIT,
  initialBackoffMs: { min: 0 },
  maxBackoffMs: ANY_LIMIT,
  defaultDeadlineMs: ANY_LIMIT,
}
const SERVER: Readonly<Record<string, NumberRule>> = { ...BOTH, maxConcurrentCalls: ANY_LIMIT }

/** @throws TypeError naming the option, its value and what is allowed */
export function checkedChannelOptions(options: ChannelOptions): ChannelOptions {
  return checkedNumbers(checkedEngineOptions(options), CHANNEL)
}

/** @throws TypeError naming the option, its value and what is allowed */
export function checkedServerOptions(options: ServerOptions): ServerOptions {
  return checkedNumbers(checkedEngineOptions(options), SERVER)
}

/** @throws TypeError naming the option, its value and what is allowed */
export function checkCallOptions(options: CallOptions): void {
  checkedNumbers(options, MESSAGES)
}
