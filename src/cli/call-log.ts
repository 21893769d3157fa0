/** One line for each call that a server answered. */
import type { CallSummary } from '../rpc/call-summary.ts'
import { statusName } from '../wire/grpc/status-codes.ts'
import { printable } from './printable.ts'

/**
 * A call as a line: time, method, peer, status, duration, and the status message where there is one.
 * A request that was no gRPC has the HTTP status that was answered.
 *
 * @param json as one JSON object instead
 */
export function callLine(call: CallSummary, now: Date, json: boolean): string {
  const time = now.toISOString()
  const { path, peer, code, details, httpStatus, durationMs, messagesReceived, messagesSent } = call
  if (json) {
    const status = httpStatus === 200 ? { code, status: statusName(code) } : { httpStatus }
    return JSON.stringify({
      time,
      method: path,
      peer,
      ...status,
      details,
      durationMs,
      messagesReceived,
      messagesSent,
    })
  }
  const status = httpStatus === 200 ? statusName(code) : `HTTP ${httpStatus}`
  const line = `${time} ${printable(path)} ${peer} ${status} ${durationMs} ms`
  return details === '' ? line : `${line} ${printable(details)}`
}
