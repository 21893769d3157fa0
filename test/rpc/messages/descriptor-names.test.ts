/** Names in descriptors are identifiers (protobuf language specification), whoever sent them. */
import t from 'tap'
import { checkDescriptorNames } from '../../../src/rpc/messages/descriptor-names.ts'

t.test('identifiers are taken, wherever a name may stand', async (t) => {
  t.doesNotThrow(() =>
    checkDescriptorNames([
      {
        name: 'any file name/x-y.proto',
        package: 'a.b_c.D1',
        messageType: [
          {
            name: '_M1',
            field: [{ name: 'f', typeName: '.a.b_c.D1._M1', extendee: '' }],
            nestedType: [{ name: 'N', enumType: [{ name: 'E', value: [{ name: 'ZERO' }] }] }],
            oneofDecl: [{ name: 'choice' }],
            extension: [{ name: 'x', extendee: '.google.protobuf.MessageOptions' }],
          },
        ],
        service: [{ name: 'S', method: [{ name: 'Do', inputType: '.a.M', outputType: 'M' }] }],
      },
      { name: 'no package.proto', package: '' },
    ]),
  )
})

t.test('anything else is refused, with the file and the name', async (t) => {
  const evil = 'x;run()'
  const inMessage = (more: object) => ({ messageType: [{ name: 'M', ...more }] })
  const cases: [string, object][] = [
    ['package', { package: evil }],
    ['package', { package: 'a..b' }],
    ['messageType', { messageType: [{ name: evil }] }],
    ['messageType', { messageType: [{ name: '1st' }] }],
    ['messageType', { messageType: [{}] }],
    ['enumType', { enumType: [{ name: evil }] }],
    ['value', { enumType: [{ name: 'E', value: [{ name: evil }] }] }],
    ['service', { service: [{ name: evil }] }],
    ['method', { service: [{ name: 'S', method: [{ name: evil }] }] }],
    ['inputType', { service: [{ name: 'S', method: [{ name: 'D', inputType: evil }] }] }],
    ['outputType', { service: [{ name: 'S', method: [{ name: 'D', outputType: evil }] }] }],
    ['extension', { extension: [{ name: evil }] }],
    ['extendee', { extension: [{ name: 'x', extendee: evil }] }],
    ['field', inMessage({ field: [{ name: evil }] })],
    ['typeName', inMessage({ field: [{ name: 'f', typeName: evil }] })],
    ['nestedType', inMessage({ nestedType: [{ name: evil }] })],
    ['oneofDecl', inMessage({ oneofDecl: [{ name: evil }] })],
    ['field', inMessage({ nestedType: [{ name: 'N', field: [{ name: 'a\nb' }] }] })],
  ]
  for (const [kind, file] of cases) {
    t.throws(
      () => checkDescriptorNames([{ name: 'evil.proto', ...file }]),
      { message: new RegExp(`^the descriptor of "evil.proto" has a ${kind} named "`) },
      JSON.stringify(file),
    )
  }
})
