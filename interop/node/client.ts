/** Our client of the peers: see interop/README.md for what it checks. */
import { deepStrictEqual, equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  connect,
  type EngineName,
  errorInfo,
  loadProto,
  type Metadata,
  Status,
  StatusError,
} from '../../src/index.ts'

const root = `${import.meta.dirname}/../..`

const { values: flags } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:50051' },
    countries: { type: 'string', default: `${root}/interop/countries.json` },
    engine: { type: 'string', default: 'node' },
    'tls-ca': { type: 'string' },
  },
})
const deadline = 20_000
const shortMs = 200
const noticedWithinMs = 5000
const largeNameOctets = 8 << 20
const streamedMessages = 1000
const simultaneousCalls = 100

interface Country {
  name: string
}
interface HelloReply {
  message: string
}
const known: Country[] = JSON.parse(readFileSync(flags.countries, 'utf8'))
const { helloworld } = await loadProto(`${root}/proto/helloworld.proto`)
const { countries } = await loadProto(`${root}/proto/countries.proto`)
const channel = connect(flags.address, {
  engine: flags.engine as EngineName,
  maxReceiveMessageOctets: 16 << 20,
  ...(flags['tls-ca'] !== undefined && { tls: { ca: readFileSync(flags['tls-ca']) } }),
})
const greeter = channel.client(helloworld.Greeter)
const country = channel.client(countries.Country)

async function texts(replies: AsyncIterable<HelloReply>): Promise<string[]> {
  const received: string[] = []
  for await (const { message } of replies) received.push(message)
  return received
}

