/** The `node` engine: HTTP/2 by Node's own node:http2, on session and stream level. */
import { checkedEngineOptions } from '../check-options.ts'
import type { Http2Engine } from '../transport.ts'
import { dial, dialOn } from './dialer.ts'
import { acceptOn, listen } from './node-server.ts'

/**
 * HTTP/2 on Node's own node:http2, with a watchdog for the sessions it silently gives up.
 *
 * @example
 * const server = await nodeEngine.listen({ host: '127.0.0.1', port: 0 }, {}, { onConnection: () => listener })
 */
export const nodeEngine: Http2Engine = {
  name: 'node',
  connect: (address, options, listener) => dial(address, checkedEngineOptions(options), listener),
  listen: async (address, options, listener) => listen(address, checkedEngineOptions(options), listener),
  connectOn: (duplex, options, listener) => dialOn(duplex, checkedEngineOptions(options), listener),
  acceptOn: (duplex, options, listener) => acceptOn(duplex, checkedEngineOptions(options), listener),
}
