/**
 * Why the stream states are a flat array: the same transitions looked up in three ways.
 *
 * Run: `node --import=tsx bench/micro/pure-stream-state.ts`
 */
import { nextStreamState, StreamInput, StreamState } from '../../src/http2/pure/stream-state.ts'

const ROUNDS = 5
const LOOK_UPS = 20_000_000
const states = Object.values(StreamState)
const inputs = Object.values(StreamInput)

const nested = states.map((state) => inputs.map((input) => nextStreamState(state, input)))
const byText = new Map<string, number>()
for (const state of states) {
  for (const input of inputs) byText.set(`${state} ${input}`, nextStreamState(state, input))
}

const ways: [string, (state: StreamState, input: StreamInput) => number][] = [
  ['flat Uint8Array', nextStreamState],
  ['nested arrays', (state, input) => nested[state]![input]!],
  ['Map by text', (state, input) => byText.get(`${state} ${input}`)!],
]

for (let round = 0; round < ROUNDS; round++) {
  const line = ways.map(([name, look]) => {
    const count = name === 'Map by text' ? LOOK_UPS / 20 : LOOK_UPS
    let sum = 0
    const started = performance.now()
    for (let n = 0; n < count; n++) sum += look(states[n % 9]!, inputs[n % 11]!)
    const ns = ((performance.now() - started) * 1e6) / count
    return `${name} ${ns.toFixed(1)} ns${sum < 0 ? '!' : ''}`
  })
  process.stdout.write(`${line.join(', ')}\n`)
}
