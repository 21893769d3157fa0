/** The `pure` engine: HTTP/2 from scratch on sockets. */
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
  connect: dial,
  listen,
  connectOn: dialOn,
  acceptOn,
}