/** The StatusError that a call, or reading it, rejects with. */
async function failureOf(result: PromiseLike<unknown>): Promise<StatusError> {
  try {
    await result
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  throw new Error('got a result, want an error')
}

function expectStatus(error: StatusError, code: number, details?: string): void {
  equal(error.code, code, error.message)
  if (details !== undefined) equal(error.details, details)
}

const everyOctet = Uint8Array.from({ length: 256 }, (_, index) => index)
const sentMetadata = {
  'glass-initial': ['one', 'two three'],
  'glass-trailing-bin': [everyOctet, new Uint8Array()],
}

async function expectMetadata(call: {
  headers: Promise<Metadata>
  trailers: Promise<Metadata>
}): Promise<void> {
  deepStrictEqual((await call.headers).getAll('glass-initial'), ['one', 'two three'])
  const trailing = (await call.trailers).getAll('glass-trailing-bin')
  deepStrictEqual(
    trailing.map((value) => [...value]),
    [[...everyOctet], []],
  )
}

function expectFailure(error: StatusError): void {
  expectStatus(error, Status.NOT_FOUND, 'no such name: Zoë')
  deepStrictEqual(error.statusDetails, [
    errorInfo({ reason: 'UNKNOWN_NAME', domain: 'grpc-glass.test', metadata: { name: 'Zoë' } }),
  ])
}

const failing = { deadline, metadata: { 'glass-behavior': 'fail' } }
const hanging = { deadline, metadata: { 'glass-behavior': 'hang' } }

async function callsOver(): Promise<number> {
  const reply = await greeter.sayHello({ name: '' }, { deadline, metadata: { 'glass-behavior': 'count' } })
  return Number(reply.message)
}

/** Makes a call that hangs and waits until the server has seen its end. */
async function noticed(call: () => Promise<void>): Promise<void> {
  const before = await callsOver()
  await call()
  const start = performance.now()
  for (;;) {
    const after = await callsOver()
    if (after === before + 1) return
    if (performance.now() - start > noticedWithinMs) {
      throw new Error(`the server counts ${after} calls over, want ${before + 1}`)
    }
    await sleep(10)
  }
}

const cases: Record<string, () => Promise<void>> = {
  async unary() {
    const reply = await greeter.sayHello({ name: 'Zoë 🦉' }, { deadline })
    equal(reply.message, 'Hello Zoë 🦉')
  },
  async 'server streaming'() {
    const received = await texts(greeter.sayHellos({ name: 'Ada' }, { deadline }))
    deepStrictEqual(received, ['Hello Ada', 'Hello again, Ada', 'Goodbye Ada'])
  },
  async 'client streaming'() {
    const call = greeter.greetAll({ deadline })
    for (const name of ['Ada', '', 'Grace']) await call.write({ name })
    call.end()
    equal((await call).message, 'Hello Ada, , Grace')
  },
  async 'bidirectional streaming in lock step'() {
    const call = greeter.chat({ deadline })
    const replies = call[Symbol.asyncIterator]()
    for (const name of ['Ada', 'Grace', 'Edith']) {
      await call.write({ name })
      deepStrictEqual(await replies.next(), { done: false, value: { message: `Hello ${name}` } })
    }
    call.end()
    equal((await replies.next()).done, true)
    equal((await call.status).code, Status.OK)
  },
  async 'country found'() {
    for (const entry of known) {
      deepStrictEqual({ ...(await country.search({ name: entry.name.toUpperCase() }, { deadline })) }, entry)
    }
  },
  async 'country not found'() {
    const error = await failureOf(country.search({ name: 'Atlantis' }, { deadline }))
    expectStatus(error, Status.NOT_FOUND, 'no country is called Atlantis')
  },
  async 'metadata on a unary call'() {
    const call = greeter.sayHello({ name: 'Ada' }, { deadline, metadata: sentMetadata })
    await call
    await expectMetadata(call)
  },
  async 'metadata on a streaming call'() {
    const call = greeter.sayHellos({ name: 'Ada' }, { deadline, metadata: sentMetadata })
    await texts(call)
    await expectMetadata(call)
  },
  async 'error with details'() {
    expectFailure(await failureOf(greeter.sayHello({ name: 'Zoë' }, failing)))
  },
  async 'error after a message'() {
    const received: string[] = []
    const read = async (): Promise<void> => {
      for await (const { message } of greeter.sayHellos({ name: 'Zoë' }, failing)) received.push(message)
    }
    const error = await failureOf(read())
    deepStrictEqual(received, ['Hello Zoë'])
    expectFailure(error)
  },
  'deadline expires on both sides': () =>
    noticed(async () => {
      const call = greeter.sayHello({ name: 'Ada' }, { ...hanging, deadline: shortMs })
      expectStatus(await failureOf(call), Status.DEADLINE_EXCEEDED)
    }),
  'cancel reaches the server': () =>
    noticed(async () => {
      const stop = new AbortController()
      const call = greeter.sayHello({ name: 'Ada' }, { ...hanging, signal: stop.signal })
      setTimeout(() => stop.abort(), shortMs)
      expectStatus(await failureOf(call), Status.CANCELLED)
    }),
  'cancel of an open stream reaches the server': () =>
    noticed(async () => {
      const call = greeter.chat(hanging)
      const replies = call[Symbol.asyncIterator]()
      await call.write({ name: 'Ada' })
      deepStrictEqual(await replies.next(), { done: false, value: { message: 'Hello Ada' } })
      call.cancel()
      expectStatus(await failureOf(replies.next()), Status.CANCELLED)
    }),
  async '8 MiB both ways'() {
    const name = 'x'.repeat(largeNameOctets)
    const reply = await greeter.sayHello({ name }, { deadline })
    equal(reply.message === `Hello ${name}`, true)
  },
  async '1000 messages both ways'() {
    const requests = Array.from({ length: streamedMessages }, (_, index) => ({ name: String(index) }))
    const received = await texts(greeter.chat(requests, { deadline }))
    deepStrictEqual(
      received,
      requests.map(({ name }) => `Hello ${name}`),
    )
  },
  async '100 calls at once'() {
    const names = Array.from({ length: simultaneousCalls }, (_, index) => String(index))
    const replies: HelloReply[] = await Promise.all(
      names.map((name) => greeter.sayHello({ name }, { deadline })),
    )
    deepStrictEqual(
      replies.map(({ message }) => message),
      names.map((name) => `Hello ${name}`),
    )
  },
  async 'gzip both ways'() {
    const name = 'a long name '.repeat(1000)
    const reply = await greeter.sayHello({ name }, { deadline, compression: 'gzip' })
    equal(reply.message, `Hello ${name}`)
  },
  async 'unknown method'() {
    const method = {
      ...helloworld.Greeter.methods.sayHello,
      name: 'SayNothing',
      path: '/helloworld.Greeter/SayNothing',
    }
    expectStatus(await failureOf(channel.unary(method, { name: 'Ada' }, { deadline })), Status.UNIMPLEMENTED)
  },
}

console.log(`TAP version 14\n1..${Object.keys(cases).length}`)
for (const [index, [name, check]] of Object.entries(cases).entries()) {
  try {
    await check()
    console.log(`ok ${index + 1} - ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok ${index + 1} - ${name}\n${String(error).replaceAll(/^/gm, '# ')}`)
  }
}
await channel.close()
