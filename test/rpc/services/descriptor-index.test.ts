import t from 'tap'
import { descriptorType } from '../../../src/rpc/messages/file-descriptors.ts'
import { DescriptorIndex, withImports } from '../../../src/rpc/services/descriptor-index.ts'

/** A serialized FileDescriptorProto. */
function file(name: string, more: object = {}): Uint8Array {
  const type = descriptorType('FileDescriptorProto')
  return type.encode(type.fromObject({ name, ...more })).finish()
}

const NONE = (): boolean => false

t.test('a file that comes with several services is one file', async (t) => {
  const index = new DescriptorIndex()
  const [a, b] = [
    file('a.proto', { messageType: [{ name: 'A' }] }),
    file('b.proto', { dependency: ['a.proto'] }),
  ]
  index.add([b, a])
  index.add([Uint8Array.from(a), file('c.proto', { dependency: ['a.proto'] })])
  t.equal(index.file('c.proto')!.imports[0], index.file('a.proto'))
  t.equal(index.file('b.proto')!.imports[0], index.file('a.proto'))
  t.equal(index.fileOfSymbol('A'), index.file('a.proto'))
})

t.test('of two files by one name each is found by what it declares, with its own imports', async (t) => {
  const index = new DescriptorIndex()
  const set = (packageName: string) => [
    file('service.proto', {
      package: packageName,
      dependency: ['types.proto'],
      service: [{ name: 'S', method: [{ name: 'M' }] }],
    }),
    file('types.proto', { package: packageName, messageType: [{ name: 'T' }] }),
  ]
  index.add(set('one'))
  index.add(set('two'))
  const [one, two] = [index.fileOfSymbol('one.S')!, index.fileOfSymbol('two.S.M')!]
  t.equal(index.file('service.proto'), one)
  t.not(one, two)
  t.equal(two.name, 'service.proto')
  t.strictSame(withImports(two, NONE), [two, index.fileOfSymbol('two.T')])
  t.strictSame(withImports(one, NONE), [one, index.fileOfSymbol('one.T')])
})

t.test('imports that are missing or run in a circle', async (t) => {
  const index = new DescriptorIndex()
  index.add([
    file('a.proto', { dependency: ['b.proto', 'missing.proto'] }),
    file('b.proto', { dependency: ['a.proto', 'c.proto'] }),
    file('c.proto'),
  ])
  const a = index.file('a.proto')!
  const names = (files: readonly { name: string }[]) => files.map(({ name }) => name)
  t.strictSame(names(withImports(a, NONE)), ['a.proto', 'b.proto', 'c.proto'])
  t.strictSame(names(withImports(a, ({ name }) => name === 'b.proto')), ['a.proto'])
  t.strictSame(names(withImports(a, () => true)), ['a.proto'])
})

t.test('names without a package', async (t) => {
  const index = new DescriptorIndex()
  index.add([
    file('a.proto', {
      enumType: [{ name: 'E', value: [{ name: 'V', number: 0 }] }],
      extension: [{ name: 'x', number: 9, extendee: '.other.M' }],
    }),
  ])
  for (const name of ['E', 'V', 'x']) t.equal(index.fileOfSymbol(name)?.name, 'a.proto', name)
  t.equal(index.fileOfSymbol('E.V'), undefined)
  t.strictSame(index.extensionNumbers('other.M'), [9])
  t.equal(index.fileOfExtension('other.M', 9)?.name, 'a.proto')
  t.equal(index.extensionNumbers('other.N'), undefined)
})

t.test('octets that are no FileDescriptorProto', async (t) => {
  t.throws(() => new DescriptorIndex().add([Buffer.from([0x0a, 0x05, 0x61])]))
})
