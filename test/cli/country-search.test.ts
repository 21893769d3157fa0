import { readFileSync } from 'node:fs'
import t from 'tap'
import { generate } from '../../scripts/country-data.ts'
import { allCountries, findCountry } from '../../src/cli/country-search.ts'
import { countryService } from '../../src/cli/country-service.ts'
import { loadProtoSync } from '../../src/index.ts'

t.test('the data is what the packages say today', async (t) => {
  t.equal(
    readFileSync('src/cli/country-data.ts', 'utf8'),
    generate(),
    'run node --import=tsx scripts/country-data.ts',
  )
})

t.test('every country is whole, and can be sent', async (t) => {
  const { countries } = loadProtoSync('proto/countries.proto')
  const all = allCountries()
  t.equal(all.length, 250)
  for (const country of all) {
    const { name, alpha2Code, population, currencies } = country
    t.match(alpha2Code, /^[A-Z]{2}$/)
    t.not(name, '')
    t.ok(
      Number.isSafeInteger(population) && population >= 0 && population < 2 ** 31,
      `${name}: ${population}`,
    )
    for (const currency of currencies) {
      t.match(currency.code, /^[A-Z]{3}$/)
      t.not(currency.name, '')
      t.not(currency.symbol, '')
    }
    t.same(countries.CountryResponse.decode(countries.CountryResponse.toBinary(country)), country)
  }
})

/** What is asked, and the code of the country that is meant. */
const questions: readonly [string, string | undefined][] = [
  ['Germany', 'DE'],
  ['germany', 'DE'],
  [' GERMANY ', 'DE'],
  ['Deutschland', 'DE'],
  ['de', 'DE'],
  ['Republic of Korea', 'KR'],
  ['korea', 'KR'],
  ['north korea', 'KP'],
  ['대한민국', 'KR'],
  ['Österreich', 'AT'],
  ['osterreich', 'AT'],
  ["cote d'ivoire", 'CI'],
  ['uk', 'GB'],
  ['united', 'US'],
  ['guinea', 'GN'],
  ['congo', 'CD'],
  ['Россия', 'RU'],
  ['atlantis', undefined],
  ['kor', undefined],
  ['', undefined],
  ['...', undefined],
  ['constructor', undefined],
]

t.test('a country is found by what people call it', async (t) => {
  for (const [text, code] of questions) t.equal(findCountry(text)?.alpha2Code, code, JSON.stringify(text))
  t.match(findCountry('bhutan'), {
    name: 'Bhutan',
    capital: 'Thimphu',
    subregion: 'Southern Asia',
    currencies: [
      { code: 'BTN', name: 'Bhutanese Ngultrum' },
      { code: 'INR', symbol: '₹' },
    ],
  })
})

t.test('the service answers NOT_FOUND for what is no country', async (t) => {
  t.throws(() => countryService.search({ name: 'atlantis' }), {
    code: 5,
    details: 'No country is called "atlantis"',
  })
})
