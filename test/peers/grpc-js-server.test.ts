/** Our client, on both engines, and a server of grpc-js. */
import * as grpc from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import {
  type Channel,
  type ChannelOptions,
  connect,
  fromServiceDefinition,
  Status,
  StatusError,
} from '../../src/index.ts'
import { collect, ENGINES, rejection } from '../rpc/support/pair.ts'
import { createAuthority } from '../support/certificates.ts'
import { countingProxy } from './support/counting-proxy.ts'
import { FAILURE, type HelloReply, helloworld, LARGE_LIMIT_OCTETS, LARGE_OCTETS } from './support/greeter.ts'
import { Greeter, startTheirs } from './support/grpc-js.ts'

const failing = { metadata: { behavior: 'fail' } }
const hanging = { behavior: 'hang' }

function open(t: Test, engine: EngineName, address: string, options: ChannelOptions = {}): Channel {
  const channel = connect(address, { engine, maxReceiveMessageOctets: LARGE_LIMIT_OCTETS, ...options })
  t.teardown(() => channel.close({ graceMs: 0 }))
  return channel
}

const messagesOf = async (call: AsyncIterable<HelloReply>): Promise<string[]> =>
  (await collect(call)).map(({ message }) => message)

for (const engine of ENGINES) {
  t.test(`${engine}: our client and a server of grpc-js`, async (t) => {
    t.test('the four kinds of call', async (t) => {
      const { address } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      t.same(await greeter.sayHello({ name: 'Ada' }), { message: 'Hello Ada' })
      t.same(await messagesOf(greeter.sayHellos({ name: 'Ada' })), ['Hello Ada', 'Goodbye Ada'])
      t.same(await greeter.greetAll([{ name: 'Ada' }, { name: '' }]), { message: 'Hello Ada, ' })
      const chat = greeter.chat()
      const replies = chat[Symbol.asyncIterator]()
      for (const name of ['Ada', 'Bob']) {
        await chat.write({ name })
        t.equal((await replies.next()).value.message, `Hello ${name}`)
      }
      chat.end()
      t.equal((await replies.next()).done, true)
    })

    t.test('metadata both ways, repeated and binary', async (t) => {
      const { address } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      const octets = [Uint8Array.of(0, 1, 255), Uint8Array.of(7)]
      const call = greeter.sayHello({ name: 'Ada' }, { metadata: { echo: ['a', 'b'], 'echo-bin': octets } })
      await call
      // node:http2 joins what is repeated on the way to the handler of grpc-js
      t.same((await call.headers).getAll('echo'), ['a, b'])
      t.same(
        (await call.trailers).getAll('echo-bin').map((each: Uint8Array) => [...each]),
        octets.map((each) => [...each]),
      )
    })

    t.test('a status with details, before and after a message', async (t) => {
      const { address } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      const messages: string[] = []
      const reading = async (): Promise<void> => {
        for await (const { message } of greeter.sayHellos({ name: 'Ada' }, failing)) messages.push(message)
      }
      for (const promise of [greeter.sayHello({ name: 'Ada' }, failing), reading()]) {
        const error = (await rejection(promise)) as StatusError
        t.ok(error instanceof StatusError)
        t.match(error, { code: FAILURE.code, details: FAILURE.details })
        t.same([...(error.metadata.get('grpc-status-details-bin') ?? [])], [...FAILURE.detailsBin])
      }
      t.same(messages, ['Hello Ada'])
    })

    t.test('a method that is not there is UNIMPLEMENTED', async (t) => {
      const { address } = await startTheirs(t)
      const method = { ...helloworld.Greeter.methods.sayHello, path: '/helloworld.Greeter/Nope' }
      const error = await rejection(open(t, engine, address).unary(method, { name: 'Ada' }))
      t.match(error, { code: Status.UNIMPLEMENTED, details: /\/helloworld\.Greeter\/Nope/ })
    })

    t.test('a deadline ends the call on both sides', async (t) => {
      const { address, ends } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      const error = await rejection(greeter.sayHello({ name: 'Ada' }, { metadata: hanging, deadline: 100 }))
      t.match(error, { code: Status.DEADLINE_EXCEEDED })
      await ends.reached(1)
      const stream = greeter.sayHellos({ name: 'Ada' }, { metadata: hanging, deadline: 100 })
      t.match(await rejection(collect(stream)), { code: Status.DEADLINE_EXCEEDED })
      await ends.reached(2)
    })

    t.test('a cancel reaches the handler: by signal, by method, by leaving the loop', async (t) => {
      const { address, ends } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      const stop = new AbortController()
      const call = greeter.sayHello({ name: 'Ada' }, { metadata: hanging, signal: stop.signal })
      await call.headers
      stop.abort()
      t.match(await rejection(call), { code: Status.CANCELLED })
      await ends.reached(1)

      const gathering = greeter.greetAll({ metadata: hanging })
      await gathering.headers
      gathering.cancel()
      t.match(await gathering.status, { code: Status.CANCELLED })
      await ends.reached(2)

      const chat = greeter.chat({ metadata: hanging })
      await chat.write({ name: 'Ada' })
      for await (const _ of chat) break
      t.match(await chat.status, { code: Status.CANCELLED })
      await ends.reached(3)
    })

    t.test('gzip is sent', async (t) => {
      const { address } = await startTheirs(t)
      const passed = await countingProxy(t, address)
      const channel = open(t, engine, passed.address, { compression: 'gzip' })
      const name = 'a'.repeat(1 << 20)
      const { message } = await channel.client(helloworld.Greeter).sayHello({ name })
      t.ok(message === `Hello ${name}`)
      t.ok(passed.requestOctets < 100_000, `${passed.requestOctets} octets for a request of 1 MiB`)
    })

    t.test('messages of 8 MiB, and the limits of both sides', async (t) => {
      const { address } = await startTheirs(t)
      const channel = open(t, engine, address)
      const name = 'a'.repeat(LARGE_OCTETS)
      const greeter = channel.client(helloworld.Greeter)
      const { message } = await greeter.sayHello({ name })
      t.ok(message === `Hello ${name}`)
      const [hello, goodbye] = await messagesOf(greeter.sayHellos({ name }))
      t.ok(hello === `Hello ${name}` && goodbye === `Goodbye ${name}`)
      const ours = await rejection(
        greeter.sayHello({ name: 'a'.repeat(2000) }, { maxReceiveMessageOctets: 1000 }),
      )
      t.match(ours, { code: Status.RESOURCE_EXHAUSTED, details: /1000/ })
      const limited = await startTheirs(t, { limits: { 'grpc.max_receive_message_length': 1000 } })
      const theirs = open(t, engine, limited.address).client(helloworld.Greeter)
      t.match(await rejection(theirs.sayHello({ name })), {
        code: Status.RESOURCE_EXHAUSTED,
        details: /1000/,
      })
    })

    t.test('many calls and messages at once', async (t) => {
      const { address } = await startTheirs(t)
      const greeter = open(t, engine, address).client(helloworld.Greeter)
      const names = Array.from({ length: 100 }, (_, index) => `n${index}`)
      t.same(
        await Promise.all(names.map((name) => greeter.sayHello({ name }))),
        names.map((name) => ({ message: `Hello ${name}` })),
      )
      const requests = Array.from({ length: 1000 }, (_, index) => ({ name: String(index) }))
      t.same(
        await messagesOf(greeter.chat(requests)),
        requests.map(({ name }) => `Hello ${name}`),
      )
    })

    t.test('TLS, and client certificates', async (t) => {
      const authority = await createAuthority()
      const identity = await authority.issue('localhost')
      const customer = await authority.issue('customer')
      const roots = Buffer.from(authority.ca)
      const pair = [{ private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.cert) }]
      const { address } = await startTheirs(t, { credentials: grpc.ServerCredentials.createSsl(null, pair) })
      const trusting = { tls: { ca: authority.ca } }
      const greeter = open(t, engine, address, trusting).client(helloworld.Greeter)
      t.same(await greeter.sayHello({ name: 'Ada' }), { message: 'Hello Ada' })
      const distrusting = open(t, engine, address, { tls: true }).client(helloworld.Greeter)
      t.match(await rejection(distrusting.sayHello({ name: 'Ada' })), {
        code: Status.UNAVAILABLE,
        details: /not trusted/,
        phase: 'tls',
      })

      const credentials = grpc.ServerCredentials.createSsl(roots, pair, true)
      const closed = await startTheirs(t, { credentials })
      const known = { tls: { ca: authority.ca, ...customer } }
      const welcome = open(t, engine, closed.address, known).client(helloworld.Greeter)
      t.same(await welcome.sayHello({ name: 'Bob' }), { message: 'Hello Bob' })
      const stranger = open(t, engine, closed.address, trusting).client(helloworld.Greeter)
      t.match(await rejection(stranger.sayHello({ name: 'Eve' })), { code: Status.UNAVAILABLE })
    })

    t.test('a service as grpc-js describes it', async (t) => {
      const { address } = await startTheirs(t)
      const greeter = open(t, engine, address).client(fromServiceDefinition(Greeter))
      t.same(await greeter.sayHello({ name: 'Ada' }), { message: 'Hello Ada' })
    })

    t.test('a server that says goodbye lets calls end and takes no more', async (t) => {
      const first = await startTheirs(t)
      const channel = open(t, engine, first.address)
      const greeter = channel.client(helloworld.Greeter)
      const chat = greeter.chat()
      const replies = chat[Symbol.asyncIterator]()
      await chat.write({ name: 'Ada' })
      await replies.next()
      const drained = new Promise<void>((resolve) => first.server.tryShutdown(() => resolve()))
      await chat.write({ name: 'Bob' })
      t.equal((await replies.next()).value.message, 'Hello Bob')
      chat.end()
      t.equal((await replies.next()).done, true)
      await drained
      t.match(await rejection(greeter.sayHello({ name: 'Cy' })), { code: Status.UNAVAILABLE })
    })
  })
}
