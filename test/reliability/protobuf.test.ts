/**
 * Protobuf payloads that are none (RELIABILITY 2.4), from the wire to the handler and back, on both engines: the
 * server answers INTERNAL and serves on, and so does the client that gets them as a response.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type protobuf from 'protobufjs'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import {
  type Client,
  connect,
  findMessageType,
  fromJson,
  loadDescriptorSet,
  loadProtoSync,
  type MessageType,
  type Methods,
  type Server,
  type Service,
  StatusError,
  toJson,
} from '../../src/rpc/index.ts'
import { HpackDecoder } from '../../src/wire/index.ts'
import { collect, ENGINES, rejection } from '../rpc/support/pair.ts'
import {
  dataFrame,
  greetAsServer,
  headersFrame,
  type RawPeer,
  RawServer,
  Type,
} from '../support/raw-http2.ts'
import { attack } from './attack.ts'
import { HOSTILE_PAYLOADS } from './hostile-payloads.ts'

const { hostile } = loadProtoSync(fileURLToPath(new URL('proto/target.proto', import.meta.url)))
const Target = hostile.Target as Service<Methods>

const FRAME_OCTETS = 16_384
const polluted = () => (({}) as Record<string, unknown>).polluted

function prefixed(octets: Uint8Array): Buffer {
  const all = Buffer.alloc(5 + octets.length)
  all.writeUInt32BE(octets.length, 1)
  all.set(octets, 5)
  return all
}

/** A message as DATA frames. */
function data(streamId: number, endStream: boolean, message: Buffer): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < message.length; at += FRAME_OCTETS) {
    const end = at + FRAME_OCTETS
    frames.push(dataFrame(streamId, endStream && end >= message.length, message.subarray(at, end)))
  }
  return Buffer.concat(frames)
}

const requestFields = (method: string) => [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':path',
  `/hostile.Target/${method}`,
  ':authority',
  'a',
  'content-type',
  'application/grpc',
  'te',
  'trailers',
]

/** Adds a service that gives back what it gets, and tells what that was. */
function echoing(seen: unknown[]): (server: Server) => void {
  const unary = (request: unknown) => {
    seen.push(request)
    return request
  }
  const handlers = {
    numbers: unary,
    listing: unary,
    mapping: unary,
    climbing: unary,
    nothing: unary,
    async *watching(requests: AsyncIterable<unknown>) {
      for await (const request of requests) yield unary(request)
    },
  }
  return (server) => void server.add(Target, handlers as never)
}

/** The header and trailer fields of a stream, once it has ended. */
async function fieldsOf(peer: RawPeer, decoder: HpackDecoder, streamId: number) {
  await peer.until(() =>
    peer.frames.some(
      ({ type, flags, streamId: id }) =>
        id === streamId && (type === Type.RST_STREAM || (type === Type.HEADERS && (flags & 1) === 1)),
    )
      ? true
      : undefined,
  )
  const fields: Record<string, string> = {}
  for (const { type, payload } of peer.frames.splice(0)) {
    if (type !== Type.HEADERS) continue
    const list = decoder.decode(payload, 0, payload.length)
    for (let i = 0; i < list.length; i += 2) fields[list[i]!] = list[i + 1]!
  }
  return fields
}

/** A server that answers each call with `answer`, and our client on it. */
async function answeredWith(
  t: Test,
  engine: EngineName,
  answer: () => Buffer,
  play: (client: Client<Methods>) => Promise<void>,
): Promise<void> {
  const server = await RawServer.start((peer) => {
    void greetAsServer(peer)
    void (async () => {
      for (let answered = 0; ; answered++) {
        const requests = () => peer.frames.filter(({ type }) => type === Type.HEADERS)
        const next = await Promise.race([peer.until(() => requests()[answered]), peer.gone()])
        if (next === undefined) return
        peer.write(
          headersFrame(next.streamId, false, ':status', '200', 'content-type', 'application/grpc'),
          data(next.streamId, false, prefixed(answer())),
          headersFrame(next.streamId, true, 'grpc-status', '0'),
        )
      }
    })()
  })
  t.teardown(() => server.close())
  const { host, port } = server.address
  const channel = connect(`${host}:${port}`, { engine })
  await play(channel.client(Target))
  await channel.close({ graceMs: 0 })
}

const unaryOf = (client: Client<Methods>, method: string) =>
  (client as unknown as Record<string, (request: object, options: object) => Promise<unknown>>)[
    method.toLowerCase()
  ]!({}, { deadline: 10_000 })

