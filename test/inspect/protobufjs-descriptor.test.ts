import protobuf from 'protobufjs'
import t from 'tap'
import { messageDescriptor } from '../../src/inspect/protobufjs-descriptor.ts'

const { root } = protobuf.parse(`syntax = "proto2"; package p;
  enum Colour { RED = 0; BLUE = -1; }
  message Node {
    optional string snake_name = 1;
    repeated Node children = 2;
    map<string, Colour> colours = 3;
    map<int32, Node> nodes = 4;
    optional group Old = 5 { optional bytes raw = 1; }
    optional Colour colour = 6;
    extensions 100 to 200;
  }
  extend Node { optional sint64 extra = 100; }`)
const node = messageDescriptor(root.lookupType('p.Node'))

t.test('fields as the .proto file names them', async (t) => {
  t.equal(node.name, 'p.Node')
  t.match(node.field(1), { number: 1, name: 'snake_name', type: 'string', repeated: false })
  t.equal(node.field(2)?.message, node, 'a recursive type is itself')
  t.match(node.field(3), { name: 'colours', type: 'message', repeated: true, map: true })
  t.match(node.field(3)?.message?.field(1), { name: 'key', type: 'string' })
  t.match(node.field(3)?.message?.field(2), { name: 'value', type: 'enum', enum: { name: 'p.Colour' } })
  t.equal(node.field(4)?.message?.field(2)?.message, node)
  t.equal(node.field(4)?.message?.field(3), undefined)
  t.match(node.field(5), { type: 'group', message: { name: 'p.Node.Old' } })
  t.equal(node.field(6)?.enum?.valueName(-1), 'BLUE')
  t.equal(node.field(6)?.enum?.valueName(7), undefined)
  t.match(node.field(100), { type: 'sint64' })
  t.equal(node.field(99), undefined)
  t.equal(node.field('constructor' as never), undefined)
})
