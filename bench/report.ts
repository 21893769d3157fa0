/** `npm run bench:report`: charts and the README's block from the results there are. */
import { writeReport } from './write-report.ts'

await writeReport()
