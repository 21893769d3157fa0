import t from 'tap'
import { loadProto, loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'

t.test('a .proto file becomes services and message types by package', async (t) => {
  const { helloworld } = await loadProto('proto/helloworld.proto')
  t.equal(helloworld.Greeter.name, 'helloworld.Greeter')
  t.strictSame(Object.keys(helloworld.Greeter.methods), ['sayHello', 'sayHellos', 'greetAll', 'chat'])
  const { sayHellos } = helloworld.Greeter.methods
  t.match(sayHellos, { name: 'SayHellos', path: '/helloworld.Greeter/SayHellos' })
  t.equal(sayHellos.requestStream, false)
  t.equal(sayHellos.responseStream, true)
  t.equal(sayHellos.request, helloworld.HelloRequest)
  const octets: Uint8Array = helloworld.HelloRequest.encode({ name: 'world' })
  t.equal(Buffer.from(octets).toString('hex'), '00000000000a05776f726c64', 'five blank octets in front')
  t.strictSame(helloworld.HelloRequest.decode(octets, 5, octets.length), { name: 'world' })
})

t.test('without waiting the same', async (t) => {
  const { countries } = loadProtoSync('proto/countries.proto')
  t.strictSame(countries.CountryRequest.decode(countries.CountryRequest.encode({ name: 'Korea' }), 5), {
    name: 'Korea',
  })
})
