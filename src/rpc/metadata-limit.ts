/**
 * How many metadata entries a peer may send in one header or trailer section.
 *
 * Its octets are limited by SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 §10.5.1) before this is asked; many tiny
 * entries, or a list of values under one name that ends in `-bin`, make far more work than their octets say.
 */
import type { Fields } from '../http2/transport.ts'
import { isProtocolField } from './metadata.ts'

/** As many as node:http2, and so grpc-js, takes of fields. */
export const DEFAULT_MAX_METADATA_ENTRIES = 128

const COMMA = 0x2c
const LETTER_N = 0x6e

/**
 * How many entries a section holds if they are too many, otherwise 0.
 *
 * Entries are counted as {@link Metadata} shows them: without gRPC's own fields, a repeated name each time, and a
 * comma-separated value of a name that ends in `-bin` once for each of its parts (gRPC PROTOCOL-HTTP2,
 * "Custom-Metadata").
 */
export function excessiveEntries(fields: Fields, maxEntries: number): number {
  let entries = fields.length >> 1
  for (let i = 0; i < fields.length; i += 2) {
    if (isBinary(fields[i]!)) entries += commas(fields[i + 1]!)
  }
  if (entries <= maxEntries) return 0
  for (let i = 0; i < fields.length; i += 2) if (isProtocolField(fields[i]!)) entries--
  return entries <= maxEntries ? 0 : entries
}

/** Most names have another last character: then nothing is compared. */
function isBinary(name: string): boolean {
  return name.charCodeAt(name.length - 1) === LETTER_N && name.endsWith('-bin')
}

/** The text of the status that says so. @param where the section and who sent it: `the request headers` */
export function excessText(entries: number, maxEntries: number, where: string): string {
  return `Received ${entries} metadata entries in ${where}, more than the ${maxEntries} that maxMetadataEntries allows`
}

function commas(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === COMMA) count++
  return count
}
