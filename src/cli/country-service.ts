/** The Country service of `proto/countries.proto`, on the data of this package. */
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { type Country, findCountry } from './country-search.ts'

/** Answers NOT_FOUND for a name that is no country's. */
export const countryService = {
  search({ name }: { name: string }): Country {
    const country = findCountry(name)
    if (country === undefined) {
      throw new StatusError(Status.NOT_FOUND, `No country is called ${JSON.stringify(name)}`)
    }
    return country
  },
}
