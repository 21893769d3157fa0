import t from 'tap'
import {
  isGrpcContentType,
  isProtoContentType,
  readResponseHead,
  readStatus,
} from '../../src/rpc/response-headers.ts'

t.test('gRPC PROTOCOL-HTTP2 Content-Type', async (t) => {
  for (const good of [
    'application/grpc',
    'application/grpc+proto',
    'application/grpc;charset=x',
    'application/grpc ;a=b',
  ]) {
    t.equal(isGrpcContentType(good), true, good)
  }
  for (const bad of [
    undefined,
    '',
    'text/html',
    'application/grpcfoo',
    'application/grpc-web',
    'application/json',
  ]) {
    t.equal(isGrpcContentType(bad), false, String(bad))
  }
})

t.test('the fields that a client reads', async (t) => {
  t.same(
    readResponseHead([
      ':status',
      '200',
      'content-type',
      'application/grpc',
      'grpc-encoding',
      'gzip',
      'grpc-status',
      '0',
      'x',
      'y',
      'grpc-accept-encoding',
      'br',
    ]),
    {
      httpStatus: 200,
      contentType: 'application/grpc',
      encoding: 'gzip',
      acceptEncoding: 'br',
      hasStatus: true,
    },
  )
  t.match(readResponseHead(['grpc-encoding', 'identity']), {
    httpStatus: 0,
    encoding: undefined,
    hasStatus: false,
  })
})

t.test('statuses', async (t) => {
  t.equal(
    readStatus(['grpc-status', '0'], 200),
    readStatus(['grpc-status', '0'], 200),
    'plain OK costs nothing',
  )
  t.match(readStatus(['grpc-status', '0', 'x', 'y'], 200), { code: 0, details: '' })
  t.match(readStatus(['grpc-status', '0', 'grpc-message', 'OK'], 200), { code: 0, details: 'OK' })
  t.match(
    readStatus(['grpc-status', '5', 'grpc-status', '5'], 200),
    { code: 5 },
    'the same twice is no contradiction',
  )
  t.match(readStatus([], 503), { code: 14, details: 'Received HTTP status code 503 and no grpc-status' })
  t.match(readStatus([], 200), { code: 2 })
  t.match(readStatus(['grpc-status', 'x', 'grpc-message', 'why'], 200), {
    code: 2,
    details: 'Received grpc-status "x", which is no status code: why',
  })
})

t.test('gRPC PROTOCOL-HTTP2 "Content-Type": a server takes protobuf only', async (t) => {
  for (const good of [
    'application/grpc',
    'application/grpc+proto',
    'application/grpc;x=1',
    'application/grpc+proto; x=1',
  ]) {
    t.equal(isProtoContentType(good), true, good)
  }
  for (const bad of [
    undefined,
    'application/grpc+json',
    'application/grpc+protobuf',
    'application/grpc-web',
  ]) {
    t.equal(isProtoContentType(bad), false, String(bad))
  }
})
