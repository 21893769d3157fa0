/** The seam's contract, kept by the `node` engine. */
import t from 'tap'
import { nodeEngine } from '../../../src/http2/node/engine.ts'
import { contract } from '../contract/contract.ts'

await contract(t, nodeEngine)
