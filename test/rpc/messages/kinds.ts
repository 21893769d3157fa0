/** The types of `proto/kinds.proto` and random messages of them, for several tests. */
import { fileURLToPath } from 'node:url'
import { loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'

/** The path of a .proto file of these tests. */
export const protoFile = (name: string): string => fileURLToPath(new URL(`proto/${name}`, import.meta.url))

export const { kinds } = loadProtoSync(protoFile('kinds.proto'))

/** Numbers from a seed, the same in every run. */
export class Random {
  readonly seed: number
  #state: number
  constructor(seed: number) {
    this.seed = seed
    this.#state = seed
  }
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) & 0x7fffffff
    return (this.#state >>> 8) % limit
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

/** A message with some fields set to values that are not their default, as proto-loader takes them too. */
export function randomScalars(random: Random): Record<string, unknown> {
  const values: Record<string, readonly unknown[]> = {
    aDouble: [1.5, -0.1, 1e300, Infinity, -Infinity, 5e-324],
    aFloat: [0.5, -2, 2 ** 100, Infinity],
    anInt32: [1, -1, 2147483647, -2147483648, 127, 128, 16384],
    anInt64: ['1', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993'],
    aUint32: [1, 4294967295, 2147483648],
    aUint64: ['1', '18446744073709551615', '9223372036854775808'],
    aSint32: [1, -1, 2147483647, -2147483648],
    aSint64: ['1', '-1', '9223372036854775807', '-9223372036854775808'],
    aFixed32: [1, 4294967295],
    aFixed64: ['1', '18446744073709551615'],
    anSfixed32: [-1, 2147483647, -2147483648],
    anSfixed64: ['-1', '9223372036854775807', '-9223372036854775808'],
    aBool: [true],
    aString: [
      'a',
      'grüße',
      '☃',
      '😀',
      'x'.repeat(39),
      'x'.repeat(40),
      'ü'.repeat(64),
      'long '.repeat(100),
      '\ufffd',
      '\0',
    ],
    someBytes: [Buffer.of(0), Buffer.of(255, 0, 1), Buffer.alloc(300, 7)],
    color: ['RED', 'GREEN', 'BLACK'],
  }
  const message: Record<string, unknown> = {}
  for (const [name, choices] of Object.entries(values)) {
    if (random.below(3) > 0) message[name] = random.pick(choices)
  }
  return message
}
