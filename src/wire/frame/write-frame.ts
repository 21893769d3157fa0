/**
 * One writer for every frame object: for tests, lessons and the inspector. The engine uses the writers of each frame.
 *
 * Adds what they leave out: padding of HEADERS and PUSH_PROMISE, priority fields of HEADERS, single CONTINUATION
 * frames. Checks nothing; what cannot be said as a frame object is written with `writeRawFrame`.
 */
import type { OctetWriter } from '../octets.ts'
import { writeAltsvc } from './altsvc.ts'
import { writeData } from './data.ts'
import type { FrameContent, HeadersContent, PushPromiseContent } from './frame.ts'
import { beginFrame, endFrame } from './header.ts'
import { writeOrigin } from './origin.ts'
import { writePadding } from './padding.ts'
import { writePing } from './ping.ts'
import { writePriority, writePriorityFields } from './priority.ts'
import { writePriorityUpdate } from './priority-update.ts'
import { writeRawFrame } from './raw.ts'
import { writeRstStream } from './rst-stream.ts'
import { writeSettings, writeSettingsAck } from './settings.ts'
import { Flag, FrameType } from './types.ts'
import { writeWindowUpdate } from './window-update.ts'

/**
 * Writes a frame; flags and length follow from what it says.
 *
 * @example
 * writeFrame(out, { kind: 'RST_STREAM', streamId: 1, code: ErrorCode.CANCEL })
 */
export function writeFrame(out: OctetWriter, frame: FrameContent): void {
  switch (frame.kind) {
    case 'DATA': {
      const { streamId, endStream, data, padLength } = frame
      writeData(out, streamId, endStream, data, 0, data.length, padLength)
      return
    }
    case 'HEADERS':
      writeHeadersFrame(out, frame)
      return
    case 'PRIORITY':
      writePriority(out, frame.streamId, frame.dependency, frame.weight, frame.exclusive)
      return
    case 'RST_STREAM':
      writeRstStream(out, frame.streamId, frame.code)
      return
    case 'SETTINGS': {
      const { ack, settings } = frame
      if (ack) writeSettingsAck(out)
      else {
        writeSettings(
          out,
          settings.flatMap(({ identifier, value }) => [identifier, value]),
        )
      }
      return
    }
    case 'PUSH_PROMISE':
      writePushPromiseFrame(out, frame)
      return
    case 'PING':
      writePing(out, frame.ack, frame.data)
      return
    case 'GOAWAY': {
      const start = beginFrame(out, FrameType.GOAWAY, 0, 0)
      out.uint32(frame.lastStreamId)
      out.uint32(frame.code)
      out.octets(frame.debugData)
      endFrame(out, start)
      return
    }
    case 'WINDOW_UPDATE':
      writeWindowUpdate(out, frame.streamId, frame.increment)
      return
    case 'CONTINUATION': {
      const { streamId, fragment, endHeaders } = frame
      const flags = endHeaders ? Flag.END_HEADERS : 0
      writeRawFrame(out, { type: FrameType.CONTINUATION, flags, streamId, payload: fragment })
      return
    }
    case 'ALTSVC':
      writeAltsvc(out, frame.streamId, frame.origin, frame.value)
      return
    case 'ORIGIN':
      writeOrigin(out, frame.origins)
      return
    case 'PRIORITY_UPDATE':
      writePriorityUpdate(out, frame.prioritizedStreamId, frame.value)
      return
    case 'IGNORED':
      writeRawFrame(out, frame)
      return
  }
}

function writeHeadersFrame(out: OctetWriter, frame: HeadersContent): void {
  const { priority, padLength } = frame
  const flags =
    (frame.endStream ? Flag.END_STREAM : 0) |
    (frame.endHeaders ? Flag.END_HEADERS : 0) |
    (padLength === undefined ? 0 : Flag.PADDED) |
    (priority === undefined ? 0 : Flag.PRIORITY)
  const start = beginFrame(out, FrameType.HEADERS, flags, frame.streamId)
  if (padLength !== undefined) out.uint8(padLength)
  if (priority !== undefined)
    writePriorityFields(out, priority.dependency, priority.weight, priority.exclusive)
  out.octets(frame.fragment)
  writePadding(out, padLength ?? 0)
  endFrame(out, start)
}

function writePushPromiseFrame(out: OctetWriter, frame: PushPromiseContent): void {
  const { padLength } = frame
  const flags = (frame.endHeaders ? Flag.END_HEADERS : 0) | (padLength === undefined ? 0 : Flag.PADDED)
  const start = beginFrame(out, FrameType.PUSH_PROMISE, flags, frame.streamId)
  if (padLength !== undefined) out.uint8(padLength)
  out.uint32(frame.promisedStreamId)
  out.octets(frame.fragment)
  writePadding(out, padLength ?? 0)
  endFrame(out, start)
}
