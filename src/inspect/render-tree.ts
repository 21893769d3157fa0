/**
 * Events as lines of text that fit a terminal: time and direction, then layer below layer.
 *
 * ```
 *    0.9 ms > HEADERS stream 1 END_HEADERS 61 octets
 *               request: 61 octets for 377; table 6 entries, 338 octets
 *                 :path: /helloworld.Greeter/SayHello              added to table
 *    1.2 ms > DATA stream 1 END_STREAM 12 octets
 *               message 1: 7 octets, helloworld.HelloRequest
 *                 00 00 00 00 07                                 prefix, length 7
 *                 0a 05 77 6f 72 6c 64                            ..world
 *                 1 LEN name: "world" (string)
 * ```
 */

import { MESSAGE_PREFIX_OCTETS } from '../rpc/method.ts'
import { describeFrame, describeScan, escapeText, type HpackField, quoteText } from '../wire/index.ts'
import { type Paint, plain, type Style } from './colours.ts'
import { columnsOf, cutColumns, wrapColumns } from './columns.ts'
import type { BodyEvent, FieldsEvent, InspectEvent, MessageEvent, StatusEvent } from './events.ts'

/** Options of a {@link TreeRenderer}. */
export interface TreeOptions {
  /** Columns of a line; default 80, at least 40. */
  columns?: number
  /** Colours; default none. */
  paint?: Paint
  /** Octets shown of a message or a body in hex; default 64. */
  hexOctets?: number
  /** Frames to show: those that carry calls, or `all` of the connection; default `all`. */
  frames?: 'all' | 'calls'
  /** Time that counts as zero; default the first event's. */
  startMs?: number
}

/** Columns of `9999.9 ms > `. */
const GUTTER_COLUMNS = 12
const HEX_OCTETS_A_LINE = 16
const CALL_FRAMES = new Set(['DATA', 'HEADERS', 'CONTINUATION', 'RST_STREAM', 'PUSH_PROMISE', 'INVALID'])

/**
 * Renders events one after another.
 *
 * @example
 * const tree = new TreeRenderer({ paint: paintFor(process.stdout) })
 * const onEvent = (event: InspectEvent) => tree.lines(event).forEach((line) => console.log(line))
 */
export class TreeRenderer {
  readonly #columns: number
  readonly #paint: Paint
  readonly #hexOctets: number
  readonly #callsOnly: boolean
  #startMs: number | undefined

  constructor(options: TreeOptions = {}) {
    this.#columns = Math.max(options.columns ?? 80, 40)
    this.#paint = options.paint ?? plain
    this.#hexOctets = options.hexOctets ?? 64
    this.#callsOnly = options.frames === 'calls'
    this.#startMs = options.startMs
  }

