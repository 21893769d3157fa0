/** The HPACK vectors of `test/vectors/rfc7541`. */
import { readFileSync } from 'node:fs'
import { HpackDecoder } from '../../../src/wire/index.ts'

/** A field as the vectors write it: name and value. */
export type FieldVector = readonly [name: string, value: string]

/** The blocks of one connection of Appendix C. */
export interface ExampleVector {
  section: string
  what: string
  maxTableSize?: number
  blocks: {
    section: string
    name: string
    input: string
    fields: FieldVector[]
    lines: string[]
    table: FieldVector[]
    tableSize: number
  }[]
}

/** A block that comes after others. */
export interface InputVector {
  name: string
  section: string
  input: string
  maxTableSize?: number
  before?: string[]
  settings?: number[]
}

export const exampleFiles = ['c2.1', 'c2.2', 'c2.3', 'c2.4', 'c3', 'c4', 'c5', 'c6']

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/rfc7541/${name}.json`, import.meta.url), 'utf8'))
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

/** A decoder that has seen what came before the vector's input. */
export function decoderBefore(vector: InputVector): HpackDecoder {
  const decoder = new HpackDecoder({ maxTableSizeOctets: vector.maxTableSize })
  for (const block of vector.before ?? []) decoder.decode(fromHex(block))
  for (const sizeOctets of vector.settings ?? []) decoder.setMaxTableSize(sizeOctets)
  return decoder
}