for (const engine of ENGINES) {
  t.test(`${engine}: a request that is no message is INTERNAL, and the connection serves on`, (t) => {
    const seen: unknown[] = []
    const play = async ({ raw }: { raw: () => Promise<RawPeer> }) => {
      const peer = await raw()
      const decoder = new HpackDecoder()
      peer.frames.length = 0
      let streamId = 1
      for (const { name, method, octets } of HOSTILE_PAYLOADS) {
        peer.write(
          headersFrame(streamId, false, ...requestFields(method)),
          data(streamId, true, prefixed(octets)),
        )
        const fields = await fieldsOf(peer, decoder, streamId)
        t.equal(fields['grpc-status'], '13', `${name}: ${JSON.stringify(fields)}`)
        t.match(decodeURIComponent(fields['grpc-message'] ?? ''), /deserializing request/, name)
        streamId += 2
      }
      t.equal(seen.length, 0, 'no handler has seen one of them')
      for (const { name, method, octets } of HOSTILE_PAYLOADS) {
        if (method !== 'Numbers') continue
        peer.write(
          headersFrame(streamId, false, ...requestFields('Watching')),
          data(streamId, false, prefixed(Buffer.alloc(0))),
          data(streamId, true, prefixed(octets)),
        )
        const fields = await fieldsOf(peer, decoder, streamId)
        t.equal(fields['grpc-status'], '13', `${name} in a stream: ${JSON.stringify(fields)}`)
        streamId += 2
      }
      t.equal(peer.closed, false)
    }
    return attack(t, engine, play, { add: echoing(seen) })
  })

  t.test(`${engine}: a response that is no message is INTERNAL, and the channel serves on`, async (t) => {
    let octets: Buffer = Buffer.alloc(0)
    await answeredWith(
      t,
      engine,
      () => octets,
      async (client) => {
        for (const row of HOSTILE_PAYLOADS) {
          octets = row.octets
          const error = await rejection(unaryOf(client, row.method))
          t.ok(error instanceof StatusError && error.code === 13, `${row.name}: ${error}`)
          t.match(
            ((error as StatusError).cause as Error | undefined)?.message,
            row.says,
            `the cause of ${error}`,
          )
          octets = Buffer.alloc(0)
          await unaryOf(client, row.method)
        }
        const { watching } = client as unknown as {
          watching(requests: object[], options: object): AsyncIterable<unknown>
        }
        for (const row of HOSTILE_PAYLOADS.filter(({ method }) => method === 'Numbers')) {
          octets = row.octets
          t.match(await rejection(collect(watching([], { deadline: 10_000 }))), { code: 13 }, row.name)
        }
      },
    )
  })

  t.test(`${engine}: 59 the map key __proto__ is a key like any other, there and back`, (t) => {
    const seen: { texts: Record<string, string> }[] = []
    const entry = (key: string, value: string): Buffer => {
      const octets = Buffer.from(`\x0a${String.fromCharCode(key.length)}${key}\x12\x01${value}`, 'latin1')
      return Buffer.concat([Buffer.of(0x0a, octets.length), octets])
    }
    const octets = Buffer.concat([entry('__proto__', 'p'), entry('constructor', 'c'), entry('polluted', 'x')])
    const play = async ({ raw }: { raw: () => Promise<RawPeer> }) => {
      const peer = await raw()
      peer.frames.length = 0
      peer.write(headersFrame(1, false, ...requestFields('Mapping')), data(1, true, prefixed(octets)))
      await peer.frame(Type.DATA, 1)
      const answer = peer.frames.find(({ type }) => type === Type.DATA)!
      t.same(answer.payload.subarray(5), octets, 'the handler gave it back')
      t.equal((await fieldsOf(peer, new HpackDecoder(), 1))['grpc-status'], '0')
      t.same(Object.keys(seen[0]!.texts), ['__proto__', 'constructor', 'polluted'])
      t.equal(polluted(), undefined)
    }
    return attack(t, engine, play, { add: echoing(seen) })
  })
}