  /** The lines of one event, none for an event that is not to be shown. */
  lines(event: InspectEvent): string[] {
    this.#startMs ??= event.timeMs
    switch (event.type) {
      case 'preface':
        return this.#callsOnly ? [] : this.#head(event, `connection preface ${event.lengthOctets} octets`)
      case 'frame':
        if (this.#callsOnly && !CALL_FRAMES.has(event.frame.kind)) return []
        return this.#head(event, describeFrame(event.frame))
      case 'fields':
        return this.#fields(event)
      case 'message':
        return this.#message(event)
      case 'body':
        return this.#body(event)
      case 'status':
        return this.#status(event)
      case 'error': {
        const text = `${event.fatal ? 'connection ' : ''}error: ${event.error.message}`
        return this.#text(1, text, 'bad')
      }
      case 'end':
        return this.#head(event, event.error === undefined ? 'closed' : `lost: ${event.error}`)
    }
  }

  /** A line with time and direction. */
  #head(event: InspectEvent, text: string): string[] {
    const time = `${(event.timeMs - this.#startMs!).toFixed(1).padStart(6)} ms`
    const arrow = event.sender === 'client' ? '>' : '<'
    const [first = '', ...more] = wrapColumns(escapeText(text), this.#columns - GUTTER_COLUMNS)
    const word = first.split(' ', 1)[0]!
    const indent = ' '.repeat(GUTTER_COLUMNS)
    return [
      `${this.#paint('dim', time)} ${this.#paint(event.sender, arrow)} ${this.#paint('heading', word)}${first.slice(word.length)}`,
      ...more.map((line) => indent + line),
    ]
  }

  /** Lines below a head: `depth` levels in, broken where they are too long, `label` at the right end. */
  #text(depth: number, text: string, style?: Style, label = ''): string[] {
    const indent = ' '.repeat(GUTTER_COLUMNS + depth * 2)
    const width = this.#columns - indent.length
    // Much of it comes from peers: nothing of that may steer the terminal.
    const safe = escapeText(text)
    let lines = wrapColumns(safe, width)
    // Those below the first stand two columns further in.
    if (lines.length > 1) lines = wrapColumns(safe, width - 2)
    const painted = lines.map((line, i) => {
      const shown = i === 0 ? line : `  ${line}`
      return indent + (style === undefined ? shown : this.#paint(style, shown))
    })
    if (label === '') return painted
    const gap = width - columnsOf(lines.at(-1)!) - label.length
    if (lines.length === 1 && gap >= 2) return [painted[0] + ' '.repeat(gap) + this.#paint('dim', label)]
    return [...painted, ' '.repeat(this.#columns - label.length) + this.#paint('dim', label)]
  }

  #fields(event: FieldsEvent): string[] {
    const { tableEntries, tableOctets } = event
    const table = `table ${tableEntries} ${tableEntries === 1 ? 'entry' : 'entries'}, ${octetCount(tableOctets)}`
    const lines = this.#text(
      1,
      `${event.section}: ${octetCount(event.blockOctets)} for ${event.fieldsOctets}; ${table}`,
    )
    for (const step of event.instructions) {
      if (step.kind === 'size-update') {
        lines.push(...this.#text(2, `dynamic table size update to ${step.maxSizeOctets} octets`, 'dim'))
      } else {
        lines.push(...this.#text(2, `${step.name}: ${step.value}`, undefined, labelOf(step)))
      }
    }
    if (event.truncated) lines.push(...this.#text(2, 'more fields than are shown', 'bad'))
    return lines
  }

  #message(event: MessageEvent): string[] {
    const encoding = event.compressed ? `, compressed with ${event.encoding}` : ''
    const type = event.typeName === undefined ? '' : `, ${event.typeName}`
    const lines = this.#text(1, `message ${event.index}: ${octetCount(event.lengthOctets)}${encoding}${type}`)
    const prefix = Buffer.alloc(MESSAGE_PREFIX_OCTETS)
    prefix[0] = event.compressed ? 1 : 0
    prefix.writeUInt32BE(event.lengthOctets, 1)
    lines.push(...this.#text(2, hexOf(prefix), 'dim', `prefix, length ${event.lengthOctets}`))
    lines.push(...this.#hex(event.octets, event.lengthOctets))
    if (event.note !== '') lines.push(...this.#text(2, event.note, 'bad'))
    if (event.compressed && event.plain !== undefined) {
      lines.push(...this.#text(2, `decompressed: ${octetCount(event.plain.length)}`))
      lines.push(...this.#hex(event.plain, event.plain.length))
    }
    if (event.scan !== undefined) lines.push(...this.#scan(event.scan, 2))
    return lines
  }

  #scan(scan: Parameters<typeof describeScan>[0], depth: number): string[] {
    const indent = ' '.repeat(GUTTER_COLUMNS + depth * 2)
    const width = this.#columns - indent.length
    return describeScan(scan, { maxColumns: width }).map((line) => indent + cutColumns(line, width))
  }

  #body(event: BodyEvent): string[] {
    return [
      ...this.#text(1, `body: ${octetCount(event.octets.length)}`),
      ...this.#hex(event.octets, event.octets.length),
    ]
  }

  #status(event: StatusEvent): string[] {
    const message = event.message === '' ? '' : ` ${quoteText(event.message)}`
    const malformed = event.malformed === undefined ? '' : ` (grpc-status is ${quoteText(event.malformed)})`
    const style = event.code === 0 ? 'good' : 'bad'
    const lines = this.#text(1, `status ${event.code} ${event.name}${message}${malformed}`, style)
    if (event.details !== undefined) {
      lines.push(...this.#text(2, 'details: google.rpc.Status'), ...this.#scan(event.details, 3))
    }
    return lines
  }

  /** Octets in hex, and as ASCII where there is room. */
  #hex(octets: Uint8Array, sizeOctets: number): string[] {
    const shown = octets.subarray(0, this.#hexOctets)
    const width = this.#columns - GUTTER_COLUMNS - 4
    const perLine = width >= HEX_OCTETS_A_LINE * 3 - 1 ? HEX_OCTETS_A_LINE : HEX_OCTETS_A_LINE / 2
    const lines: string[] = []
    for (let at = 0; at < shown.length; at += perLine) {
      const part = shown.subarray(at, at + perLine)
      const hex = hexOf(part).padEnd(perLine * 3)
      const line = hex.length + perLine <= width ? hex + asciiOf(part) : hex.trimEnd()
      lines.push(...this.#text(2, line, 'dim'))
    }
    const left = sizeOctets - shown.length
    if (left > 0) lines.push(...this.#text(2, `… ${octetCount(left)} more`, 'dim'))
    return lines
  }
}

function octetCount(count: number): string {
  return count === 1 ? '1 octet' : `${count} octets`
}

function hexOf(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(' ')
}

/** Printable ASCII as it is, every other octet as a point. */
function asciiOf(octets: Uint8Array): string {
  return Array.from(octets, (octet) =>
    octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.',
  ).join('')
}

/** How a field was represented (RFC 7541 §6), in few words. */
function labelOf(field: HpackField): string {
  switch (field.representation) {
    case 'indexed':
      return `indexed ${field.index}`
    case 'literal-incremental-indexing':
      return 'added to table'
    case 'literal-without-indexing':
      return 'not indexed'
    case 'literal-never-indexed':
      return 'never indexed'
  }
}
