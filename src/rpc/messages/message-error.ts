/** A message that can't be encoded or decoded: which type, which field, and why. */

/**
 * A message can't become octets, or octets or JSON can't become a message.
 *
 * The text starts with type and field: `helloworld.HelloRequest.name: expected string, got number 5`.
 */
export class MessageError extends Error {
  /** Always `MessageError`. */
  override readonly name = 'MessageError'
  /** Full name of the message type. */
  readonly typeName: string
  /** Where in the message, as in `.currencies[2].code`; empty for the message itself. */
  readonly path: string
  /** What is wrong, without type and path. */
  readonly reason: string

  constructor(typeName: string, path: string, reason: string, cause?: unknown) {
    super(`${typeName}${path}: ${reason}`, cause === undefined ? undefined : { cause })
    this.typeName = typeName
    this.path = path
    this.reason = reason
  }
}

/** Thrown inside of an encoder on its way up; each level puts its field in front. Never reaches a caller. */
export class FieldFault {
  path = ''
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }

  inField(name: string): this {
    this.path = `${/^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`}${this.path}`
    return this
  }

  atIndex(index: number): this {
    this.path = `[${index}]${this.path}`
    return this
  }

  atKey(key: string): this {
    this.path = `[${JSON.stringify(cut(key))}]${this.path}`
    return this
  }
}

/** Says what a value is, in few words: `number 5`, `string "abc"`, `null`, `array of 3`, `object`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(cut(value))}`
    case 'number':
    case 'boolean':
      return `${typeof value} ${value}`
    case 'bigint':
      return `bigint ${cut(String(value))}n`
    case 'object':
      break
    default:
      return typeof value
  }
  if (Array.isArray(value)) return `array of ${value.length}`
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : 'object'
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}
