/** The hot functions of the HTTP/2 floor, one call each, for `run.ts`. */
import { toHeaders } from '../../src/http2/node/fields.ts'
import { FieldSectionChecker } from '../../src/http2/pure/field-section.ts'
import { ReceiveWindow, SendWindow } from '../../src/http2/pure/flow-control.ts'
import { checkOutgoing } from '../../src/http2/pure/outgoing-fields.ts'
import { type Sendable, SendQueue } from '../../src/http2/pure/send-queue.ts'
import { nextStreamState, StreamInput, StreamState } from '../../src/http2/pure/stream-state.ts'
import { REQUEST, RESPONSE, TRAILERS } from './fields.ts'

const checker = new FieldSectionChecker()
const sendWindow = new SendWindow()
const receiveWindow = new ReceiveWindow(1 << 20)

class Waiting implements Sendable {
  readonly id: number
  urgency = 3
  sequential = false
  queued = false
  nextQueued: this | undefined = undefined
  previousQueued: this | undefined = undefined

  constructor(id: number) {
    this.id = id
  }
}
const queue = new SendQueue<Waiting>()
const waiting = Array.from({ length: 64 }, (_, i) => new Waiting(2 * i + 1))

/** By name. */
export const http2Cases: Readonly<Record<string, () => unknown>> = {
  'nextStreamState, DATA on an open stream': () => nextStreamState(StreamState.open, StreamInput.receiveData),
  'SendWindow, taken and given back': () => {
    sendWindow.sizeOctets -= 1000
    return sendWindow.add(1000)
  },
  'ReceiveWindow, received and consumed': () => {
    receiveWindow.receive(1000)
    return receiveWindow.consume(1000)
  },
  'SendQueue, 64 streams in and out': () => {
    for (const stream of waiting) queue.add(stream)
    for (const stream of waiting) queue.remove(stream)
  },
  'FieldSectionChecker.checkRequest, as before': () => checker.checkRequest(REQUEST),
  'FieldSectionChecker.checkRequest, a list of its own': () => checker.checkRequest([...REQUEST]),
  'FieldSectionChecker.checkTrailers': () => checker.checkTrailers(TRAILERS),
  'checkOutgoing, request': () => checkOutgoing(REQUEST, 'request'),
  'toHeaders, request for node:http2': () => toHeaders(REQUEST, 'request'),
  'toHeaders, response for node:http2': () => toHeaders(RESPONSE, 'response'),
}
