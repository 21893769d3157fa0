/**
 * One readable line per record, for traces, lessons and failing tests.
 *
 * ```
 * 1 LEN name: "Korea" (string)
 * 5 VARINT population: 51780579 (int32)
 * 7 LEN currencies: 12 octets (countries.Currencies)
 *   1 LEN code: "KRW" (string)
 * 9 VARINT: 7 (unknown field)
 * ```
 *
 * Without a schema there are no names, and the kind of a LEN is followed by a question mark.
 */
import { doubleFromBits, floatFromBits } from './bits.ts'
import type { ProtobufRecord } from './record.ts'
import type { Scan } from './scan.ts'
import { quoteText } from './text.ts'
import { packedValues, recordValue } from './value.ts'
import { octetCount } from './violation.ts'
import { WireType, wireTypeName } from './wire-type.ts'

/** Options of {@link describeRecord} and {@link describeScan}. */
export interface DescribeOptions {
  /** UTF-16 units a line may have; long values are cut to fit. Default 100, at least 40. */
  maxColumns?: number
  /** True starts each line with the record's offset; default false. */
  offsets?: boolean
  /** Levels of indentation before the first record, two spaces each; default 0. */
  indent?: number
}

const DEFAULT_MAX_COLUMNS = 100

/**
 * One line for one record, without those inside it.
 *
 * @example
 * describeRecord(scan(Buffer.from('120774657374696e67', 'hex')).records[0])
 * // '2 LEN: "testing" (text?)'
 */
export function describeRecord(record: ProtobufRecord, options: DescribeOptions = {}): string {
  const columns = Math.max(options.maxColumns ?? DEFAULT_MAX_COLUMNS, 40)
  const offset = options.offsets ? `${String(record.offset).padStart(4)} ` : ''
  const name = record.field === undefined ? '' : ` ${quoteName(record.field.name)}`
  const start = `${offset}${'  '.repeat(options.indent ?? 0)}${record.fieldNumber} ${wireTypeName(record.wireType)}${name}: `
  let end = typeText(record)
  if (record.note !== '') end += `, ${record.note}`
  end = end === '' ? '' : ` (${end.replace(/^, /, '')})`
  const room = Math.max(columns - start.length - end.length, 12)
  const line = `${start}${valueText(record, room)}${end}`
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line
}

/**
 * A line for each record of a scan, those inside others indented below them, and one for what stopped it.
 *
 * @example
 * describeScan(scan(Buffer.from('1a03089601', 'hex')))
 * // ['3 LEN: 3 octets (message?)', '  1 VARINT: 150']
 */
export function describeScan(scan: Scan, options: DescribeOptions = {}): string[] {
  const lines: string[] = []
  const describeAll = (records: readonly ProtobufRecord[], indent: number): void => {
    for (const record of records) {
      lines.push(describeRecord(record, { ...options, indent }))
      // Records of a LEN that rather is something else are a second guess, not shown.
      const opened = record.wireType === WireType.SGROUP || record.kinds[0] === 'message'
      if (opened && record.records !== undefined) describeAll(record.records, indent + 1)
    }
  }
  const indent = options.indent ?? 0
  describeAll(scan.records, indent)
  if (scan.truncated) lines.push(`${'  '.repeat(indent)}… more records, not read`)
  if (scan.error !== undefined) lines.push(`${'  '.repeat(indent)}! ${scan.error.message}`)
  return lines
}

/** A name of a schema that came from a peer is as little trusted as its texts. */
function quoteName(name: string): string {
  return /^[\w.]+$/.test(name) ? name : quoteText(name)
}

/** What stands in brackets: the declared type, or the guess. */
function typeText(record: ProtobufRecord): string {
  const field = record.field
  if (field !== undefined) {
    const type = field.message?.name ?? field.enum?.name ?? field.type
    const packed = record.kinds[0]?.startsWith('packed') ? 'packed ' : ''
    return `${packed}${field.map ? 'map entry' : quoteName(type)}`
  }
  return record.wireType === WireType.LEN ? `${record.kinds[0]}?` : ''
}

function valueText(record: ProtobufRecord, room: number): string {
  if (record.wireType === WireType.SGROUP)
    return `group of ${octetCount(record.valueEnd - record.valueOffset)}`
  if (record.wireType !== WireType.LEN) return numberText(record)
  switch (record.kinds[0]) {
    case 'message':
      return octetCount(record.valueEnd - record.valueOffset)
    case 'text':
      return textText(record, room)
    case 'octets':
      return hexText(record, room)
    default:
      return packedText(record, room)
  }
}

function numberText(record: ProtobufRecord): string {
  if (record.field !== undefined) {
    const value = recordValue(record)
    const number = record.low | 0
    return record.field.type === 'enum' && typeof value === 'string'
      ? `${quoteName(value)} = ${number}`
      : `${value}`
  }
  switch (record.wireType) {
    case WireType.I32: {
      const hex = `0x${record.low.toString(16).padStart(8, '0')}`
      return isSmall(record)
        ? `${hex} = ${record.low}`
        : `${hex} = float ${short(floatFromBits(record.low), 7)}`
    }
    case WireType.I64: {
      const hex = `0x${record.value.toString(16).padStart(16, '0')}`
      const double = short(doubleFromBits(record.low, record.high), 15)
      return isSmall(record) ? `${hex} = ${record.low}` : `${hex} = double ${double}`
    }
    default:
      // The int32 and int64 types write a negative number as a 64-bit two's complement.
      return record.high >= 0x80000000
        ? `${record.value} = int64 ${BigInt.asIntN(64, record.value)}`
        : `${record.value}`
  }
}

/** Bits of a small integer are those of a floating-point number next to zero, which is seldom meant. */
function isSmall(record: ProtobufRecord): boolean {
  return record.high === 0 && (record.wireType === WireType.I64 || record.low < 0x1000000)
}

function short(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)))
}

function textText(record: ProtobufRecord, room: number): string {
  const size = record.valueEnd - record.valueOffset
  const octets = Buffer.from(
    record.source.buffer,
    record.source.byteOffset + record.valueOffset,
    Math.min(size, room * 4),
  )
  const whole = quoteText(octets.toString('utf8'))
  if (whole.length <= room && octets.length === size) return whole
  const suffix = `… of ${octetCount(size)}`
  let shown = ''
  for (const char of octets.toString('utf8')) {
    const longer = shown + char
    if (quoteText(longer).length + suffix.length > room) break
    shown = longer
  }
  return quoteText(shown) + suffix
}

function hexText(record: ProtobufRecord, room: number): string {
  const size = record.valueEnd - record.valueOffset
  const hex = (octets: number) =>
    Buffer.from(record.source.buffer, record.source.byteOffset + record.valueOffset, octets).toString('hex')
  if (size * 2 <= room) return size === 0 ? 'empty' : hex(size)
  const suffix = `… of ${octetCount(size)}`
  return hex(Math.max(1, (room - suffix.length) >> 1)) + suffix
}

function packedText(record: ProtobufRecord, room: number): string {
  const suffix = `… of ${octetCount(record.valueEnd - record.valueOffset)}]`
  let all = '['
  let cut = '['
  for (const value of packedValues(record)) {
    const item = typeof value === 'string' ? quoteName(value) : String(value)
    all += all === '[' ? item : `, ${item}`
    if (all.length + suffix.length + 2 <= room) cut = `${all}, `
    if (all.length >= room) return cut + suffix
  }
  return `${all}]`
}
