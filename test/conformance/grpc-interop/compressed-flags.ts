/**
 * An engine that lets everything through and notes the Compressed-Flag of each message that a client receives: the
 * public interface gives messages only, and the compression cases are about what went over the wire.
 */
import type { Http2Engine, StreamListener } from '../../../src/http2/transport.ts'
import { MessageDecoder } from '../../../src/wire/index.ts'

/** The engine, and the flags of the messages received so far, in order. */
export interface FlagNotingEngine {
  engine: Http2Engine
  flags: boolean[]
}

/** Wraps an engine. */
export function noteCompressedFlags(inner: Http2Engine): FlagNotingEngine {
  const flags: boolean[] = []
  const engine: Http2Engine = {
    name: inner.name,
    connect(address, options, listener) {
      const connection = inner.connect(address, options, listener)
      const open = connection.open.bind(connection)
      connection.open = (streamListener, openOptions) => open(noting(streamListener, flags), openOptions)
      return connection
    },
    connectOn: inner.connectOn.bind(inner),
    listen: inner.listen.bind(inner),
    acceptOn: inner.acceptOn.bind(inner),
  }
  return { engine, flags }
}

function noting(listener: StreamListener, flags: boolean[]): StreamListener {
  const decoder = new MessageDecoder(1 << 26)
  const sink = {
    onMessage(compressed: boolean): boolean {
      flags.push(compressed)
      return true
    },
  }
  return {
    onHeaders: (fields, endStream) => listener.onHeaders(fields, endStream),
    onData(chunk, start, end) {
      decoder.push(chunk, start, end, sink)
      listener.onData(chunk, start, end)
    },
    onTrailers: (fields) => listener.onTrailers(fields),
    onEnd: () => listener.onEnd(),
    onDrain: () => listener.onDrain(),
    onClose: (error) => listener.onClose(error),
  }
}
