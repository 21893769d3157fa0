/**
 * Events as NDJSON (one JSON object a line), for programs that read a trace.
 *
 * Octets are hex, 64-bit integers decimal text, and numbers that JSON has no word for (`NaN`, `Infinity`) text
 * too. DATA frames come without their data: the messages that follow have it.
 */
import {
  type ProtobufRecord,
  type RecordValue,
  recordValue,
  type Scan,
  WireError,
  wireTypeName,
} from '../wire/index.ts'
import type { InspectEvent } from './events.ts'

/**
 * One line for one event, with its line end.
 *
 * @example
 * process.stdout.write(ndjson(event)) // {"connection":1,"sender":"client","timeMs":0,"offset":0,"type":"preface",…
 */
export function ndjson(event: InspectEvent): string {
  return `${JSON.stringify(toPlain(event))}\n`
}

/** A value as JSON has it; objects of the wire floor in their short forms. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof WireError) return errorToPlain(value)
  if (Array.isArray(value)) return value.map(toPlain)
  if ('records' in value && 'truncated' in value) return scanToPlain(value as Scan)
  const plain: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined || (name === 'data' && 'endStream' in value)) continue
    plain[name] = toPlain(part)
  }
  return plain
}

function errorToPlain(error: WireError): Record<string, unknown> {
  const { layer, reason, section, offset, code, scope, streamId } = error
  return { layer, reason, section, offset, code, scope, streamId }
}

function scanToPlain(scan: Scan): Record<string, unknown> {
  const plain: Record<string, unknown> = { records: scan.records.map(recordToPlain) }
  if (scan.truncated) plain.truncated = true
  if (scan.error !== undefined) plain.error = errorToPlain(scan.error)
  return plain
}

function recordToPlain(record: ProtobufRecord): Record<string, unknown> {
  const { fieldNumber, wireType, offset, end, field, kinds, note } = record
  const value: RecordValue = recordValue(record)
  const plain: Record<string, unknown> = { fieldNumber, wireType: wireTypeName(wireType), offset, end }
  if (field !== undefined) {
    plain.name = field.name
    plain.type = field.message?.name ?? field.enum?.name ?? field.type
  } else if (kinds.length > 0) plain.kinds = kinds
  if (value !== undefined) plain.value = toPlain(value)
  else if (record.records !== undefined) plain.records = record.records.map(recordToPlain)
  if (note !== '') plain.note = note
  return plain
}
