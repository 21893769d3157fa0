/** The wire floor alone: a gRPC request as octets, written by hand and taken apart again, without any socket. */
import * as wire from 'grpc-glass/wire'

const out = new wire.OctetWriter()
const hpack = new wire.HpackEncoder()
const start = wire.beginHeaders(out, 1, false)
hpack.encode([':method', 'POST', ':path', '/helloworld.Greeter/SayHello', 'te', 'trailers'], out)
wire.endFieldBlock(out, start, wire.DEFAULT_MAX_FRAME_SIZE)
const message = Buffer.from('00000000050a03416461', 'hex') // not compressed, 5 octets, field 1: Ada
wire.writeData(out, 1, true, message)

for (const frame of wire.decodeFrames(out.take())) {
  console.log(wire.describeFrame(frame))
  if (frame.kind === 'HEADERS') console.log(new wire.HpackDecoder().decode(frame.fragment))
  if (frame.kind === 'DATA') console.log(wire.describeScan(wire.scan(frame.data.subarray(5))).join('\n'))
}
