/** What a server tells of a call that has ended. */

/** How a call of a server ended, for logs. */
export interface CallSummary {
  /** The value of `:path`, as it came. */
  readonly path: string
  /** One of the codes of `Status`. */
  readonly code: number
  /** The Status-Message, empty if there is none. */
  readonly details: string
  /** The HTTP status that was answered; 200 unless the request was no gRPC. */
  readonly httpStatus: number
  /** Address of the client. */
  readonly peer: string
  /** From the request headers to the end of the response. */
  readonly durationMs: number
  /** Request messages that the handler got. */
  readonly messagesReceived: number
  /** Response messages sent. */
  readonly messagesSent: number
}
