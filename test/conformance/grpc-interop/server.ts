/** Our server of gRPC's official interoperability cases. Flags: --engine, --tls-cert, --tls-key. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { interopService } from '../../../src/cli/interop-service.ts'
import type { EngineName } from '../../../src/http2/transport.ts'
import { loadProto, Server } from '../../../src/index.ts'

const { values: flags } = parseArgs({
  options: { engine: { type: 'string' }, 'tls-cert': { type: 'string' }, 'tls-key': { type: 'string' } },
})
const { grpc } = await loadProto(`${import.meta.dirname}/../../../proto/interop.proto`)
const server = new Server({ engine: (flags.engine ?? 'node') as EngineName, compression: 'gzip' })
server.add(grpc.testing.TestService, interopService)
const tls =
  flags['tls-cert'] === undefined
    ? {}
    : { tls: { cert: readFileSync(flags['tls-cert']), key: readFileSync(flags['tls-key']!) } }
console.log(`listening ${await server.listen('127.0.0.1:0', tls)}`)
process.once('SIGTERM', () => void server.close({ graceMs: 0 }))
