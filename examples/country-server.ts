/** A server that knows the countries of the world: `npx tsx examples/country-server.ts [ADDRESS]`. */
import { loadProto, Server, Status, StatusError } from 'grpc-glass'
import { findCountry } from '../src/cli/country-search.ts'

const { countries } = await loadProto('proto/countries.proto')
const server = new Server({
  onCall: ({ path, code, durationMs }) => console.log(path, code, `${durationMs} ms`),
})
server.add(countries.Country, {
  search({ name }: { name: string }) {
    const country = findCountry(name)
    if (country === undefined) throw new StatusError(Status.NOT_FOUND, `No country is called "${name}"`)
    return country
  },
})
console.log(`listening on ${await server.listen(process.argv[2] ?? '127.0.0.1:50051')}`)
process.once('SIGTERM', () => server.close())
