/** gRPC for Node.js that you can see through: what most programs need. The floors are at `/wire`, `/http2`, `/rpc`. */

export type { ClientTls, EngineName, PeerInfo, Priority, ServerTls } from './http2/transport.ts'
export * from './rpc/index.ts'
export { Status, type StatusCode, statusName } from './wire/grpc/status-codes.ts'
