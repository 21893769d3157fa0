/**
 * From which size on `set` copies octets faster than a loop: the call leaves JavaScript, and for a part of an array a
 * view has to be made.
 *
 * Run: `node --import=tsx bench/micro/copy.ts`
 */
const SIZES = [4, 8, 12, 16, 24, 32, 48, 64, 128, 256, 1024]
const COPIES = 2_000_000

const from = Buffer.alloc(65_536, 1)
const to = Buffer.alloc(65_536)

function bySet(start: number, end: number, at: number): void {
  to.set(from.subarray(start, end), at)
}

const whole = new Map(SIZES.map((size) => [size, Buffer.from(from.subarray(0, size))]))

function wholeBySet(start: number, end: number, at: number): void {
  to.set(whole.get(end - start)!, at)
}

function wholeByLoop(start: number, end: number, at: number): void {
  const octets = whole.get(end - start)!
  for (let i = 0, j = at; i < octets.length; i++, j++) to[j] = octets[i]!
}

function byLoop(start: number, end: number, at: number): void {
  for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]!
}

for (const size of SIZES) {
  const line = [`${size} octets`.padStart(12)]
  for (const copy of [bySet, byLoop, wholeBySet, wholeByLoop]) {
    for (let round = 0; round < 2; round++) {
      const startedAt = performance.now()
      for (let i = 0; i < COPIES; i++) copy(i & 1023, (i & 1023) + size, (i * 7) & 1023)
      const ns = ((performance.now() - startedAt) / COPIES) * 1e6
      // the first round compiles
      if (round === 1) line.push(`${copy.name} ${ns.toFixed(0)} ns`)
    }
  }
  console.log(line.join('  '))
}