t.test('59 a field whose JSON name is __proto__ pollutes nothing', async (t) => {
  const { Maps } = hostile
  for (const text of [
    '{"__proto__":"x"}',
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"texts":{"__proto__":{"polluted":true}}}',
    '{"scalars":{"1":{"__proto__":{"polluted":true}}}}',
  ]) {
    let message: unknown
    try {
      message = fromJson(Maps as MessageType, JSON.parse(text))
    } catch (error) {
      t.equal((error as Error).name, 'MessageError', `${text}: ${error}`)
    }
    if (message !== undefined) {
      t.equal((message as Record<string, unknown>).polluted, undefined)
      toJson(Maps, message as never)
    }
    t.equal(polluted(), undefined, text)
  }
  const octets = Buffer.from('\x1a\x01x\x22\x01y', 'latin1')
  const message = Maps.decode(octets)
  t.equal(message.proto, 'x')
  t.same(JSON.parse(JSON.stringify(toJson(Maps, message))), JSON.parse('{"__proto__":"x","constructor":"y"}'))
})

t.test('60 protobufjs has the fixes for schemas that become code (CVE-2026-44291 and kin)', async (t) => {
  const requireFromHere = createRequire(import.meta.url)
  const { version } = requireFromHere('protobufjs/package.json') as { version: string }
  const [major, minor, patch] = version.split('.').map(Number) as [number, number, number]
  t.ok(major > 8 || (major === 8 && (minor > 0 || patch >= 2)), `${version} is 8.0.2 or later`)
  const { dependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { dependencies: Record<string, string> }
  const least = /^\^?(\d+)\.(\d+)\.(\d+)$/.exec(dependencies.protobufjs ?? '')
  t.ok(least !== null && Number(least[1]) === 8, `package.json wants ${dependencies.protobufjs}`)
  t.ok(
    Number(least?.[2]) > 0 || Number(least?.[3]) >= 2,
    'and no earlier one can be installed with this package',
  )
})

t.test('60 names in a descriptor, which a peer may have told by reflection, never run as code', async (t) => {
  const requireFromHere = createRequire(import.meta.url)
  const { FileDescriptorSet } = requireFromHere('protobufjs/ext/descriptor.js') as {
    FileDescriptorSet: protobuf.Type
  }
  const breakOut = [
    'x;globalThis.polluted=1;//',
    "x'];globalThis.polluted=1;//",
    'x"];globalThis.polluted=1;//',
    'x`;globalThis.polluted=1;//',
    'x\nglobalThis.polluted=1',
    'x\u2028globalThis.polluted=1',
    'x*/globalThis.polluted=1/*',
    '__proto__',
    'constructor',
    'prototype',
    'toJSON',
    'x$'.concat('{globalThis.polluted=1}'),
    'x(){globalThis.polluted=1}',
  ]
  for (const name of breakOut) {
    for (const place of [
      'package',
      'message',
      'field',
      'jsonName',
      'enumValue',
      'typeName',
      'default',
    ] as const) {
      // a line separator would end a line of TAP
      const where = `${place} ${JSON.stringify(name).replaceAll('\u2028', '\\u2028')}`
      const at = (here: typeof place, otherwise: string) => (here === place ? name : otherwise)
      const set = FileDescriptorSet.create({
        file: [
          {
            name: 'evil.proto',
            package: at('package', 'evil'),
            syntax: place === 'default' ? 'proto2' : 'proto3',
            messageType: [
              {
                name: at('message', 'Evil'),
                field: [
                  {
                    name: at('field', 'text'),
                    number: 1,
                    label: 1,
                    type: 9,
                    ...(place === 'jsonName' && { jsonName: name }),
                    ...(place === 'default' && { defaultValue: name }),
                  },
                  {
                    name: 'kind',
                    number: 2,
                    label: 1,
                    type: 14,
                    typeName: at('typeName', `.${at('package', 'evil')}.Kind`),
                  },
                ],
              },
            ],
            enumType: [
              {
                name: 'Kind',
                value: [
                  { name: 'ZERO', number: 0 },
                  { name: at('enumValue', 'ONE'), number: 1 },
                ],
              },
            ],
          },
        ],
      })
      try {
        const namespace = loadDescriptorSet(FileDescriptorSet.encode(set).finish())
        const type = findMessageType(namespace, `${at('package', 'evil')}.${at('message', 'Evil')}`)
        if (type !== undefined) {
          const message = type.decode(Buffer.from('\x0a\x01x\x10\x01', 'latin1'))
          toJson(type, message)
          type.encode(message)
        }
        const harmless = place === 'jsonName' || place === 'default' || /^[a-z_]+$/i.test(name)
        t.ok(harmless, `${where} is taken`)
      } catch (error) {
        t.ok(error instanceof Error, `${where} is refused`)
      }
      t.equal((globalThis as Record<string, unknown>).polluted, undefined, where)
    }
  }
})
