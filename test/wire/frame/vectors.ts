/** The frame vectors of `test/vectors/rfc9113`, and frames in the form they are written there. */
import { readdirSync, readFileSync } from 'node:fs'
import { errorCodeName, type Frame, type WireError } from '../../../src/wire/index.ts'

const folder = new URL('../../vectors/rfc9113/', import.meta.url)

export interface ErrorVector {
  code: string
  scope: string
  section: string
  streamId: number
  offset?: number
}

export interface FrameVector {
  name: string
  section: string
  input: string
  maxFrameSize?: number
  expect?: object[]
  lines?: string[]
  error?: ErrorVector
  notCanonical?: boolean
}

export const vectorFiles = readdirSync(folder).filter((name) => name.endsWith('.json'))

export function readVectors(file: string): FrameVector[] {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

/** A frame as `expect` writes it: what it says, without what its header repeats. */
export function toVector(frame: Frame): object {
  const { offset: _offset, length: _length, ...content } = frame
  const entries = Object.entries(content)
    .filter(([name, value]) => !(name === 'streamId' && value === 0))
    .filter(([name]) => frame.kind === 'IGNORED' || (name !== 'type' && name !== 'flags'))
    .map(([name, value]) => {
      if (value instanceof Uint8Array) return [name, toHex(value)]
      return [name, name === 'error' ? toErrorVector(value as WireError) : value]
    })
  return Object.fromEntries(entries)
}

/** An error as `expect` writes it. */
export function toErrorVector(error: WireError): ErrorVector {
  const { code, scope, section, streamId } = error
  return { code: errorCodeName(code!), scope: scope!, section, streamId: streamId! }
}
