/** The HTTP/2 floor: the seam, its engines, addresses and errors. */
export {
  DEFAULT_PORT,
  type DnsTarget,
  formatAddress,
  formatTarget,
  type IpTarget,
  numericAddresses,
  parseListenAddress,
  parseTarget,
  type Target,
  targetAuthority,
  type UnixAbstractTarget,
  type UnixTarget,
} from './addresses.ts'
export {
  ConnectionError,
  type ConnectionErrorInit,
  type ConnectionPhase,
  type Initiator,
  StreamError,
  type StreamErrorInit,
} from './errors.ts'
export { nodeEngine } from './node/engine.ts'
// The pure engine
export type { AbuseBudgets, Budget } from './pure/abuse-limits.ts'
export type { PureConnectionListener } from './pure/connection-core.ts'
export { pureEngine } from './pure/engine.ts'
export { createInProcessPair, type InProcessPairOptions } from './pure/in-process.ts'
export type { PureConnectOptions, PureEngineOptions, PureListenOptions } from './pure/options.ts'
export type {
  ClientTls,
  ConnectionListener,
  ConnectOptions,
  EngineName,
  EngineOptions,
  Fields,
  Goaway,
  Http2Connection,
  Http2Engine,
  Http2Server,
  Http2Stream,
  ListenOptions,
  OpenOptions,
  PeerInfo,
  Priority,
  ServerListener,
  ServerTls,
  Settings,
  SocketAddress,
  StreamListener,
} from './transport.ts'
