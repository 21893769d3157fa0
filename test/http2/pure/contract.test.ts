/** The seam's contract, kept by the `pure` engine on both sides. */
import t from 'tap'
import { pureEngine } from '../../../src/http2/index.ts'
import { contract } from '../contract/contract.ts'

await contract(t, pureEngine)
