/** One paragraph about results: where we are ahead, where not. Made from the figures, so it can't say anything else. */
import { rowName } from './charts.ts'
import type { Results } from './results.ts'
import { BASE, type Cell, type Row, rowsOf, short } from './table.ts'

const OURS = ['pure', 'node']
const OTHERS = ['nice-grpc', 'connect-node']
/** Ratios within this of 1 are within what rounds differ by. */
const EVEN = 0.1
const LISTS = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** A ratio with two digits that count. */
export function ratio(value: number): string {
  return `${digits(value)}×`
}

const digits = (value: number): string =>
  String(value >= 10 ? Math.round(value) : Number(value.toPrecision(2)))

const cellOf = (row: Row | undefined, library: string): Cell | undefined =>
  row?.cells.find((cell) => cell.library === library)

const find = (rows: readonly Row[], scenario: string, variant: string): Row | undefined =>
  rows.find((row) => row.scenario.name === scenario && row.variant.name === variant)

/** How many times better `library` is than `other` in a row. */
function against(row: Row | undefined, library: string, other: string): number | undefined {
  const ours = cellOf(row, library)?.median
  const theirs = cellOf(row, other)?.median
  if (row === undefined || ours === undefined || theirs === undefined || ours <= 0 || theirs <= 0)
    return undefined
  return row.moreIsBetter ? ours / theirs : theirs / ours
}

/** What is known of our engines, in their order; empty if nothing is. */
function ofOurs(
  textOf: (value: number, library: string) => string,
  figureOf: (library: string) => number | undefined,
) {
  const known = OURS.flatMap((library) => {
    const value = figureOf(library)
    return value === undefined ? [] : [textOf(value, library)]
  })
  return LISTS.format(known)
}

const times = (value: number, library: string): string =>
  `\`${library}\`${library === OURS[0] ? ' makes' : ''} ${digits(value)} times`
const percent = (value: number): string => `${digits(value * 100)} %`

function opening(rows: readonly Row[], version: string): string {
  const many = find(rows, 'unary', '64')
  const one = find(rows, 'unary', '1')
  const cpuOf = (library: string): number | undefined => {
    const { clientCpuUs, serverCpuUs } = cellOf(many, library) ?? {}
    return clientCpuUs === undefined || serverCpuUs === undefined ? undefined : clientCpuUs + serverCpuUs
  }
  const base = cpuOf(BASE)
  const rate = ofOurs(times, (library) => against(many, library, BASE))
  const cpu = ofOurs(percent, (library) => {
    const own = cpuOf(library)
    return own === undefined || base === undefined ? undefined : own / base
  })
  const wait = ofOurs(percent, (library) => {
    const better = against(one, library, BASE)
    return better === undefined ? undefined : 1 / better
  })
  if (rate === '') return ''
  return (
    `With 64 unary calls outstanding on one connection, ${rate} as many calls a second as ${BASE} ${version}` +
    `${cpu === '' ? '' : `, for ${cpu} of its CPU time a call`}` +
    `${wait === '' ? '' : `; one call at a time takes ${wait} of its time`}.`
  )
}

/** How often ahead, level and behind. */
function standing(rows: readonly Row[]): string {
  let total = 0
  const parts = OURS.flatMap((library) => {
    const ratios = rows.flatMap((row) => cellOf(row, library)?.ratio ?? [])
    if (ratios.length === 0) return []
    total = ratios.length
    const ahead = ratios.filter((value) => value > 1 + EVEN).length
    const behind = ratios.filter((value) => value < 1 - EVEN).length
    const level = total - ahead - behind
    if (ahead === total) return [`\`${library}\` is ahead in all`]
    const counts = [
      ahead > 0 ? `ahead in ${ahead}` : '',
      level > 0 ? `within 10 % in ${level}` : '',
      behind > 0 ? `behind in ${behind}` : '',
    ]
    return [`\`${library}\` is ${LISTS.format(counts.filter((text) => text !== ''))}`]
  })
  return parts.length === 0 ? '' : `Of ${total} comparisons with it, ${parts.join('; ')}.`
}

/** Every row in which one of our engines is behind grpc-js. */
function behind(rows: readonly Row[]): string {
  const lost = rows.flatMap((row) => {
    const ratios = OURS.flatMap((library) => {
      const value = cellOf(row, library)?.ratio
      return value === undefined || value >= 1 - EVEN ? [] : [`\`${library}\` ${ratio(value)}`]
    })
    return ratios.length === 0 ? [] : [`${rowName(row)} (${ratios.join(', ')})`]
  })
  return lost.length === 0 ? '' : `We are behind, which is a ratio below 1×, in ${LISTS.format(lost)}.`
}

/** Rows in which another library for Node.js is ahead of both engines. */
function others(rows: readonly Row[]): string {
  const lost = rows.flatMap((row) => {
    const ours = Math.max(...OURS.map((library) => cellOf(row, library)?.ratio ?? 0))
    const ahead = OTHERS.filter((library) => (cellOf(row, library)?.ratio ?? 0) > ours * (1 + EVEN))
    return ours === 0 || ahead.length === 0 ? [] : [`${rowName(row)} (${ahead.join(', ')})`]
  })
  return lost.length === 0
    ? ''
    : `Another library for Node.js is ahead of both engines in ${LISTS.format(lost)}.`
}

function neighbours(rows: readonly Row[]): string {
  const server = find(rows, 'server', 'h2load, 64 streams')
  const client = find(rows, 'client', 'grpc-go server')
  const unary = find(rows, 'unary', '64')
  const to = (row: Row | undefined, peer: string) => ofOurs(times, (library) => against(row, library, peer))
  const parts = [
    [to(server, 'grpc-go'), 'as a server under h2load', 'of grpc-go on one core'],
    [to(server, 'Python'), 'as a server again', 'of grpcio for Python'],
    [to(client, 'grpc-go'), 'as a client of the same server', 'of grpc-go on one core'],
    [to(unary, 'bare http2'), 'at both ends', 'of bare `node:http2`, which has no gRPC to do'],
  ]
    .filter(([figures]) => figures !== '')
    .map(([figures, role, peer]) => `${role}, ${figures} the calls ${peer}`)
  return parts.length === 0 ? '' : `With 64 calls at a time, ${parts.join('; ')}.`
}

function heap(rows: readonly Row[]): string {
  const soak = rows.find(({ scenario }) => scenario.name === 'soak')
  if (soak === undefined) return ''
  const begin = 'Over a million calls the heaps of client and server together grew by'
  if (soak.cells.every(({ median }) => median < 1)) return `${begin} less than an octet a call.`
  const grown = soak.cells.map(
    ({ library, median }) => `${short(Math.max(0, median))} octets a call with \`${library}\``,
  )
  return `${begin} ${LISTS.format(grown)}.`
}

/** The paragraph. */
export function paragraphOf(results: Results): string {
  const rows = rowsOf(results)
  const { machine, versions, date } = results
  const rounds = Math.max(...results.series.map((series) => series.rounds.length))
  const where =
    `Medians of ${rounds} rounds on ${date.slice(0, 10)} with Node.js ${versions.node?.replace(/^v/, '')} on ` +
    `${machine.cores} cores of ${machine.cpu}` +
    `${machine.pinned ? ', server and client pinned to a core each' : ''}. Other machines give other ratios; ` +
    'to measure yours: `npm run bench`.'
  return [
    opening(rows, versions['@grpc/grpc-js'] ?? ''),
    standing(rows),
    behind(rows),
    others(rows),
    neighbours(rows),
    heap(rows),
    where,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ')
}
