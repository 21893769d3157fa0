/** The rpc floor alone: calls without .proto files or protobuf; any codec will do, here JSON. */
import { connect, MESSAGE_PREFIX_OCTETS, type MessageCodec, type Method, Server } from 'grpc-glass/rpc'

function json<T>(typeName: string): MessageCodec<T> {
  return {
    typeName,
    // room for the prefix of the message comes first, so that nothing has to be copied
    encode: (message) => Buffer.from(' '.repeat(MESSAGE_PREFIX_OCTETS) + JSON.stringify(message)),
    decode: (chunk, start, end) => JSON.parse(Buffer.from(chunk.subarray(start, end)).toString()),
  }
}
type Sum = Method<number[], number, false, false>
const sum: Sum = {
  name: 'Sum',
  path: '/math.Math/Sum',
  requestStream: false,
  responseStream: false,
  request: json('numbers'),
  response: json('number'),
}
const service = { name: 'math.Math', methods: { sum } }

await using server = new Server().add(service, { sum: (numbers) => numbers.reduce((a, b) => a + b, 0) })
await using channel = connect(await server.listen('127.0.0.1:0'))
console.log(await channel.client(service).sum([1, 2, 3]))
