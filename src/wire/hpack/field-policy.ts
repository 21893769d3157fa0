/** Which fields an encoder keeps out of the dynamic table, and why (RFC 7541 §7.1). Names in lower case. */

/**
 * Fields that carry secrets: sent as never-indexed literals, so that no table shares them with fields that
 * an attacker can choose (RFC 7541 §7.1.3). Callers add their own.
 */
export const sensitiveFieldNames: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
]

/**
 * Fields whose value differs from call to call: an entry for each would only drive out entries that are
 * used again. `date` is not among them: it is the same for all responses of a second.
 */
export const unindexedFieldNames: readonly string[] = [
  // gRPC
  'grpc-timeout',
  'grpc-message',
  'grpc-status-details-bin',
  'grpc-retry-pushback-ms',
  'endpoint-load-metrics-bin',
  // Traces
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'grpc-trace-bin',
  'grpc-tags-bin',
  'x-cloud-trace-context',
  'x-amzn-trace-id',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'uber-trace-id',
  // One request among others
  'x-request-id',
  'request-id',
  'x-correlation-id',
  'idempotency-key',
  // One representation of a resource among others
  'content-length',
  'content-range',
  'age',
  'etag',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'last-modified',
  'range',
]
