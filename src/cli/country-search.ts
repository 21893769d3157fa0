/** Finds a country by what people call it. */
import { COUNTRY_ROWS, CURRENCY_ROWS } from './country-data.ts'

/** A currency, as in `proto/countries.proto`. */
export interface Currency {
  code: string
  name: string
  symbol: string
}

/** A country, as in `proto/countries.proto`. */
export interface Country {
  name: string
  alpha2Code: string
  capital: string
  subregion: string
  population: number
  nativeName: string
  currencies: Currency[]
}

interface Entry {
  readonly country: Country
  /** Every name, folded; the code too. */
  readonly names: readonly string[]
}

let entries: readonly Entry[] | undefined

/**
 * Finds a country by its name, native name, another name or two-letter code; case and accents don't matter.
 *
 * Where nothing is called exactly so, names that contain the text as whole words count, and of several countries the
 * one with most people: `korea` is South Korea.
 *
 * @returns undefined if there is none
 * @example
 * findCountry('germany')?.capital // 'Berlin'
 */
export function findCountry(text: string): Country | undefined {
  entries ??= readEntries()
  const wanted = fold(text)
  if (wanted === '') return undefined
  return (
    largest(entries.filter(({ names }) => names.includes(wanted))) ??
    largest(entries.filter(({ names }) => names.some((name) => ` ${name} `.includes(` ${wanted} `))))
  )
}

/** All countries, in order of their codes. */
export function allCountries(): Country[] {
  entries ??= readEntries()
  return entries.map(({ country }) => country)
}

function largest(found: readonly Entry[]): Country | undefined {
  let best: Country | undefined
  for (const { country } of found) if (country.population > (best?.population ?? -1)) best = country
  return best
}

/** Lower case, without accents, words apart by one blank. */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function readEntries(): Entry[] {
  const currencies = new Map<string, Currency>()
  for (const [code = '', symbol = '', name = ''] of fieldsOf(CURRENCY_ROWS)) {
    currencies.set(code, { code, name, symbol })
  }
  return fieldsOf(COUNTRY_ROWS).map((row) => {
    const [alpha2Code = '', name = '', nativeName = '', capital = '', subregion = '', ...rest] = row
    const [population = '', codes = '', aliases = ''] = rest
    const country: Country = {
      name,
      alpha2Code,
      capital,
      subregion,
      population: Number(population),
      nativeName,
      currencies: codes.split(',').flatMap((code) => currencies.get(code) ?? []),
    }
    return { country, names: [alpha2Code, name, nativeName, ...aliases.split(';')].map(fold).filter(Boolean) }
  })
}

function fieldsOf(rows: string): string[][] {
  return rows
    .trim()
    .split('\n')
    .map((row) => row.split('|'))
}
