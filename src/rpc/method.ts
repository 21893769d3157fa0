/**
 * What gRPC knows of a service: its methods, their paths and kinds, and how their messages become octets.
 *
 * A codec hides where messages come from (protobufjs, a grpc-js ServiceDefinition, or anything else).
 */

/** Octets of the prefix of a Length-Prefixed-Message: Compressed-Flag and Message-Length. */
export const MESSAGE_PREFIX_OCTETS = 5

/** Turns one type of message into octets and back. */
export interface MessageCodec<Message = unknown> {
  /** Full name of the message type, for error texts, for example `helloworld.HelloRequest`. */
  readonly typeName: string
  /**
   * Encodes a message *behind five octets left blank* for the prefix of a Length-Prefixed-Message, so
   * that framing copies nothing. The octets belong to the caller.
   * @throws Error naming the field and the reason if the message can't be encoded
   */
  encode(message: Message): Uint8Array
  /**
   * Decodes the message in octets `start` to `end` of `chunk`.
   * @throws Error if the octets are no such message
   */
  decode(chunk: Uint8Array, start: number, end: number): Message
}

/** One method of a service. */
export interface Method<
  Request = unknown,
  Response = unknown,
  RequestStream extends boolean = boolean,
  ResponseStream extends boolean = boolean,
> {
  /** As in the .proto file, for example `SayHello`. */
  readonly name: string
  /** The value of `:path`, for example `/helloworld.Greeter/SayHello`. */
  readonly path: string
  /** True if the client sends a stream of requests. */
  readonly requestStream: RequestStream
  /** True if the server sends a stream of responses. */
  readonly responseStream: ResponseStream
  /** Encodes and decodes request messages. */
  readonly request: MessageCodec<Request>
  /** Encodes and decodes response messages. */
  readonly response: MessageCodec<Response>
  /** The `idempotency_level` option of the .proto file, where it is set. */
  readonly idempotency?: 'NO_SIDE_EFFECTS' | 'IDEMPOTENT'
}

/** Methods by the name that a client or a handler object uses: the proto name in lower camel case. */
// biome-ignore lint/suspicious/noExplicitAny: a map of methods of any message types; `unknown` would refuse them
export type Methods = Readonly<Record<string, Method<any, any>>>

/** A service: what `server.add` and `channel.client` take. */
export interface Service<M extends Methods = Methods> {
  /** Full name, for example `helloworld.Greeter`. */
  readonly name: string
  /** The methods, by the names that clients and handlers use. */
  readonly methods: M
  /** Serialized google.protobuf.FileDescriptorProto of the service's file and everything it imports, for reflection. */
  readonly fileDescriptors?: () => readonly Uint8Array[]
}

/** True if the kind of a method is known only at run time: one of its two streaming flags is just `boolean`. */
export type IsDynamic<
  RequestStream extends boolean,
  ResponseStream extends boolean,
> = boolean extends RequestStream ? true : boolean extends ResponseStream ? true : false
