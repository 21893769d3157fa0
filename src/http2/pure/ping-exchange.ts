/**
 * PING of both directions (RFC 9113 §6.7): answers to the peer within limits, round trips measured for callers, and
 * the connection's own pings for keepalive, bandwidth and graceful shutdown.
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import { PING_OCTETS, writePing } from '../../wire/frame/ping.ts'
import { putUint32, readUint32 } from '../../wire/octets.ts'
import { ConnectionError } from '../errors.ts'
import { PingEnforcement, TOO_MANY_PINGS } from '../keepalive.ts'
import { BandwidthEstimator } from './bandwidth-estimator.ts'
import type { ConnectionContext } from './connection-context.ts'
import { calm } from './violation.ts'

/** What a PING of ours is for. */
export const PingPurpose = { caller: 1, keepalive: 2, bandwidth: 3, shutdown: 4 } as const

/** One of {@link PingPurpose}. */
export type PingPurpose = (typeof PingPurpose)[keyof typeof PingPurpose]

/** Called with the end of a ping: its round trip in milliseconds, or why there is none. */
export type PingResult = (error: Error | undefined, roundTripMs: number) => void

interface Ping {
  readonly purpose: PingPurpose
  readonly sentMs: number
  readonly onResult: PingResult | undefined
}

/** The octets of the ping that is being written. */
const data = new Uint8Array(PING_OCTETS)

/** Pings of one connection. */
export class PingExchange {
  readonly bandwidth: BandwidthEstimator
  readonly #context: ConnectionContext
  readonly #enforcement: PingEnforcement | undefined
  #underWay: Map<number, Ping> | undefined = undefined
  #next = 1
  #framesSentSeen = 0
  /** Results that wait for the connection to open, and that are owed because it has ended. */
  #early: PingResult[] = []
  #late: PingResult[] = []

  constructor(context: ConnectionContext) {
    const { role, options } = context
    this.#context = context
    this.#enforcement =
      role === 'server' && options.pingEnforcement ? new PingEnforcement(options.pingEnforcement) : undefined
    this.bandwidth = new BandwidthEstimator(options.streamWindowOctets, options.maxWindowOctets)
  }

  /** The seam's `ping`. */
  measure(open: boolean, onResult: PingResult): void {
    const context = this.#context
    if (context.ended) {
      this.#late.push(onResult)
      context.wake()
    } else if (open) {
      this.send(PingPurpose.caller, onResult)
    } else {
      this.#early.push(onResult)
    }
  }

  /** The connection is open: pings that waited go out. */
  onOpen(): void {
    const early = this.#early
    this.#early = []
    for (const onResult of early) this.send(PingPurpose.caller, onResult)
  }

  /** Sends a PING of ours. */
  send(purpose: PingPurpose, onResult?: PingResult): void {
    const context = this.#context
    const number = this.#next
    this.#next = number === 0xffffffff ? 1 : number + 1
    context.wake()
    // The purpose makes the octets readable in a trace; the number finds the ping again.
    putUint32(data, 0, purpose)
    putUint32(data, 4, number)
    this.#underWay ??= new Map()
    this.#underWay.set(number, { purpose, sentMs: context.nowMs, onResult })
    writePing(context.output.writer, false, data)
  }

  /** Starts a sample of the bandwidth if one could still enlarge the windows. */
  sampleBandwidth(): void {
    const context = this.#context
    context.bandwidthSampleDue = false
    if (context.ended || !this.bandwidth.wantsSample) return
    this.bandwidth.start(context.nowMs)
    this.send(PingPurpose.bandwidth)
  }

  /**
   * A PING frame arrived.
   *
   * @returns what it answered, if it acknowledged one of ours; an acknowledgement of nothing is ignored
   * @throws ConnectionError if the peer pings too often
   */
  onPing(ack: boolean, chunk: Uint8Array, start: number): PingPurpose | undefined {
    const context = this.#context
    if (!ack) {
      this.#check()
      context.wake()
      writePing(context.output.writer, true, chunk, start)
      return undefined
    }
    const number = readUint32(chunk, start + 4)
    const ping = this.#underWay?.get(number)
    if (ping === undefined || readUint32(chunk, start) !== ping.purpose) return undefined
    this.#underWay!.delete(number)
    if (ping.onResult !== undefined) tell(ping.onResult, undefined, context.nowMs - ping.sentMs)
    if (ping.purpose === PingPurpose.bandwidth && this.bandwidth.finish(context.nowMs)) this.#growWindows()
    return ping.purpose
  }

  /** The connection has ended: nothing that has not been answered will be. */
  fail(error: Error): void {
    const results = [...this.#early, ...this.#late]
    for (const { onResult } of this.#underWay?.values() ?? [])
      if (onResult !== undefined) results.push(onResult)
    this.#early = []
    this.#late = []
    this.#underWay = undefined
    for (const onResult of results) tell(onResult, error, 0)
  }

  #growWindows(): void {
    const context = this.#context
    const { estimateOctets, limitOctets } = this.bandwidth
    context.streamWindowTarget = Math.max(context.streamWindowTarget, estimateOctets)
    context.receiveWindow.grow(Math.min(estimateOctets * 2, limitOctets))
  }

  /** The peer's pings, against flood and against gRPC's rules. */
  #check(): void {
    const { limits, nowMs, streams } = this.#context
    const abuse = limits.onPing(nowMs)
    if (abuse !== undefined) throw calm(abuse)
    const enforcement = this.#enforcement
    if (enforcement === undefined) return
    if (limits.framesSent !== this.#framesSentSeen) {
      this.#framesSentSeen = limits.framesSent
      enforcement.onSend()
    }
    if (!enforcement.onPing(nowMs, streams.size)) return
    throw new ConnectionError(`too many pings, allowed is one in ${enforcement.minIntervalMs} ms (gRFC A9)`, {
      code: ErrorCode.ENHANCE_YOUR_CALM,
      initiator: 'local',
      phase: 'open',
      section: 'gRFC A9',
      debugData: TOO_MANY_PINGS,
    })
  }
}

function tell(onResult: PingResult, error: Error | undefined, roundTripMs: number): void {
  try {
    onResult(error, roundTripMs)
  } catch {
    // An exception of the caller's own function is not the connection's business.
  }
}
