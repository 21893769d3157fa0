/** The rpc floor: channels, servers and calls (`grpc-glass/rpc`). */

export type { BackoffOptions } from './backoff.ts'
export { currentCall } from './call-context.ts'
export type {
  CallOptions,
  ClientInterceptor,
  OutgoingCall,
  ParentCall,
  WriteOptions,
} from './call-options.ts'
export type { CallSummary } from './call-summary.ts'
export type {
  AwaitableCall,
  BidirectionalCall,
  Call,
  ClientStreamingCall,
  IterableCall,
  ServerStreamingCall,
  UnaryCall,
  WritableCall,
} from './calls.ts'
export { Channel, connect } from './channel.ts'
export type { ConnectTarget } from './channel-core.ts'
export type { ChannelOptions } from './channel-options.ts'
export type { Caller, CallWithRequest, CallWithRequests, Client, ClientMethod, Requests } from './client.ts'
export { type MessageEncoding, registerMessageEncoding } from './compression.ts'
export { ConnectivityState } from './connectivity.ts'
export {
  bearerToken,
  type CallCredentials,
  type CredentialsContext,
  combineCredentials,
  credentialsFromHeaders,
  type HeaderSource,
} from './credentials.ts'
export type { Deadline } from './deadline.ts'
export {
  type BadRequest,
  badRequest,
  type DebugInfo,
  type DetailInit,
  debugInfo,
  type ErrorInfo,
  errorInfo,
  type FieldViolation,
  type Help,
  type HelpLink,
  help,
  type LocalizedMessage,
  localizedMessage,
  type PreconditionFailure,
  type PreconditionViolation,
  preconditionFailure,
  type QuotaFailure,
  type QuotaViolation,
  quotaFailure,
  type RequestInfo,
  type ResourceInfo,
  type RetryInfo,
  requestInfo,
  resourceInfo,
  retryInfo,
  type StandardDetail,
  type StandardDetailName,
  type StandardDetails,
} from './error-details.ts'
export type {
  BidirectionalHandler,
  ClientStreamingHandler,
  Handler,
  HandlerCall,
  Handlers,
  Responses,
  ServerStreamingHandler,
  UnaryHandler,
} from './handlers.ts'
// Messages: .proto files, descriptor sets, grpc-js service definitions
export { loadDescriptorSet } from './messages/descriptor-set.ts'
export { findMessageType, findService, servicesOf } from './messages/find-declaration.ts'
export { type LoadProtoOptions, loadProto, loadProtoSync, type ProtoPath } from './messages/load-proto.ts'
export { MessageError } from './messages/message-error.ts'
export {
  type FromJsonOptions,
  fromJson,
  type JsonValue,
  type MessageOf,
  toJson,
} from './messages/message-json.ts'
export type { MessageOptions } from './messages/message-options.ts'
export { type MessageField, MessageType } from './messages/message-type.ts'
export type { ProtoNamespace } from './messages/proto-registry.ts'
export {
  fromServiceDefinition,
  type MethodDefinition,
  type MethodsOf,
  type ServiceDefinition,
  toServiceDefinition,
} from './messages/service-definition.ts'
export { Metadata, type MetadataInit, type MetadataValue, type ValueOf } from './metadata.ts'
export {
  MESSAGE_PREFIX_OCTETS,
  type MessageCodec,
  type Method,
  type Methods,
  type Service,
} from './method.ts'
export type { Lookup } from './resolver.ts'
export { Server, type ServerListenOptions } from './server.ts'
export type { IncomingCall, ServerInterceptor } from './server-interceptor.ts'
export type { ServerOptions } from './server-options.ts'
// Services of gRPC itself
export {
  addHealth,
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthControl,
  type HealthListResponse,
  type HealthMethods,
  type ServingStatus,
} from './services/health.ts'
export {
  addReflection,
  type ReflectionOptions,
  ServerReflection,
  type ServerReflectionMethods,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionV1Alpha,
} from './services/reflection.ts'
export { anyDetail, type OtherDetail, type StatusDetail, statusDetails } from './status-details.ts'
export { type Phase, StatusError, type StatusErrorOptions, type StatusObject } from './status-error.ts'
export { VERSION } from './version.ts'
