/** Metadata as it is typed: `-H 'name: value'`, with base64 for names that end in `-bin`. */
import { InvalidArgumentError } from 'commander'
import { Metadata } from '../rpc/metadata.ts'
import { decodeBinaryValues } from '../wire/grpc/binary-metadata.ts'

/**
 * Adds one `-H` to those before it.
 * @throws InvalidArgumentError saying what is allowed
 */
export function addHeader(text: string, before: Metadata = new Metadata()): Metadata {
  const colon = text.indexOf(':')
  if (colon < 1) throw new InvalidArgumentError('Write "name: value".')
  const name = text.slice(0, colon).trim().toLowerCase()
  const value = text.slice(colon + 1).trim()
  try {
    return before.merge({ [name]: name.endsWith('-bin') ? decodeBinaryValues(value) : value })
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
