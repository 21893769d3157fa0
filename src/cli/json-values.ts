/**
 * A text cut into JSON values: one after the other, on lines of their own or not, in pieces of any size (RFC 8259).
 * Only where a value ends is found here; JSON.parse reads it.
 */
import type { JsonValue } from '../rpc/messages/message-json.ts'
import { CommandError } from './exit-code.ts'

/** Finds the end of each value in a text that comes in pieces. */
class ValueScanner {
  /** What came and is not given out yet. */
  #text = ''
  /** How far the text was looked at. */
  #at = 0
  /** Where the value that is being read starts; -1 between values. */
  #start = -1
  #depth = 0
  #inString = false
  #escaped = false
  #count = 0

  push(text: string): void {
    const from = this.#start < 0 ? this.#at : this.#start
    this.#text = this.#text.slice(from) + text
    this.#at -= from
    if (this.#start > 0) this.#start = 0
  }

  /** The next whole value, or undefined if more text is needed. @throws CommandError if it is no JSON */
  next(): { value: JsonValue } | undefined {
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at)
      if (this.#start < 0) {
        if (!isSpace(character)) this.#begin(character)
        this.#at++
        continue
      }
      // A number or word ends before what can't belong to it.
      if (this.#depth === 0 && !this.#inString && /[\s{}[\]",]/.test(character)) return this.#take(this.#at)
      this.#at++
      if (this.#isLast(character)) return this.#take(this.#at)
    }
    return undefined
  }

  /** What is left when nothing more comes. @throws CommandError if a value is cut */
  end(): { value: JsonValue } | undefined {
    return this.#start < 0 ? undefined : this.#take(this.#text.length)
  }

  #begin(character: string): void {
    this.#start = this.#at
    this.#inString = character === '"'
    this.#escaped = false
    this.#depth = character === '{' || character === '[' ? 1 : 0
  }

  /** Whether the character ends an object, a list or a text. */
  #isLast(character: string): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (character === '\\') this.#escaped = true
      else if (character === '"') {
        this.#inString = false
        return this.#depth === 0
      }
      return false
    }
    if (character === '"') this.#inString = true
    else if (character === '{' || character === '[') this.#depth++
    else if (character === '}' || character === ']') return --this.#depth === 0
    return false
  }

  #take(end: number): { value: JsonValue } {
    const text = this.#text.slice(this.#start, end)
    this.#count++
    this.#start = -1
    this.#at = end
    try {
      return { value: JSON.parse(text) as JsonValue }
    } catch (cause) {
      // the reason quotes the text
      throw new CommandError(`JSON value ${this.#count}: ${(cause as Error).message}`, undefined, { cause })
    }
  }
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t'
}

/**
 * The JSON values of a text.
 * @throws CommandError at the first that is none
 * @example
 * splitJsonValues('{"name":"Ada"} {"name":"Bob"}') // [{ name: 'Ada' }, { name: 'Bob' }]
 */
export function splitJsonValues(text: string): JsonValue[] {
  const scanner = new ValueScanner()
  const values: JsonValue[] = []
  scanner.push(text)
  for (let next = scanner.next(); next !== undefined; next = scanner.next()) values.push(next.value)
  const last = scanner.end()
  if (last !== undefined) values.push(last.value)
  return values
}

/**
 * The JSON values of a stream of octets in UTF-8, each as soon as it is whole.
 * @throws CommandError at the first that is none
 */
export async function* readJsonValues(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<JsonValue, undefined> {
  const scanner = new ValueScanner()
  const decoder = new TextDecoder()
  for await (const chunk of chunks) {
    scanner.push(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
    for (let next = scanner.next(); next !== undefined; next = scanner.next()) yield next.value
  }
  scanner.push(decoder.decode())
  const last = scanner.next() ?? scanner.end()
  if (last !== undefined) yield last.value
  return undefined
}
