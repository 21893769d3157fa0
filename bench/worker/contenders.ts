/** The libraries by name; each is loaded only in the processes that use it. */
import type { Contender } from './contender.ts'

/** Loaders by the name that results carry. */
export const contenders: Readonly<Record<string, () => Promise<Contender>>> = {
  pure: async () => (await import('./glass.ts')).pure,
  node: async () => (await import('./glass.ts')).node,
  'grpc-js': async () => (await import('./grpc-js.ts')).grpcJs,
  'nice-grpc': async () => (await import('./nice-grpc.ts')).niceGrpc,
  'connect-node': async () => (await import('./connect-node.ts')).connectNode,
  'bare http2': async () => (await import('./bare-http2.ts')).bareHttp2,
  'raw TCP': async () => (await import('./raw-tcp.ts')).rawTcp,
}
