/** The inspector: what goes over a connection, from octets to protobuf fields. */

export { coloured, type Paint, paintFor, plain, type Style } from './colours.ts'
export { Dissector, type DissectorOptions } from './dissector.ts'
export type {
  BodyEvent,
  EndEvent,
  ErrorEvent,
  FieldsEvent,
  FrameEvent,
  InspectEvent,
  InspectEventBase,
  MessageEvent,
  PrefaceEvent,
  SectionKind,
  Sender,
  StatusEvent,
} from './events.ts'
export { messageDescriptor } from './protobufjs-descriptor.ts'
export { ndjson } from './render-ndjson.ts'
export { type TreeOptions, TreeRenderer } from './render-tree.ts'
export { type MethodTypes, type Schema, schemaOf } from './schema.ts'
export { type TapOptions, TapProxy } from './tap-proxy.ts'
