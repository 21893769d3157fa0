/** The wire floor as a library: pure functions on octets, usable without the rest (`grpc-glass/wire`). */

export { ErrorCode, errorCodeName } from './frame/error-codes.ts'
export { OctetWriter } from './octets.ts'
export { WireError, type WireErrorInit, type WireLayer } from './wire-error.ts'
