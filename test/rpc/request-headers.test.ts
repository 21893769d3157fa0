import t from 'tap'
import { Metadata } from '../../src/rpc/metadata.ts'
import { readRequestHead, requestTemplate, writeRequestHeaders } from '../../src/rpc/request-headers.ts'

const template = requestTemplate({
  scheme: 'https',
  path: '/a.B/C',
  authority: 'host:1',
  userAgent: 'ua',
  acceptEncoding: 'identity,gzip',
  encoding: 'gzip',
})

t.test('gRPC PROTOCOL-HTTP2 Requests: order of Call-Definition, then Custom-Metadata', async (t) => {
  t.same(writeRequestHeaders(template, 1500, new Metadata({ z: '1', 'b-bin': Uint8Array.of(0) })), [
    ...[':method', 'POST', ':scheme', 'https', ':path', '/a.B/C', ':authority', 'host:1', 'te', 'trailers'],
    ...['grpc-timeout', '1500m', 'content-type', 'application/grpc', 'user-agent', 'ua'],
    ...['grpc-encoding', 'gzip', 'grpc-accept-encoding', 'identity,gzip', 'z', '1', 'b-bin', 'AA'],
  ])
})

t.test('calls that say nothing special share one list', async (t) => {
  const fields = writeRequestHeaders(template, Number.POSITIVE_INFINITY, undefined)
  t.equal(fields, writeRequestHeaders(template, Number.POSITIVE_INFINITY, undefined))
  t.ok(Object.isFrozen(fields))
  t.notOk(fields.includes('grpc-timeout'))
})

t.test('what is written is read back', async (t) => {
  t.same(readRequestHead(writeRequestHeaders(template, 5, undefined)), {
    method: 'POST',
    path: '/a.B/C',
    authority: 'host:1',
    contentType: 'application/grpc',
    timeout: '5m',
    encoding: 'gzip',
    acceptEncoding: 'identity,gzip',
  })
  t.match(readRequestHead(['grpc-encoding', 'identity']), { encoding: undefined, method: undefined })
  t.match(readRequestHead(['grpc-accept-encoding', 'a', 'grpc-accept-encoding', 'b']), {
    acceptEncoding: 'a,b',
  })
})
