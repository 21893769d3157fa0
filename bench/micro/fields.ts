/** Header sections of a gRPC call, as this library sends them. */
import { requestTemplate } from '../../src/rpc/request-headers.ts'

/** What a method's calls send, prepared once. */
export const template = requestTemplate({
  scheme: 'http',
  path: '/helloworld.Greeter/SayHello',
  authority: '127.0.0.1:50051',
  userAgent: 'grpc-glass',
  acceptEncoding: 'identity,deflate,gzip',
  encoding: undefined,
})
export const REQUEST = template.whole
export const RESPONSE = [
  ...[':status', '200', 'content-type', 'application/grpc'],
  ...['grpc-accept-encoding', 'identity,deflate,gzip'],
]
export const TRAILERS = ['grpc-status', '0']
