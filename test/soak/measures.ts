/** The measurements by name, in the order of the table. */
import { attacks } from './attacks.ts'
import { idle, kill, stalled } from './connections.ts'
import { fuzz } from './fuzz.ts'
import { frozen, silence, start } from './lifetime.ts'
import { heap, largeUnary, race, soak } from './load.ts'
import type { Measure } from './measure.ts'
import { mix } from './mix.ts'

export const MEASURES: Readonly<Record<string, Measure>> = {
  soak,
  largeUnary,
  heap,
  idle,
  stalled,
  kill,
  frozen,
  silence,
  race,
  attacks,
  fuzz,
  start,
  mix,
}
