/** The engines by name. */
import { nodeEngine, pureEngine } from '../http2/index.ts'
import type { EngineName, Http2Engine } from '../http2/transport.ts'

const ENGINES: ReadonlyMap<string, Http2Engine> = new Map(
  [nodeEngine, pureEngine].map((engine) => [engine.name, engine]),
)

/**
 * The engine of that name, `node` if none is given; an engine itself is taken as it is.
 * @throws TypeError if there is none of that name
 */
export function engineByName(name: EngineName | Http2Engine = 'node'): Http2Engine {
  if (typeof name === 'object') return name
  const engine = ENGINES.get(name)
  if (engine === undefined) {
    const names = [...ENGINES.keys()].map((each) => JSON.stringify(each)).join(' and ')
    throw new TypeError(`engine: ${JSON.stringify(name)} is unknown; there are ${names}`)
  }
  return engine
}

/** The names of the engines there are. */
export function engineNames(): readonly EngineName[] {
  return [...ENGINES.keys()] as EngineName[]
}
