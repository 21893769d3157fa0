/** The `pure` engine: HTTP/2 from scratch on sockets. */
import { checkedEngineOptions } from '../check-options.ts'
import type { Http2Engine } from '../transport.ts'
import { dial, dialOn } from './dialer.ts'
import { acceptOn, listen } from './socket-server.ts'

/**
 * HTTP/2 written from scratch on node:net and node:tls. Takes `PureEngineOptions` beyond the seam's.
 *
 * @example
 * const server = await pureEngine.listen({ host: '127.0.0.1', port: 0 }, {}, { onConnection: () => listener })
 */
export const pureEngine: Http2Engine = {
  name: 'pure',
  connect: (address, options, listener) => dial(address, checkedEngineOptions(options), listener),
  listen: async (address, options, listener) => listen(address, checkedEngineOptions(options), listener),
  connectOn: (duplex, options, listener) => dialOn(duplex, checkedEngineOptions(options), listener),
  acceptOn: (duplex, options, listener) => acceptOn(duplex, checkedEngineOptions(options), listener),
}
