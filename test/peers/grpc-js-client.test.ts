/** A client of grpc-js and our server, on both engines. */
import * as grpc from '@grpc/grpc-js'
import t from 'tap'
import { fromServiceDefinition, Server } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { createAuthority } from '../support/certificates.ts'
import { countingProxy } from './support/counting-proxy.ts'
import { Ends, FAILURE, greeterHandlers, LARGE_OCTETS, startOurs } from './support/greeter.ts'
import { connectTheirs, Greeter, theirAnswer, theirAnswers } from './support/grpc-js.ts'

const NOTHING = new grpc.Metadata()

function metadataOf(entries: Record<string, (string | Buffer)[]>): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, values] of Object.entries(entries)) for (const value of values) metadata.add(name, value)
  return metadata
}

const failing = metadataOf({ behavior: ['fail'] })
const hanging = metadataOf({ behavior: ['hang'] })

for (const engine of ENGINES) {
  t.test(`${engine}: a client of grpc-js and our server`, async (t) => {
    t.test('the four kinds of call', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const unary = await theirAnswer((done) => client.sayHello({ name: 'Ada' }, NOTHING, {}, done))
      t.equal(unary.error, null)
      t.equal(unary.reply?.message, 'Hello Ada')

      t.same(await theirAnswers(client.sayHellos({ name: 'Ada' })), {
        messages: ['Hello Ada', 'Goodbye Ada'],
        error: undefined,
      })

      const gathered = await theirAnswer((done) => {
        const call = client.greetAll(NOTHING, {}, done)
        for (const name of ['Ada', 'Bob', '']) call.write({ name })
        call.end()
        return call
      })
      t.equal(gathered.reply?.message, 'Hello Ada, Bob, ')

      const chat = client.chat()
      const replies = chat[Symbol.asyncIterator]()
      for (const name of ['Ada', 'Bob', 'Cy']) {
        chat.write({ name })
        t.equal((await replies.next()).value.message, `Hello ${name}`)
      }
      chat.end()
      t.equal((await replies.next()).done, true)
    })

    t.test('metadata both ways, repeated and binary', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const octets = [Buffer.of(0, 1, 255), Buffer.of(7)]
      const metadata = metadataOf({ echo: ['a', 'b,c'], 'echo-bin': octets })
      const answer = await theirAnswer((done) => client.sayHello({ name: 'Ada' }, metadata, {}, done))
      // node:http2 joins what is repeated; grpc-js splits only binary values again
      t.equal(answer.headers.get('echo').join(', '), 'a, b,c')
      t.same(answer.trailers.get('echo-bin'), octets)
    })

    t.test('a status with details, before and after a message', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const unary = await theirAnswer((done) => client.sayHello({ name: 'Ada' }, failing, {}, done))
      const stream = await theirAnswers(client.sayHellos({ name: 'Ada' }, failing))
      t.same(stream.messages, ['Hello Ada'])
      for (const error of [unary.error, stream.error]) {
        t.match(error, { code: FAILURE.code, details: FAILURE.details })
        t.same(error?.metadata.get('grpc-status-details-bin'), [Buffer.from(FAILURE.detailsBin)])
      }
    })

    t.test('what a handler throws by mistake is UNKNOWN and stays secret', async (t) => {
      const errors: unknown[] = []
      const { address } = await startOurs(t, engine, { onHandlerError: (error) => errors.push(error) })
      const throwing = metadataOf({ behavior: ['throw'] })
      const { error } = await theirAnswer((done) =>
        connectTheirs(t, address).sayHello({ name: 'Ada' }, throwing, {}, done),
      )
      t.match(error, { code: grpc.status.UNKNOWN, details: 'Unknown error' })
      t.match(errors, [{ message: 'secret of the server' }])
    })

    t.test('a method that is not there is UNIMPLEMENTED', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const identity = (octets: Buffer): Buffer => octets
      const error = await new Promise<grpc.ServiceError | null>((resolve) => {
        client.makeUnaryRequest('/helloworld.Greeter/Nope', identity, identity, Buffer.alloc(0), resolve)
      })
      t.match(error, { code: grpc.status.UNIMPLEMENTED, details: /\/helloworld\.Greeter\/Nope/ })
    })

    t.test('a deadline ends the call on both sides', async (t) => {
      const { address, ends } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const options = { deadline: Date.now() + 100 }
      const { error } = await theirAnswer((done) => client.sayHello({ name: 'Ada' }, hanging, options, done))
      t.equal(error?.code, grpc.status.DEADLINE_EXCEEDED)
      await ends.reached(1)
      const stream = await theirAnswers(
        client.sayHellos({ name: 'Ada' }, hanging, { deadline: Date.now() + 100 }),
      )
      t.same(stream.messages, ['Hello Ada'])
      t.equal(stream.error?.code, grpc.status.DEADLINE_EXCEEDED)
      await ends.reached(2)
    })

    t.test('a cancel reaches the handler', async (t) => {
      const { address, ends } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const stream = client.sayHellos({ name: 'Ada' }, hanging)
      stream.once('data', () => stream.cancel())
      t.equal((await theirAnswers(stream)).error?.code, grpc.status.CANCELLED)
      await ends.reached(1)
      const chat = client.chat(hanging)
      chat.write({ name: 'Ada' })
      chat.once('data', () => chat.cancel())
      t.equal((await theirAnswers(chat)).error?.code, grpc.status.CANCELLED)
      await ends.reached(2)
    })

    t.test('gzip is received, and sent back compressed', async (t) => {
      const { address } = await startOurs(t, engine, { compression: 'gzip' })
      const passed = await countingProxy(t, address)
      const client = connectTheirs(t, passed.address, {
        'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
      })
      const name = 'a'.repeat(1 << 20)
      const { reply } = await theirAnswer((done) => client.sayHello({ name }, NOTHING, {}, done))
      t.ok(reply?.message === `Hello ${name}`)
      t.ok(passed.requestOctets < 100_000, `${passed.requestOctets} octets for a request of 1 MiB`)
      t.ok(passed.responseOctets < 100_000, `${passed.responseOctets} octets for a response of 1 MiB`)
    })

    t.test('messages of 8 MiB, and the limit', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const name = 'a'.repeat(LARGE_OCTETS)
      const { reply } = await theirAnswer((done) => client.sayHello({ name }, NOTHING, {}, done))
      t.ok(reply?.message === `Hello ${name}`)
      const { messages } = await theirAnswers(client.sayHellos({ name }))
      t.ok(messages[0] === `Hello ${name}` && messages[1] === `Goodbye ${name}`)

      const limited = await startOurs(t, engine, { maxReceiveMessageOctets: 1000 })
      const { error } = await theirAnswer((done) =>
        connectTheirs(t, limited.address).sayHello({ name }, NOTHING, {}, done),
      )
      t.match(error, { code: grpc.status.RESOURCE_EXHAUSTED, details: /1000/ })
    })

    t.test('many calls and messages at once', async (t) => {
      const { address } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const names = Array.from({ length: 100 }, (_, index) => `n${index}`)
      const answers = await Promise.all(
        names.map((name) => theirAnswer((done) => client.sayHello({ name }, NOTHING, {}, done))),
      )
      t.same(
        answers.map(({ reply }) => reply?.message),
        names.map((name) => `Hello ${name}`),
      )
      const chat = client.chat()
      for (let index = 0; index < 1000; index++) chat.write({ name: String(index) })
      chat.end()
      const { messages } = await theirAnswers(chat)
      t.same(
        messages,
        Array.from({ length: 1000 }, (_, index) => `Hello ${index}`),
      )
    })

    t.test('TLS, and client certificates', async (t) => {
      const authority = await createAuthority()
      const identity = await authority.issue('localhost')
      const customer = await authority.issue('customer')
      const roots = Buffer.from(authority.ca)
      const open = await startOurs(t, engine, { tls: identity })
      const plain = connectTheirs(t, open.address, { credentials: grpc.credentials.createSsl(roots) })
      const { reply } = await theirAnswer((done) => plain.sayHello({ name: 'Ada' }, NOTHING, {}, done))
      t.equal(reply?.message, 'Hello Ada')

      const closed = await startOurs(t, engine, { tls: { ...identity, ca: authority.ca } })
      const known = grpc.credentials.createSsl(roots, Buffer.from(customer.key), Buffer.from(customer.cert))
      const welcome = connectTheirs(t, closed.address, { credentials: known })
      const answer = await theirAnswer((done) => welcome.sayHello({ name: 'Bob' }, NOTHING, {}, done))
      t.equal(answer.reply?.message, 'Hello Bob')
      const stranger = connectTheirs(t, closed.address, { credentials: grpc.credentials.createSsl(roots) })
      const refused = await theirAnswer((done) => stranger.sayHello({ name: 'Eve' }, NOTHING, {}, done))
      t.equal(refused.error?.code, grpc.status.UNAVAILABLE)
    })

    t.test('a service as grpc-js describes it', async (t) => {
      const server = new Server({ engine })
      server.add(fromServiceDefinition(Greeter), greeterHandlers(new Ends()))
      const address = await server.listen('127.0.0.1:0')
      t.teardown(() => server.close({ graceMs: 0 }))
      const { messages } = await theirAnswers(connectTheirs(t, address).sayHellos({ name: 'Ada' }))
      t.same(messages, ['Hello Ada', 'Goodbye Ada'])
    })

    t.test('a closing server lets calls end and takes no more', async (t) => {
      const { address, server } = await startOurs(t, engine)
      const client = connectTheirs(t, address)
      const chat = client.chat()
      const replies = chat[Symbol.asyncIterator]()
      chat.write({ name: 'Ada' })
      await replies.next()
      const closed = server.close()
      chat.write({ name: 'Bob' })
      t.equal((await replies.next()).value.message, 'Hello Bob')
      chat.end()
      t.equal((await replies.next()).done, true)
      await closed
      const late = await theirAnswer((done) => client.sayHello({ name: 'Cy' }, NOTHING, {}, done))
      t.equal(late.error?.code, grpc.status.UNAVAILABLE)
    })
  })
}
