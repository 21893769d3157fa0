/**
 * The .proto files that the library itself needs, as text; the originals are in `proto`.
 * Written by `scripts/embed-protos.ts`.
 */

/** Texts by the name under which a file is imported. */
export const BUNDLED_PROTOS: Readonly<Record<string, string>> = {
  'google/rpc/error_details.proto': `// The ten standard types of details for google.rpc.Status.
syntax = "proto3";

package google.rpc;

import "google/protobuf/duration.proto";

// Why a call failed, for programs to decide on.
message ErrorInfo {
  // A constant in upper case, such as QUOTA_EXCEEDED, unique within the domain.
  string reason = 1;
  // Where the reason comes from, most often a service's DNS name.
  string domain = 2;
  // What else is known, by name in lowerCamelCase.
  map<string, string> metadata = 3;
}

// When to try again.
message RetryInfo {
  // Wait at least this long.
  google.protobuf.Duration retry_delay = 1;
}

// For the server's developers; not for the outside.
message DebugInfo {
  // A stack trace, innermost first.
  repeated string stack_entries = 1;
  string detail = 2;
}

// Which quotas were exceeded.
message QuotaFailure {
  message Violation {
    // Whose quota, such as "project:1234".
    string subject = 1;
    string description = 2;
    // The service that the quota belongs to, where it is another one than the called one.
    string api_service = 3;
    // What is counted.
    string quota_metric = 4;
    // Which limit on it.
    string quota_id = 5;
    // What the limit is counted apart by, such as a region.
    map<string, string> quota_dimensions = 6;
    // The limit at the time.
    int64 quota_value = 7;
    // The limit to come, while a change is on its way.
    optional int64 future_quota_value = 8;
  }

  repeated Violation violations = 1;
}

// Which conditions were not met.
message PreconditionFailure {
  message Violation {
    // The kind of condition, such as "TOS".
    string type = 1;
    // What does not meet it.
    string subject = 2;
    string description = 3;
  }

  repeated Violation violations = 1;
}

// Which fields of the request were wrong.
message BadRequest {
  message FieldViolation {
    // The way to the field, such as "name" or "addresses[2].city".
    string field = 1;
    string description = 2;
    // A constant in upper case, unique within the domain of the ErrorInfo beside it.
    string reason = 3;
    // The description for users, in their language.
    LocalizedMessage localized_message = 4;
  }

  repeated FieldViolation field_violations = 1;
}

// To find the call again in the server's logs.
message RequestInfo {
  string request_id = 1;
  // Opaque to everybody but the server.
  string serving_data = 2;
}

// Which resource it was about.
message ResourceInfo {
  string resource_type = 1;
  string resource_name = 2;
  string owner = 3;
  // What happened when it was accessed.
  string description = 4;
}

// Where to read more.
message Help {
  message Link {
    string description = 1;
    string url = 2;
  }

  repeated Link links = 1;
}

// A text that users may be shown.
message LocalizedMessage {
  // Language by BCP 47, such as "en-US".
  string locale = 1;
  string message = 2;
}
`,
  'google/rpc/status.proto': `// What a trailer grpc-status-details-bin holds.
syntax = "proto3";

package google.rpc;

import "google/protobuf/any.proto";

message Status {
  // One of the codes of gRPC.
  int32 code = 1;
  // Text for developers, in English.
  string message = 2;
  // Whatever else a client may want to know, most often of the types in error_details.proto.
  repeated google.protobuf.Any details = 3;
}
`,
  'grpc/health/v1/health.proto': `// Whether a server, or one of its services, takes calls.
syntax = "proto3";

package grpc.health.v1;

service Health {
  // The status now; NOT_FOUND for a service that the server does not know.
  rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
  // The status of every service that the server knows.
  rpc List(HealthListRequest) returns (HealthListResponse);
  // The status now and at each change; SERVICE_UNKNOWN for a service that the server does not know.
  rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
}

message HealthCheckRequest {
  // A service's full name; empty for the server as a whole.
  string service = 1;
}

message HealthCheckResponse {
  enum ServingStatus {
    UNKNOWN = 0;
    SERVING = 1;
    NOT_SERVING = 2;
    // Only of Watch.
    SERVICE_UNKNOWN = 3;
  }

  ServingStatus status = 1;
}

message HealthListRequest {}

message HealthListResponse {
  // By the services' full names; the server as a whole has the empty one.
  map<string, HealthCheckResponse> statuses = 1;
}
`,
  'grpc/reflection/v1/reflection.proto': `// What a server's services look like, for clients that have no .proto files.
syntax = "proto3";

package grpc.reflection.v1;

service ServerReflection {
  // Each request is answered with one response, in order.
  rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse);
}

message ServerReflectionRequest {
  string host = 1;
  oneof message_request {
    // The file of this name.
    string file_by_filename = 3;
    // The file that declares this name: a service, method, message, enum, field or extension.
    string file_containing_symbol = 4;
    // The file that declares this extension.
    ExtensionRequest file_containing_extension = 5;
    // The numbers of all known extensions of this message type.
    string all_extension_numbers_of_type = 6;
    // The names of all services; the value means nothing.
    string list_services = 7;
  }
}

message ExtensionRequest {
  // Full name of the message type that is extended.
  string containing_type = 1;
  int32 extension_number = 2;
}

message ServerReflectionResponse {
  // The request's host.
  string valid_host = 1;
  ServerReflectionRequest original_request = 2;
  oneof message_response {
    // Answers the three requests for a file.
    FileDescriptorResponse file_descriptor_response = 4;
    ExtensionNumberResponse all_extension_numbers_response = 5;
    ListServiceResponse list_services_response = 6;
    ErrorResponse error_response = 7;
  }
}

message FileDescriptorResponse {
  // Serialized google.protobuf.FileDescriptorProto: the file, and those it imports that were not sent before.
  repeated bytes file_descriptor_proto = 1;
}

message ExtensionNumberResponse {
  // Full name of the message type that is extended.
  string base_type_name = 1;
  repeated int32 extension_number = 2;
}

message ListServiceResponse {
  repeated ServiceResponse service = 1;
}

message ServiceResponse {
  // Full name.
  string name = 1;
}

message ErrorResponse {
  // One of the codes of gRPC.
  int32 error_code = 1;
  string error_message = 2;
}
`,
  'grpc/reflection/v1alpha/reflection.proto': `// What a server's services look like, for clients that have no .proto files.
// The same as grpc.reflection.v1, under the name that older clients ask for.
syntax = "proto3";

package grpc.reflection.v1alpha;

service ServerReflection {
  // Each request is answered with one response, in order.
  rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse);
}

message ServerReflectionRequest {
  string host = 1;
  oneof message_request {
    // The file of this name.
    string file_by_filename = 3;
    // The file that declares this name: a service, method, message, enum, field or extension.
    string file_containing_symbol = 4;
    // The file that declares this extension.
    ExtensionRequest file_containing_extension = 5;
    // The numbers of all known extensions of this message type.
    string all_extension_numbers_of_type = 6;
    // The names of all services; the value means nothing.
    string list_services = 7;
  }
}

message ExtensionRequest {
  // Full name of the message type that is extended.
  string containing_type = 1;
  int32 extension_number = 2;
}

message ServerReflectionResponse {
  // The request's host.
  string valid_host = 1;
  ServerReflectionRequest original_request = 2;
  oneof message_response {
    // Answers the three requests for a file.
    FileDescriptorResponse file_descriptor_response = 4;
    ExtensionNumberResponse all_extension_numbers_response = 5;
    ListServiceResponse list_services_response = 6;
    ErrorResponse error_response = 7;
  }
}

message FileDescriptorResponse {
  // Serialized google.protobuf.FileDescriptorProto: the file, and those it imports that were not sent before.
  repeated bytes file_descriptor_proto = 1;
}

message ExtensionNumberResponse {
  // Full name of the message type that is extended.
  string base_type_name = 1;
  repeated int32 extension_number = 2;
}

message ListServiceResponse {
  repeated ServiceResponse service = 1;
}

message ServiceResponse {
  // Full name.
  string name = 1;
}

message ErrorResponse {
  // One of the codes of gRPC.
  int32 error_code = 1;
  string error_message = 2;
}
`,
}
