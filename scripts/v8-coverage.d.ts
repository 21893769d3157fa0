/** The one function used of `@bcoe/v8-coverage`, which comes without types. */
declare module '@bcoe/v8-coverage' {
  import type { Profiler } from 'node:inspector'

  /** Coverage of one process, as Node.js writes it to NODE_V8_COVERAGE. */
  export interface ProcessCoverage {
    result: Profiler.ScriptCoverage[]
  }
  /** Adds the counts of several processes up. */
  export function mergeProcessCovs(processes: readonly ProcessCoverage[]): ProcessCoverage
}
