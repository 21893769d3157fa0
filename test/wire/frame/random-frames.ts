/** Random frame sequences that keep every rule, for property tests. */
import { type FrameContent, FrameType } from '../../../src/wire/index.ts'
import type { Random } from '../protobuf/random.ts'

const known = new Set<number>(Object.values(FrameType))

function streamId(random: Random): number {
  return 1 + random.below(random.pick([4, 1000, 0x7fffffff]))
}

function padding(random: Random): { padLength?: number } {
  return random.below(3) === 0 ? { padLength: random.pick([0, 1, random.below(256), 255]) } : {}
}

function octets(random: Random): Uint8Array {
  return random.octets(random.below(random.pick([2, 20, 700])))
}

function priority(random: Random, ownStreamId: number) {
  const dependency = random.below(0x80000000)
  const weight = 1 + random.below(256)
  return {
    dependency: dependency === ownStreamId ? 0 : dependency,
    weight,
    exclusive: random.below(2) === 1,
  }
}

/** A field block: HEADERS or PUSH_PROMISE and the CONTINUATION that it needs. */
function fieldBlock(random: Random): FrameContent[] {
  const id = streamId(random)
  const continuations = random.below(3) === 0 ? 1 + random.below(3) : 0
  const start: FrameContent =
    random.below(3) > 0
      ? {
          kind: 'HEADERS',
          streamId: id,
          endStream: random.below(2) === 1,
          endHeaders: continuations === 0,
          fragment: octets(random),
          ...(random.below(3) === 0 ? { priority: priority(random, id) } : {}),
          ...padding(random),
        }
      : {
          kind: 'PUSH_PROMISE',
          streamId: id,
          promisedStreamId: 2 + 2 * random.below(0x3fffffff),
          endHeaders: continuations === 0,
          fragment: octets(random),
          ...padding(random),
        }
  const rest = Array.from(
    { length: continuations },
    (_, index): FrameContent => ({
      kind: 'CONTINUATION',
      streamId: id,
      endHeaders: index === continuations - 1,
      fragment: octets(random),
    }),
  )
  return [start, ...rest]
}

function setting(random: Random) {
  const identifier = random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 0xff00])
  const limit: Record<number, number> = { 2: 2, 4: 0x80000000, 5: 0xffffff - 16_384, 8: 2, 9: 2 }
  const value = random.below(limit[identifier] ?? 2 ** 32)
  return { identifier, value: identifier === 5 ? value + 16_384 : value }
}

function ascii(random: Random): string {
  return String.fromCharCode(...Array.from({ length: random.below(30) }, () => 32 + random.below(95)))
}

const makers: ((random: Random) => FrameContent[])[] = [
  (random) => [
    {
      kind: 'DATA',
      streamId: streamId(random),
      endStream: random.below(2) === 1,
      data: octets(random),
      ...padding(random),
    },
  ],
  fieldBlock,
  (random) => {
    const id = streamId(random)
    return [{ kind: 'PRIORITY', streamId: id, ...priority(random, id) }]
  },
  (random) => [{ kind: 'RST_STREAM', streamId: streamId(random), code: random.below(2 ** 32) }],
  (random) => [
    {
      kind: 'SETTINGS',
      ack: false,
      settings: Array.from({ length: random.below(8) }, () => setting(random)),
    },
  ],
  () => [{ kind: 'SETTINGS', ack: true, settings: [] }],
  (random) => [{ kind: 'PING', ack: random.below(2) === 1, data: random.octets(8) }],
  (random) => [
    {
      kind: 'GOAWAY',
      lastStreamId: random.below(0x80000000),
      code: random.below(2 ** 32),
      debugData: octets(random),
    },
  ],
  (random) => [
    {
      kind: 'WINDOW_UPDATE',
      streamId: random.below(2) * streamId(random),
      increment: 1 + random.below(0x7fffffff),
    },
  ],
  (random) =>
    random.below(2) === 0
      ? [{ kind: 'ALTSVC', streamId: 0, origin: `h${ascii(random)}`, value: ascii(random) }]
      : [{ kind: 'ALTSVC', streamId: streamId(random), origin: '', value: ascii(random) }],
  (random) => [{ kind: 'ORIGIN', origins: Array.from({ length: random.below(4) }, () => ascii(random)) }],
  (random) => [{ kind: 'PRIORITY_UPDATE', prioritizedStreamId: streamId(random), value: ascii(random) }],
  (random) => {
    const type = random.below(256)
    if (known.has(type)) return []
    return [
      {
        kind: 'IGNORED',
        type,
        flags: random.below(256),
        streamId: random.below(2) * streamId(random),
        payload: octets(random),
      },
    ]
  },
]

/** About `count` frames in an order that a connection may carry. */
export function randomFrames(random: Random, count: number): FrameContent[] {
  return Array.from({ length: count }, () => random.pick(makers)(random)).flat()
}
