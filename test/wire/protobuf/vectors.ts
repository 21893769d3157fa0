/** Reads the vectors of this folder's tests. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { WireError } from '../../../src/wire/wire-error.ts'

/** The JSON of `test/vectors/protobuf/<name>.json`. */
export function vectors<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../../vectors/protobuf/${name}.json`, import.meta.url), 'utf8'),
  ) as T
}

/** Octets of hex with spaces. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

/** Hex of octets. */
export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

/** Fails unless `read` throws a WireError of the protobuf layer with these properties. */
export function violates(
  t: Test,
  read: () => unknown,
  expected: Partial<Record<keyof WireError, unknown>>,
): void {
  try {
    read()
  } catch (error) {
    t.ok(error instanceof WireError, String(error))
    t.match(error, { layer: 'protobuf', ...expected })
    return
  }
  t.fail('nothing was thrown', { expected })
}
