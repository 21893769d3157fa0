/**
 * One readable line a frame, for traces and test failures: type, stream, flags, what it says, its size.
 *
 * Payload is left out. Text from the peer is quoted, cut, and freed of what could steer a terminal.
 */
import { errorCodeName } from './error-codes.ts'
import type { Frame, PriorityFields } from './frame.ts'
import { settingName } from './settings.ts'
import { Flag, FrameType, frameTypeName } from './types.ts'

/** Text from the peer is cut to this many characters. */
const MAX_TEXT_CHARACTERS = 120

/** Which flags mean something on which type (RFC 9113 §6). */
const flagsOfType = new Map<number, readonly (keyof typeof Flag)[]>([
  [FrameType.DATA, ['END_STREAM', 'PADDED']],
  [FrameType.HEADERS, ['END_STREAM', 'END_HEADERS', 'PADDED', 'PRIORITY']],
  [FrameType.SETTINGS, ['ACK']],
  [FrameType.PUSH_PROMISE, ['END_HEADERS', 'PADDED']],
  [FrameType.PING, ['ACK']],
  [FrameType.CONTINUATION, ['END_HEADERS']],
])

/**
 * The names of the flags that are set, then what is left of them in hex.
 *
 * @example
 * flagNames(FrameType.HEADERS, 0x45) // ['END_STREAM', 'END_HEADERS', '0x40']
 */
export function flagNames(type: number, flags: number): string[] {
  const names: string[] = (flagsOfType.get(type) ?? []).filter((name) => (flags & Flag[name]) !== 0)
  const rest = names.reduce((left, name) => left & ~Flag[name as keyof typeof Flag], flags)
  if (rest !== 0) names.push(`0x${rest.toString(16)}`)
  return names
}

/**
 * One line that says what a frame is.
 *
 * @example
 * describeFrame(frame) // 'HEADERS stream 1 END_HEADERS 45 octets'
 */
export function describeFrame(frame: Frame): string {
  const { type, streamId, flags, length } = frame
  const place = streamId === 0 ? 'connection' : `stream ${streamId}`
  const head = [frameTypeName(type), place, ...flagNames(type, flags)].join(' ')
  const size = `${length} ${length === 1 ? 'octet' : 'octets'}`
  switch (frame.kind) {
    case 'DATA':
      return `${head} ${size}${paddingText(frame.padLength)}`
    case 'HEADERS':
      return `${head} ${size}${paddingText(frame.padLength)}${frame.priority ? `, ${priorityText(frame.priority)}` : ''}`
    case 'PRIORITY':
      return `${head} ${priorityText(frame)}`
    case 'RST_STREAM':
      return `${head} ${errorCodeName(frame.code)}`
    case 'SETTINGS':
      return [head, ...frame.settings.map((entry) => `${settingName(entry.identifier)}=${entry.value}`)].join(
        ' ',
      )
    case 'PUSH_PROMISE':
      return `${head} promises stream ${frame.promisedStreamId}, ${size}${paddingText(frame.padLength)}`
    case 'PING':
      return `${head} ${Buffer.from(frame.data).toString('hex')}`
    case 'GOAWAY': {
      const debug = frame.debugData.length === 0 ? '' : `, ${quote(Buffer.from(frame.debugData).toString())}`
      return `${head} ${errorCodeName(frame.code)}, last stream ${frame.lastStreamId}${debug}`
    }
    case 'WINDOW_UPDATE':
      return `${head} +${frame.increment}`
    case 'CONTINUATION':
      return `${head} ${size}`
    case 'ALTSVC':
      return `${head} ${frame.origin === '' ? '' : `${quote(frame.origin)} `}${quote(frame.value)}`
    case 'ORIGIN':
      return [head, ...frame.origins.map(quote)].join(' ')
    case 'PRIORITY_UPDATE':
      return `${head} for stream ${frame.prioritizedStreamId} ${quote(frame.value)}`
    case 'IGNORED':
      return `${head} ${size}, ignored`
    case 'INVALID': {
      const { code, scope, reason, section } = frame.error
      return `${head} ${size}, ${scope} error ${errorCodeName(code ?? 0)}: ${reason} (${section})`
    }
  }
}

function paddingText(padLength: number | undefined): string {
  return padLength === undefined ? '' : `, ${padLength} of padding`
}

function priorityText({ dependency, weight, exclusive }: PriorityFields): string {
  return `depends on stream ${dependency}${exclusive ? ' exclusively' : ''}, weight ${weight}`
}

/** Quotes text from the peer: escapes control characters, line separators and those that turn the direction. */
function quote(text: string): string {
  const cut = text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}…` : text
  return JSON.stringify(cut).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}
