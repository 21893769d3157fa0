#!/usr/bin/env node
/** The command `glass`: the program, joined to this process. */
import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

// A reader that goes away (`glass … | head`) is no error: there is nobody left to tell anything.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})
process.exitCode = await run(process.argv.slice(2), processTerminal())
