/** The writers against octets written by hand; what `decoder.test.ts` writes back is not repeated. */
import t from 'tap'
import {
  beginData,
  beginFrame,
  decodeFrames,
  ErrorCode,
  endFrame,
  FrameType,
  flagNames,
  frameTypeName,
  OctetWriter,
  SettingId,
  settingName,
  writeAltsvc,
  writeData,
  writeDataHeader,
  writeGoaway,
  writeOrigin,
  writePing,
  writePriority,
  writePriorityUpdate,
  writeRawFrame,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from '../../../src/wire/index.ts'
import { toHex } from './vectors.ts'

const cases: [string, string, (out: OctetWriter) => void][] = [
  ['DATA header alone', '100000 00 01 00000005', (out) => writeDataHeader(out, 5, 1_048_576, true)],
  ['DATA header without END_STREAM', '000000 00 00 00000005', (out) => writeDataHeader(out, 5, 0, false)],
  [
    'DATA of a part',
    '000002 00 00 00000001 0203',
    (out) => writeData(out, 1, false, Uint8Array.of(1, 2, 3, 4), 1, 3),
  ],
  [
    'DATA padded',
    '000004 00 09 00000001 02 01 0000',
    (out) => writeData(out, 1, true, Uint8Array.of(1), 0, 1, 2),
  ],
  [
    'DATA in place',
    '000003 00 01 00000003 616263',
    (out) => {
      const start = beginData(out, 3, true)
      out.text('abc')
      endFrame(out, start)
    },
  ],
  [
    'DATA in place without END_STREAM',
    '000000 00 00 00000003',
    (out) => endFrame(out, beginData(out, 3, false)),
  ],
  ['PRIORITY', '000005 02 00 00000003 80000001 ff', (out) => writePriority(out, 3, 1, 256, true)],
  ['RST_STREAM', '000004 03 00 00000003 00000008', (out) => writeRstStream(out, 3, ErrorCode.CANCEL)],
  ['RST_STREAM with any code', '000004 03 00 00000003 ffffffff', (out) => writeRstStream(out, 3, 0xffffffff)],
  [
    'SETTINGS',
    '00000c 04 00 00000000 0002 00000000 0004 00100000',
    (out) => writeSettings(out, [SettingId.ENABLE_PUSH, 0, SettingId.INITIAL_WINDOW_SIZE, 1_048_576]),
  ],
  ['SETTINGS without entries', '000000 04 00 00000000', (out) => writeSettings(out, [])],
  ['SETTINGS with ACK', '000000 04 01 00000000', (out) => writeSettingsAck(out)],
  [
    'PING from the middle of a chunk',
    '000008 06 01 00000000 0102030405060708',
    (out) => writePing(out, true, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 1),
  ],
  ['GOAWAY', '000008 07 00 00000000 7fffffff 00000000', (out) => writeGoaway(out, 0x7fffffff, 0)],
  ['GOAWAY with text', '00000a 07 00 00000000 00000003 0000000b c3bc', (out) => writeGoaway(out, 3, 11, 'ü')],
  ['WINDOW_UPDATE', '000004 08 00 00000000 7fffffff', (out) => writeWindowUpdate(out, 0, 0x7fffffff)],
  ['ALTSVC', '000006 0a 00 00000000 0001 61 68323d', (out) => writeAltsvc(out, 0, 'a', 'h2=')],
  ['ORIGIN', '000006 0c 00 00000000 0001 61 0001 62', (out) => writeOrigin(out, ['a', 'b'])],
  ['PRIORITY_UPDATE', '000007 10 00 00000000 00000005 753d31', (out) => writePriorityUpdate(out, 5, 'u=1')],
  [
    'a frame of any type in place',
    '000001 bb ff 00000009 01',
    (out) => {
      const start = beginFrame(out, 0xbb, 0xff, 9)
      out.uint8(1)
      endFrame(out, start)
    },
  ],
]

t.test('RFC 9113 §4.1, §6: each writer appends its frame', async (t) => {
  for (const [name, hex, write] of cases) {
    const out = new OctetWriter(1)
    out.uint8(0xee)
    write(out)
    t.equal(toHex(out.take()), `ee${hex.replaceAll(' ', '')}`, name)
  }
})

t.test('RFC 9113 §4.2: debug data of GOAWAY never make a frame that a peer may refuse', async (t) => {
  const out = new OctetWriter()
  writeGoaway(out, 0, 2, '€'.repeat(100_000))
  const [frame] = decodeFrames(out.take())
  t.match(frame, { kind: 'GOAWAY', length: 8 + 4096 * 3 })
})

t.test('frames that break rules can be written, for tests', async (t) => {
  const out = new OctetWriter(1)
  writeRawFrame(out, {
    type: FrameType.PING,
    flags: 0xff,
    streamId: 1,
    payload: [1, 2, 3],
    length: 8,
    reserved: true,
  })
  t.equal(toHex(out.take()), '000008' + '06' + 'ff' + '80000001' + '010203')
  writeRawFrame(out, { type: 0xff })
  t.equal(toHex(out.take()), '000000ff0000000000')
  writeRawFrame(out, { type: FrameType.WINDOW_UPDATE, payload: new Uint8Array(4) })
  t.equal(toHex(out.take()), '00000408000000000000000000')
  writeWindowUpdate(out, 1, 0)
  t.equal(toHex(out.take()), '00000408000000000100000000')
})

t.test('names of types, flags and settings, known or not', async (t) => {
  t.equal(frameTypeName(FrameType.PRIORITY_UPDATE), 'PRIORITY_UPDATE')
  t.equal(frameTypeName(0x0b), '0xb')
  t.equal(settingName(SettingId.MAX_FRAME_SIZE), 'MAX_FRAME_SIZE')
  t.equal(settingName(7), '0x7')
  t.same(flagNames(FrameType.HEADERS, 0xff), ['END_STREAM', 'END_HEADERS', 'PADDED', 'PRIORITY', '0xd2'])
  t.same(flagNames(FrameType.SETTINGS, 0x09), ['ACK', '0x8'])
  t.same(flagNames(FrameType.GOAWAY, 0), [])
})
