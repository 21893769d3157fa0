import { join } from 'node:path'
import t, { type Test } from 'tap'
import { reflectSchema } from '../../src/cli/reflected-schema.ts'
import {
  addReflection,
  connect,
  findService,
  loadProto,
  Server,
  ServerReflection,
  type ServerReflectionMethods,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionV1Alpha,
  type Service,
  Status,
  StatusError,
} from '../../src/index.ts'
import { rejection } from '../rpc/support/pair.ts'
import { glass } from './support/fake-terminal.ts'

async function listen(t: Test, prepare: (server: Server) => void): Promise<string> {
  const server = new Server()
  prepare(server)
  t.teardown(() => server.close({ graceMs: 0 }))
  return server.listen('127.0.0.1:0')
}

function ask(t: Test, address: string, name = 'shop.Orders') {
  const channel = connect(address)
  t.teardown(() => channel.close({ graceMs: 0 }))
  return reflectSchema(channel, name)
}

const source = {
  'orders.proto': `syntax = "proto3"; package shop; import "things/item.proto"; import "google/protobuf/timestamp.proto";
    message Order { things.Item item = 1; google.protobuf.Timestamp at = 2; }
    service Orders { rpc Echo(Order) returns (Order); }`,
  things: {
    'item.proto': 'syntax = "proto3"; package things; message Item { string name = 1; int64 count = 2; }',
  },
}

t.test('a service that glass does not know is asked from its server', async (t) => {
  const { shop } = await loadProto(join(t.testdir(source), 'orders.proto'))
  const address = await listen(t, (server) => {
    server.add(shop.Orders, { echo: (order: object) => order })
    addReflection(server)
  })
  const order = { item: { name: 'book', count: '9007199254740993' }, at: '2024-02-29T12:00:00Z' }
  const args = ['call', address, 'shop.Orders/Echo', '-d', JSON.stringify(order), '--json']
  t.same(await glass(args), { exitCode: 0, stdout: `${JSON.stringify(order)}\n`, stderr: '' })
  const shown = await glass([...args, '-v'])
  t.equal(shown.stderr.match(/requestHeaders/g)?.length, 1, '-v shows the call, not what was asked before')
  t.match(await glass(['call', address, 'shop.Orders/Nope']), {
    exitCode: 76,
    stderr: 'glass: shop.Orders has no method Nope: there are Echo\n',
  })
  t.match(await glass(['call', address, 'shop.Nobody/Echo']), {
    exitCode: 76,
    stderr: /^glass: the server has no service shop\.Nobody: there are shop\.Orders, grpc\.reflection/,
  })
})

t.test('a server without reflection, and none at all', async (t) => {
  const address = await listen(t, () => {})
  t.match(await glass(['call', address, 'shop.Orders/Echo']), {
    exitCode: 76,
    stderr: /shop\.Orders is unknown here, and the server does not tell .* --proto names the file/,
  })
  t.match(await glass(['call', '127.0.0.1:1', 'shop.Orders/Echo']), {
    exitCode: 78,
    stderr: /connection refused/,
  })
})

type Answers = (request: ServerReflectionRequest) => ServerReflectionResponse

/** A server whose reflection is the test's. */
function answering(t: Test, answer: Answers, service: Service<ServerReflectionMethods> = ServerReflection) {
  return listen(t, (server) => {
    server.add(service, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield answer(request)
      },
    })
  })
}

/** Serialized FileDescriptorProto with nothing but a name and imports. */
function file(name: string, ...imports: string[]): Uint8Array {
  const field = (number: number, text: string): Buffer =>
    Buffer.concat([Buffer.of((number << 3) | 2, Buffer.byteLength(text)), Buffer.from(text)])
  return Buffer.concat([field(1, name), ...imports.map((each) => field(3, each))])
}

const filesOf = (...files: Uint8Array[]): ServerReflectionResponse => ({
  fileDescriptorResponse: { fileDescriptorProto: files },
})

t.test('a server that brings one file at a time, in the older version', async (t) => {
  const { shop } = await loadProto(join(t.testdir(source), 'orders.proto'))
  const [orders, ...rest] = (shop.Orders as Service).fileDescriptors?.() ?? []
  const all = [orders, ...rest] as Uint8Array[]
  const named = (name: string): Uint8Array =>
    all.find((each) => Buffer.from(each).indexOf(name) === 1) as Uint8Array
  const asked: ServerReflectionRequest[] = []
  const address = await answering(
    t,
    (request) => {
      asked.push(request)
      return filesOf(
        request.fileByFilename === undefined ? named('\u000corders.proto') : named('\u0011things/item.proto'),
      )
    },
    ServerReflectionV1Alpha,
  )
  const schema = await ask(t, address)
  t.same(Object.keys(findService(schema, 'shop.Orders')?.methods ?? {}), ['echo'])
  t.match(asked, [{ fileContainingSymbol: 'shop.Orders' }, { fileByFilename: 'things/item.proto' }])
})

t.test('what a hostile server tells ends in one error', async (t) => {
  let count = 0
  for (const [name, answer, error] of [
    [
      'octets that are no descriptor',
      () => filesOf(Uint8Array.of(0x0a, 0x7f)),
      { statusCode: 13, message: /can't be used/ },
    ],
    [
      'other files than asked for',
      () => filesOf(file('a.proto', 'b.proto')),
      { statusCode: 13, message: /other files than b/ },
    ],
    [
      'imports without end',
      () => filesOf(file(`${count++}.proto`, `${count}.proto`)),
      { statusCode: 8, message: /more than 2000 files/ },
    ],
    [
      'a large file of nothing',
      () => filesOf(Buffer.alloc(3 << 20)),
      { statusCode: 13, message: /field number 0/ },
    ],
    ['no files', () => filesOf(), { statusCode: 13, message: /it lacks shop\.Orders/ }],
    ['an empty answer', () => ({}), { statusCode: 13, message: /it lacks shop\.Orders/ }],
    [
      'a file that it does not tell',
      (request) =>
        request.fileByFilename === undefined
          ? filesOf(file('a.proto', 'b.proto'))
          : { errorResponse: { errorCode: 5, errorMessage: 'gone' } },
      { statusCode: 13, message: /does not tell its file b\.proto: gone/ },
    ],
  ] as const satisfies readonly (readonly [string, Answers, object])[]) {
    const address = await answering(t, answer)
    t.match(await rejection(ask(t, address)), error, name)
  }
  const failing = await answering(t, () => {
    throw new StatusError(Status.PERMISSION_DENIED, 'not for you')
  })
  await t.rejects(ask(t, failing), { code: 7, details: 'not for you' })
})
