/** How messages look in JavaScript: the options that `loadProto` and its kin take, and their defaults. */

/** How messages look in JavaScript. */
export interface MessageOptions {
  /** Names of fields: `lowerCamelCase` (default), or as they stand in the .proto file with `true`. */
  keepCase?: boolean
  /** Decoded enum values: their name (default), or their number. A number without a name always stays a number. */
  enums?: 'name' | 'number'
  /** Decoded 64-bit integers: `bigint` without loss (default), decimal `string`, or `number` with loss beyond 2^53. */
  int64?: 'bigint' | 'string' | 'number'
  /** Adds to a decoded message, for each oneof, the oneof's name with the name of the field that is set; default true. */
  oneofs?: boolean
  /** What encoding does with a property that is no field: an error (default), or nothing. */
  unknownFields?: 'error' | 'ignore'
}

/** The options with every default filled in. */
export type ResolvedMessageOptions = Required<MessageOptions>

/** Fills in the defaults of {@link MessageOptions}. */
export function resolveMessageOptions(options: MessageOptions): ResolvedMessageOptions {
  return {
    keepCase: options.keepCase ?? false,
    enums: options.enums ?? 'name',
    int64: options.int64 ?? 'bigint',
    oneofs: options.oneofs ?? true,
    unknownFields: options.unknownFields ?? 'error',
  }
}
