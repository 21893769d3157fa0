/** The wire floor as a library: pure functions on octets, usable without the rest (`grpc-glass/wire`). */

// HTTP/2 frames
export { writeAltsvc } from './frame/altsvc.ts'
export { CONNECTION_PREFACE, matchConnectionPreface } from './frame/connection-preface.ts'
export { beginData, writeData, writeDataHeader } from './frame/data.ts'
export { FrameDecoder, type FrameDecoderOptions } from './frame/decoder.ts'
export { ErrorCode, errorCodeName } from './frame/error-codes.ts'
export { endFieldBlock } from './frame/field-block.ts'
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
export { HpackEncoder, type HpackEncoderOptions } from './hpack/encoder.ts'
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
export { WireError, type WireErrorInit, type WireLayer } from './wire-error.ts'
