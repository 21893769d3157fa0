/**
 * How a call is shown: messages as JSON on standard output; headers, trailers and the status of a failed call on
 * standard error. With `--json` each is one line of JSON, otherwise laid out for reading.
 */
import type { Fields, Http2Connection } from '../http2/transport.ts'
import type { JsonValue } from '../rpc/messages/message-json.ts'
import { statusDetails } from '../rpc/status-details.ts'
import type { StatusError } from '../rpc/status-error.ts'
import { statusName } from '../wire/grpc/status-codes.ts'
import { printable } from './printable.ts'
import { type Styles, stylesFor } from './styles.ts'
import { type Terminal, writeLine } from './terminal.ts'
import type { HeaderWatcher } from './watched-engine.ts'

/** Shows one call. */
export class CallOutput implements HeaderWatcher {
  readonly #terminal: Terminal
  readonly #json: boolean
  readonly #styles: Styles

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#json = json
    this.#styles = stylesFor(terminal.stderr, terminal)
  }

  /** Resolves once there is room for the next message. */
  message(value: JsonValue): Promise<void> {
    return writeLine(this.#terminal.stdout, JSON.stringify(value, null, this.#json ? 0 : 2))
  }

  onRequestHeaders(fields: Fields, { engine, peer }: Http2Connection): void {
    const wire = peer.encrypted ? 'TLS' : 'plaintext'
    this.#section(
      `Request headers, to ${peer.address} (${wire}, engine ${engine})`,
      '>',
      'requestHeaders',
      fields,
    )
  }

  onResponseHeaders(fields: Fields, endStream: boolean): void {
    if (endStream) this.#section('Trailers-Only', '<', 'trailersOnly', fields)
    else this.#section('Response headers', '<', 'responseHeaders', fields)
  }

  onTrailers(fields: Fields): void {
    this.#section('Trailers', '<', 'trailers', fields)
  }

  #section(title: string, mark: string, key: string, fields: Fields): void {
    const pairs: [string, string][] = []
    for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] ?? '', fields[i + 1] ?? ''])
    const { stderr } = this.#terminal
    if (this.#json) {
      stderr.write(`${JSON.stringify({ [key]: pairs })}\n`)
      return
    }
    const { heading, name } = this.#styles
    stderr.write(`${heading(title)}\n`)
    for (const [field, value] of pairs)
      stderr.write(`${mark} ${name(printable(field))}: ${printable(value)}\n`)
  }

  /** The status of a call that did not end with OK, with the details that the server sent along. */
  failed(error: StatusError): void {
    const { stderr } = this.#terminal
    const { code, details } = error
    const name = statusName(code)
    const more = statusDetails(error)
    if (this.#json) {
      const status = { code, name, details, ...(more.length > 0 && { statusDetails: more }) }
      stderr.write(`${JSON.stringify({ status }, jsonMember)}\n`)
      return
    }
    stderr.write(`glass: ${this.#styles.error(`${code} ${name}`)}: ${printable(details)}\n`)
    for (const { type, typeUrl, value } of more) {
      const title = type === 'Any' ? typeUrl : type
      stderr.write(
        `  ${this.#styles.name(printable(title))} ${printable(JSON.stringify(value, jsonMember))}\n`,
      )
    }
  }
}

/** What JSON has no form for: octets as base64, 64-bit integers as text. */
function jsonMember(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key]
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}
