import { readFile } from 'node:fs/promises'
import protobuf from 'protobufjs'
import t from 'tap'
import { loadDescriptorSet } from '../../../src/rpc/messages/descriptor-set.ts'
import { descriptorType } from '../../../src/rpc/messages/file-descriptors.ts'
import { loadProto } from '../../../src/rpc/messages/load-proto.ts'
import type { MessageType } from '../../../src/rpc/messages/message-type.ts'
import { kinds, protoFile, Random, randomScalars } from './kinds.ts'

/** Made by protoc of grpcio-tools 1.85.1: `--include_imports --descriptor_set_out`. */
const descriptorSet = (name: string) => readFile(protoFile(`${name}.binpb`))

const decodeFile = (octets: Uint8Array) => descriptorType('FileDescriptorProto').decode(octets).toJSON()

t.test('a descriptor set gives what its .proto files give', async (t) => {
  for (const name of ['kinds', 'old', 'edition']) {
    const fromSet = loadDescriptorSet(await descriptorSet(name))
    const fromText = await loadProto(protoFile(`${name}.proto`))
    const compare = (one: object, other: object, path: string) => {
      for (const [key, value] of Object.entries(other)) {
        const found: unknown = (one as Record<string, unknown>)[key]
        if (isMessageType(value) && isMessageType(found)) {
          const sorted = (type: MessageType) => [...type.fields].sort((a, b) => a.number - b.number)
          t.strictSame(sorted(found), sorted(value), `${path}${key}`)
          t.strictSame(
            found.type.fieldsArray.map((field) => field.resolve().jsonName).sort(),
            value.type.fieldsArray.map((field) => field.resolve().jsonName).sort(),
          )
        } else if (typeof value === 'object' && value !== null && !('methods' in value)) {
          compare(found as object, value, `${path}${key}.`)
        }
      }
    }
    compare(fromSet, fromText, '')
  }
})

t.test('messages of both have the same octets', async (t) => {
  const fromSet = loadDescriptorSet(await descriptorSet('kinds')).kinds
  const random = new Random(99)
  for (let round = 0; round < 100; round++) {
    const message = randomScalars(random)
    t.strictSame(fromSet.Scalars.toBinary(message), kinds.Scalars.toBinary(message))
  }
  const { edition } = loadDescriptorSet(await descriptorSet('edition'))
  t.equal(
    Buffer.from(edition.Modern.toBinary({ name: 'x', count: 0, numbers: [1], next: {} })).toString('hex'),
    '0a0178100018012324',
  )
  t.equal(fromSet.Kinds.methods.get.idempotency, 'NO_SIDE_EFFECTS')
  const kept = loadDescriptorSet(await descriptorSet('kinds'), { keepCase: true }).kinds
  t.equal(Buffer.from(kept.Scalars.toBinary({ a_string: 'a' })).toString('hex'), '720161')
})

t.test('reflection gives the files as they came in, the service first', async (t) => {
  const octets = await descriptorSet('kinds')
  const { kinds } = loadDescriptorSet(octets)
  const files: readonly Uint8Array[] = kinds.Kinds.fileDescriptors()
  t.equal(decodeFile(files[0]!).name, 'kinds.proto')
  t.equal(files.length, 8)
  for (const file of files) t.ok(octets.includes(Buffer.from(file)), 'octet for octet')
})

t.test('files of google/protobuf may be left out, others not', async (t) => {
  const set = descriptorType('FileDescriptorSet')
  const whole = set.decode(await descriptorSet('kinds')).toJSON() as { file: { name: string }[] }
  const only = (...names: string[]) =>
    set.encode(set.fromObject({ file: whole.file.filter((file) => names.includes(file.name)) })).finish()
  const { kinds, google } = loadDescriptorSet(only('kinds.proto'))
  t.equal(google.protobuf.Timestamp.typeName, 'google.protobuf.Timestamp')
  t.match(kinds.WellKnown.decode(kinds.WellKnown.toBinary({ timestamp: { seconds: 5 } })), {
    timestamp: { seconds: 5n },
  })
  t.equal(kinds.Kinds.fileDescriptors().length, 8)
  const old = set.decode(await descriptorSet('old')).toJSON() as { file: { name: string }[] }
  const alone = set
    .encode(set.fromObject({ file: old.file.filter((file) => file.name === 'old.proto') }))
    .finish()
  t.throws(() => loadDescriptorSet(alone), { message: /imports shared\/part.proto, but does not hold it/ })
})

t.test('octets that are no descriptor set', async (t) => {
  t.throws(() => loadDescriptorSet(Buffer.from('0a05ff', 'hex')), Error)
  t.throws(() => loadDescriptorSet(Buffer.from('<!DOCTYPE html>')), Error)
  t.strictSame(loadDescriptorSet(new Uint8Array(0)), {})
})

t.test('FileDescriptorProtos made of .proto text equal those of protoc', async (t) => {
  const set = descriptorType('FileDescriptorSet')
  for (const [name, service] of [
    ['kinds', 'Kinds'],
    ['old', 'Olds'],
  ] as const) {
    const theirs = set.decode(await descriptorSet(name)).toJSON() as {
      file: { name: string; options?: object }[]
    }
    const namespace = await loadProto(protoFile(`${name}.proto`))
    const ours: readonly Uint8Array[] = namespace[name][service].fileDescriptors()
    t.equal(ours, namespace[name][service].fileDescriptors(), 'made once')
    t.equal(decodeFile(ours[0]!).name, `${name}.proto`, 'the service first')
    t.equal(ours.length, theirs.file.length)
    for (const octets of ours) {
      const file = decodeFile(octets)
      const other = theirs.file.find((one) => one.name === file.name)!
      // protobufjs keeps no file options of the files that it has built in.
      if (file.name.startsWith('google/')) delete other.options
      t.strictSame(file, other, file.name)
    }
  }
})

t.test('FileDescriptorProtos of editions: features of the file stand at its declarations', async (t) => {
  const { edition } = await loadProto(protoFile('edition.proto'))
  const file = decodeFile(edition.Editions.fileDescriptors()[0])
  t.match(file, { syntax: 'editions', edition: 'EDITION_2023', name: 'edition.proto', package: 'edition' })
  const again = loadDescriptorSet(
    protobuf.Writer.create().uint32(0x0a).bytes(edition.Editions.fileDescriptors()[0]).finish(),
  ).edition
  const message = { name: '', count: 0, numbers: [1, 2], next: {}, modes: ['FAST'] }
  t.strictSame(again.Modern.toBinary(message), edition.Modern.toBinary(message))
})

function isMessageType(value: unknown): value is MessageType {
  return typeof value === 'object' && value !== null && 'typeName' in value
}
