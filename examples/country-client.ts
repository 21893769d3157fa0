/** Asks for a country and shows it: `npx tsx examples/country-client.ts [NAME] [ADDRESS]`. */
import { connect, loadProto, Status, StatusError } from 'grpc-glass'

const [name = 'korea', address = 'localhost:50051'] = process.argv.slice(2)
const { countries } = await loadProto('proto/countries.proto')
await using channel = connect(address)
try {
  const country = await channel.client(countries.Country).search({ name }, { deadline: 1000 })
  const money = country.currencies.map(
    (each: { name: string; symbol: string }) => `${each.name} (${each.symbol})`,
  )
  console.log(`${country.name} (${country.nativeName}), ${country.subregion}`)
  console.log(
    `capital ${country.capital}, ${country.population.toLocaleString('en')} people, ${money.join(', ')}`,
  )
} catch (error) {
  if (!(error instanceof StatusError) || error.code !== Status.NOT_FOUND) throw error
  console.error(error.details)
  process.exitCode = 1
}
