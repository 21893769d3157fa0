/** The wire floor as a library: pure functions on octets, usable without the rest (`grpc-glass/wire`). */

export { ErrorCode, errorCodeName } from './frame/error-codes.ts'
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
