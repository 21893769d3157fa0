/**
 * Health, reflection and error details, seen by a client that shares no code with us: `buf curl` (Go) is given no schema
 * and learns it from the server.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EngineName } from '../../../src/http2/transport.ts'
import {
  addHealth,
  addReflection,
  badRequest,
  loadProto,
  retryInfo,
  Server,
  StatusError,
  toJson,
} from '../../../src/rpc/index.ts'
import { createAuthority } from '../../support/certificates.ts'
import { ENGINES } from '../support/pair.ts'

const buf = join(import.meta.dirname, '../../../node_modules/.bin/buf')
const folder = mkdtempSync(join(tmpdir(), 'grpc-glass-buf-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const authority = await createAuthority()
const ca = join(folder, 'ca.pem')
writeFileSync(ca, authority.ca)

const { google } = await loadProto('proto/google/rpc/error_details.proto')
const { helloworld } = await loadProto('proto/helloworld.proto')
const { kinds } = await loadProto('test/rpc/messages/proto/kinds.proto')
const { shop } = await loadProto('test/rpc/services/proto/shop.proto')

interface Named {
  name: string
}

async function* greetEach(requests: AsyncIterable<Named>) {
  for await (const { name } of requests) yield { message: `Hello ${name}` }
}

async function start(t: Test, engine: EngineName, secure: boolean) {
  const server = new Server({ engine })
  server.add(helloworld.Greeter, {
    sayHello({ name }: Named) {
      if (name !== '') return { message: `Hello ${name}` }
      throw new StatusError(3, 'a name is needed', {
        statusDetails: [
          badRequest({ fieldViolations: [{ field: 'name', description: 'must not be empty' }] }),
          retryInfo({ retryDelayMs: 1500 }),
        ],
      })
    },
    chat: greetEach,
  })
  server.add(kinds.Kinds, { get: () => ({ anInt64: 2n ** 60n, color: 'GREEN', someBytes: Buffer.of(1, 2) }) })
  server.add(shop.Shop, { buy: (item: object) => item })
  const health = addHealth(server)
  addReflection(server)
  const identity = secure ? await authority.issue('localhost') : undefined
  const address = await server.listen('127.0.0.1:0', identity === undefined ? {} : { tls: identity })
  t.teardown(() => server.close({ graceMs: 0 }))
  const url = secure ? `https://${address}` : `http://${address}`
  const flags = secure ? ['--cacert', ca] : ['--http2-prior-knowledge']
  /** Runs `buf curl`. */
  const curl = (path: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(
        buf,
        ['curl', '--protocol', 'grpc', ...flags, ...args, url + path],
        { env: { ...process.env, HOME: folder, XDG_CACHE_HOME: folder, BUF_CACHE_DIR: folder } },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      )
    })
  /** What a call that must succeed prints. */
  const json = async (path: string, ...args: string[]) => {
    const { code, out, err } = await curl(path, ...args)
    t.equal(code, 0, `${path} ${err}`)
    return out
      .split(/(?<=^\})$/m)
      .filter((text) => text.trim() !== '')
      .map((text) => JSON.parse(text))
  }
  return { health, curl, json }
}

for (const engine of ENGINES) {
  t.test(`${engine}: buf curl learns the schema, by either version of reflection`, async (t) => {
    const { curl, json } = await start(t, engine, false)
    for (const version of ['grpc-v1', 'grpc-v1alpha']) {
      const reflect = ['--reflect-protocol', version]
      const listed = await curl('', '--list-methods', ...reflect)
      t.strictSame(listed.out.trim().split('\n').sort(), [
        'grpc.health.v1.Health/Check',
        'grpc.health.v1.Health/List',
        'grpc.health.v1.Health/Watch',
        'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
        'helloworld.Greeter/Chat',
        'helloworld.Greeter/GreetAll',
        'helloworld.Greeter/SayHello',
        'helloworld.Greeter/SayHellos',
        'kinds.Kinds/Get',
        'kinds.Kinds/HTTPCheck',
        'kinds.Kinds/PutAll',
        'kinds.Kinds/Then',
        'shop.Shop/Buy',
      ])
      const hello = ['/helloworld.Greeter/SayHello', '-d', '{"name":"Zoë"}', ...reflect] as const
      t.strictSame(await json(...hello), [{ message: 'Hello Zoë' }])
    }
    const chat = await json('/helloworld.Greeter/Chat', '-d', '{"name":"a"}{"name":"b"}')
    t.strictSame(chat, [{ message: 'Hello a' }, { message: 'Hello b' }])
    t.strictSame(await json('/kinds.Kinds/Get'), [
      { anInt64: '1152921504606846976', someBytes: 'AQI=', color: 'GREEN' },
    ])
    const item = { name: 'lamp', parts: [{ kind: 'SCREW' }], money: { currency: 'EUR', units: '5' } }
    const extended = { ...item, '[shop.colour]': 'red', '[shop.Item.within]': 'x' }
    t.strictSame(await json('/shop.Shop/Buy', '-d', JSON.stringify(extended)), [extended])
    const unknown = await curl('/helloworld.Greeter/SayNothing')
    t.match(unknown, { err: /SayNothing/ })
    t.not(unknown.code, 0)
  })

  t.test(`${engine}: buf curl asks for the health, over TLS`, async (t) => {
    const { health, curl, json } = await start(t, engine, true)
    const check = (service: string) =>
      ['/grpc.health.v1.Health/Check', '-d', JSON.stringify({ service })] as const
    t.strictSame(await json(...check('')), [{ status: 'SERVING' }])
    t.strictSame(await json(...check('helloworld.Greeter')), [{ status: 'SERVING' }])
    health.set('helloworld.Greeter', 'NOT_SERVING')
    t.strictSame(await json(...check('helloworld.Greeter')), [{ status: 'NOT_SERVING' }])
    t.match(await json('/grpc.health.v1.Health/List'), [{ statuses: { '': { status: 'SERVING' } } }])
    const unknown = await curl(...check('helloworld.Nobody'))
    t.match(JSON.parse(unknown.err), { code: 'not_found', message: /helloworld\.Nobody/ })
    t.equal(unknown.code, 5 << 3)
  })

  t.test(`${engine}: buf curl reads error details`, async (t) => {
    const { curl } = await start(t, engine, false)
    const { code, err } = await curl('/helloworld.Greeter/SayHello', '-d', '{}')
    t.equal(code, 3 << 3)
    const { details, ...status } = JSON.parse(err)
    t.strictSame(status, { code: 'invalid_argument', message: 'a name is needed' })
    t.strictSame(
      details.map(({ type, value }: { type: string; value: string }) => {
        const messageType = google.rpc[type.replace('google.rpc.', '')]
        return [type, toJson(messageType, messageType.decode(Buffer.from(value, 'base64')))]
      }),
      [
        ['google.rpc.BadRequest', { fieldViolations: [{ field: 'name', description: 'must not be empty' }] }],
        ['google.rpc.RetryInfo', { retryDelay: '1.500s' }],
      ],
    )
  })
}
