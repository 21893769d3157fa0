/** The wire floor as a library: pure functions on octets, usable without the rest (`grpc-glass/wire`). */

// HTTP/2 frames
export { writeAltsvc } from './frame/altsvc.ts'
export { CONNECTION_PREFACE, matchConnectionPreface } from './frame/connection-preface.ts'
export { beginData, writeData, writeDataHeader } from './frame/data.ts'
export { FrameDecoder, type FrameDecoderOptions } from './frame/decoder.ts'
export { describeFrame, flagNames } from './frame/describe.ts'
export { ErrorCode, errorCodeName } from './frame/error-codes.ts'
export { endFieldBlock } from './frame/field-block.ts'
export type {
  AltsvcContent,
  ContinuationContent,
  DataContent,
  Frame,
  FrameContent,
  GoawayContent,
  HeadersContent,
  IgnoredContent,
  InvalidContent,
  OriginContent,
  PingContent,
  PriorityContent,
  PriorityFields,
  PriorityUpdateContent,
  PushPromiseContent,
  RstStreamContent,
  Setting,
  SettingsContent,
  WindowUpdateContent,
} from './frame/frame.ts'
export { decodeFrames, FrameReader } from './frame/frame-reader.ts'
export { writeGoaway } from './frame/goaway.ts'
export { beginFrame, endFrame, type FrameHeader, writeFrameHeader } from './frame/header.ts'
export { beginHeaders } from './frame/headers.ts'
export { readOrigins, writeOrigin } from './frame/origin.ts'
export { writePing } from './frame/ping.ts'
export { writePriority } from './frame/priority.ts'
export { writePriorityUpdate } from './frame/priority-update.ts'
export { beginPushPromise } from './frame/push-promise.ts'
export { type RawFrame, writeRawFrame } from './frame/raw.ts'
export { writeRstStream } from './frame/rst-stream.ts'
export { SettingId, settingName, writeSettings, writeSettingsAck } from './frame/settings.ts'
export { type FrameSink, FrameSinkBase } from './frame/sink.ts'
export {
  DEFAULT_MAX_FRAME_SIZE,
  Flag,
  FRAME_HEADER_OCTETS,
  FrameType,
  frameTypeName,
  MAX_31_BIT,
  MAX_MAX_FRAME_SIZE,
} from './frame/types.ts'
export { writeWindowUpdate } from './frame/window-update.ts'
export { writeFrame } from './frame/write-frame.ts'
// Length-Prefixed-Messages and gRPC's header values
export { decodeBinaryValue, decodeBinaryValues, encodeBinaryValue } from './grpc/binary-metadata.ts'
export { decodeGrpcMessage, encodeGrpcMessage } from './grpc/percent-encoding.ts'
export {
  type ParsedStatus,
  parseGrpcStatus,
  Status,
  type StatusCode,
  type StatusName,
  statusName,
} from './grpc/status-codes.ts'
export { formatTimeout, parseTimeout } from './grpc/timeout.ts'
// HPACK
export { joinCookieCrumbs, splitCookieCrumbs } from './hpack/cookie-crumbs.ts'
export { HpackDecoder, type HpackDecoderOptions } from './hpack/decoder.ts'
export { type DescribeFieldOptions, describeField } from './hpack/describe.ts'
export type { HpackTableEntry, HpackTableState } from './hpack/dynamic-table.ts'
export { HpackEncoder, type HpackEncoderOptions } from './hpack/encoder.ts'
export { sensitiveFieldNames, unindexedFieldNames } from './hpack/field-policy.ts'
export type {
  HpackBlock,
  HpackField,
  HpackInstruction,
  HpackSizeUpdate,
  Representation,
} from './hpack/representation.ts'
export {
  DEFAULT_MAX_MESSAGE_OCTETS,
  MessageDecoder,
  MessageFramingError,
  type MessageFramingFault,
  type MessageSink,
  writeMessagePrefix,
} from './length-prefixed-message.ts'
export { OctetWriter } from './octets.ts'
// protobuf: the wire format of messages
export { type DescribeOptions, describeRecord, describeScan } from './protobuf/describe.ts'
export type { EnumDescriptor, FieldDescriptor, MessageDescriptor } from './protobuf/descriptor.ts'
export { type LenKind, rankLen } from './protobuf/guess.ts'
export { ProtobufReader } from './protobuf/reader.ts'
export type { ProtobufRecord } from './protobuf/record.ts'
export {
  type PackableType,
  type PackableValue,
  SCALAR_WIRE_TYPES,
  type ScalarType,
} from './protobuf/scalar-type.ts'
export { type Scan, type ScanOptions, scan } from './protobuf/scan.ts'
export { escapeText, quoteText } from './protobuf/text.ts'
export { type NumericValue, type RecordValue, recordValue } from './protobuf/value.ts'
export { type DecodedVarint, decodeVarint, encodeVarint } from './protobuf/varint.ts'
export { MAX_FIELD_NUMBER, WireType, wireTypeName } from './protobuf/wire-type.ts'
export { ProtobufWriter, type ScalarValue } from './protobuf/writer.ts'
export { decodeZigZag32, decodeZigZag64, encodeZigZag32, encodeZigZag64 } from './protobuf/zigzag.ts'
export { WireError, type WireErrorInit, type WireLayer } from './wire-error.ts'
