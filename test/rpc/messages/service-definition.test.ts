import {
  type ServiceDefinition as GrpcJsDefinition,
  loadPackageDefinition,
  makeGenericClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import t from 'tap'
import { loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'
import {
  fromServiceDefinition,
  type ServiceDefinition,
  toServiceDefinition,
} from '../../../src/rpc/messages/service-definition.ts'

const loaded = loadSync('proto/helloworld.proto')
const definition = loaded['helloworld.Greeter'] as ServiceDefinition

t.test('a grpc-js ServiceDefinition becomes a service', async (t) => {
  const service = fromServiceDefinition(definition)
  t.equal(service.name, 'helloworld.Greeter')
  t.strictSame(Object.keys(service.methods), ['sayHello', 'sayHellos', 'greetAll', 'chat'])
  const { sayHello, chat } = service.methods
  t.match(sayHello, {
    name: 'SayHello',
    path: '/helloworld.Greeter/SayHello',
    requestStream: false,
    responseStream: false,
  })
  t.match(chat, { requestStream: true, responseStream: true })
  t.equal(sayHello!.request.typeName, 'HelloRequest')
  const octets = sayHello!.request.encode({ name: 'world' })
  t.equal(Buffer.from(octets).toString('hex'), '00000000000a05776f726c64', 'five blank octets in front')
  t.strictSame({ ...sayHello!.request.decode(octets, 5, octets.length) }, { name: 'world' })
  const reply = sayHello!.response.encode({ message: 'hi' })
  t.strictSame({ ...sayHello!.response.decode(reply, 5, reply.length) }, { message: 'hi' })
  t.ok(service.fileDescriptors!().every((file) => file instanceof Uint8Array))
  t.ok(service.fileDescriptors!().length > 0)
})

t.test('a client class of grpc-js is accepted too', async (t) => {
  const { Greeter } = (
    loadPackageDefinition(loaded) as unknown as { helloworld: { Greeter: { service: ServiceDefinition } } }
  ).helloworld
  t.equal(fromServiceDefinition(Greeter).name, 'helloworld.Greeter')
})

t.test('definitions of generated code, without types', async (t) => {
  const text = {
    serialize: (value: string) => Buffer.from(value),
    deserialize: (octets: Buffer) => octets.toString(),
  }
  const service = fromServiceDefinition({
    Say_It: {
      path: '/a.B/Say_It',
      requestStream: false,
      responseStream: true,
      requestSerialize: text.serialize,
      requestDeserialize: text.deserialize,
      responseSerialize: (_value: number): Buffer => {
        throw new Error('mine')
      },
      responseDeserialize: () => {
        throw new Error('theirs')
      },
    },
  })
  t.equal(service.fileDescriptors, undefined)
  const { sayIt } = service.methods
  t.equal(sayIt!.request.typeName, 'a.B/Say_It request')
  const octets = sayIt!.request.encode('text')
  t.equal(Buffer.from(octets).toString('latin1'), '\0\0\0\0\0text')
  t.equal(sayIt!.request.decode(octets, 6, 8), 'ex')
  t.throws(() => sayIt!.response.encode(1), {
    message: "a.B/Say_It response: can't be encoded: mine",
    name: 'MessageError',
  })
  t.throws(() => sayIt!.response.decode(octets, 0, 1), {
    message: "a.B/Say_It response: can't be decoded: theirs",
  })
})

t.test('the messages of generated code keep their types', async (t) => {
  const typed = {
    sayIt: {
      path: '/a.B/SayIt',
      requestStream: false,
      responseStream: true,
      requestSerialize: (value: { name: string }) => Buffer.from(value.name),
      requestDeserialize: (octets: Buffer) => ({ name: octets.toString() }),
      responseSerialize: (value: { size: number }) => Buffer.alloc(value.size),
      responseDeserialize: (octets: Buffer) => ({ size: octets.length }),
    },
  } as const
  const { sayIt } = fromServiceDefinition(typed).methods
  const stream: true = sayIt.responseStream
  const reply: { size: number } = sayIt.response.decode(Buffer.alloc(7), 2, 6)
  t.strictSame([stream, reply], [true, { size: 4 }])
  // @ts-expect-error a request of another type
  t.throws(() => sayIt.request.encode({ nam: 'x' }), { name: 'MessageError' })
  const loose: GrpcJsDefinition = definition as unknown as GrpcJsDefinition
  t.equal(fromServiceDefinition(loose).name, 'helloworld.Greeter', 'the type of grpc-js is accepted')
})

t.test('what is no ServiceDefinition is refused', async (t) => {
  t.throws(() => fromServiceDefinition({}), { message: /it has no methods/ })
  t.throws(() => fromServiceDefinition({ a: { ...definition.SayHello!, path: 'SayHello' } }), {
    message: /path of a is "SayHello"/,
  })
  t.throws(() => fromServiceDefinition({ a: null } as unknown as ServiceDefinition), {
    message: /path of a is undefined/,
  })
  t.throws(
    () => fromServiceDefinition({ a: definition.SayHello!, b: { ...definition.SayHello!, path: '/x.Y/Z' } }),
    {
      message: /b belongs to x.Y, the methods before it to helloworld.Greeter/,
    },
  )
})

t.test('a service becomes a grpc-js ServiceDefinition', async (t) => {
  const { helloworld } = loadProtoSync('proto/helloworld.proto')
  const ours = toServiceDefinition(helloworld.Greeter)
  t.strictSame(Object.keys(ours), Object.keys(definition))
  for (const [name, method] of Object.entries(ours)) {
    const theirs = definition[name]!
    t.match(method, {
      path: theirs.path,
      requestStream: theirs.requestStream,
      responseStream: theirs.responseStream,
      originalName: theirs.originalName,
    })
    const octets = method.requestSerialize({ name: 'x' })
    t.strictSame(Buffer.from(octets), theirs.requestSerialize({ name: 'x' }))
    t.strictSame(method.requestDeserialize(Buffer.from(octets)), { name: 'x' })
    const reply = method.responseSerialize({ message: 'y' })
    t.strictSame({ ...theirs.responseDeserialize(Buffer.from(reply)) }, { message: 'y' })
    t.strictSame(method.responseDeserialize(Buffer.from(reply)), { message: 'y' })
  }
  const Client = makeGenericClientConstructor(ours as unknown as GrpcJsDefinition, 'Greeter')
  t.type(Client.prototype.sayHello, 'function', 'grpc-js takes it')
})
