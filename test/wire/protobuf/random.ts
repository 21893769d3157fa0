/** Deterministic random numbers for property tests; the seed is in the name of each case. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  octets(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }

  /** An unsigned number of at most `bits` bits, all lengths equally likely. */
  bits(bits: number): bigint {
    const size = this.below(bits + 1)
    let value = 0n
    for (let bit = 0; bit < size; bit++) value = (value << 1n) | BigInt(this.below(2))
    return value
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  text(): string {
    const alphabet = ['a', 'Z', '0', ' ', '\n', 'é', '한', '🙂', '"', '\\', '\u0000', '\u001b']
    return Array.from({ length: this.below(12) }, () => this.pick(alphabet)).join('')
  }
}
