/** The seam's contract between a client of the `pure` engine and a server of the `node` engine. */
import t from 'tap'
import { nodeEngine, pureEngine } from '../../../src/http2/index.ts'
import { contract } from '../contract/contract.ts'

await contract(t, pureEngine, nodeEngine)
