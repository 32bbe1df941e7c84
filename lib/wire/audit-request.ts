// What the queries of `/t/{tenant}/admin/audit/…` ask: each parameter once, none that is unknown, indices and times in digits.
import type { AuditRequest } from '../domain/admin-request.ts'
import { type LogSearch, SEARCH_KEYS, type SearchKey } from '../domain/audit-search.ts'
import { LIMITS } from '../domain/limits.ts'
import { parseForm } from './form.ts'

type Query = Readonly<Record<string, string>>
type Read = (query: Query) => AuditRequest | null
type Route = { readonly takes: readonly string[]; readonly read: Read }

const KEYS = Object.keys(SEARCH_KEYS) as SearchKey[]

/** Null: the path is none of these. What is read is null where the query is not what the route takes. */
export const auditRoute = (path: string): ((query: string) => AuditRequest | null) | null => {
  const route = ROUTES.get(path)
  if (route === undefined) return null
  return (text) => {
    const query = queryOf(text, route.takes)
    return query === null ? null : route.read(query)
  }
}

const readFrom: Read = (query) => {
  const from = numberOf(query['from'], 0)
  return from === null ? null : { kind: 'log_events', from }
}

const readSearch: Read = (query) => {
  const from = numberOf(query['from'], 0)
  const sinceMs = numberOf(query['since'], 0)
  const untilMs = numberOf(query['until'], Number.MAX_SAFE_INTEGER)
  const limit = numberOf(query['limit'], LIMITS.auditPageMax)
  if (from === null || sinceMs === null || untilMs === null || limit === null) return null
  if (limit < 1 || limit > LIMITS.auditPageMax) return null
  const wanted: LogSearch['wanted'] = KEYS.flatMap((key) => {
    const value = query[key]
    return value === undefined ? [] : [[key, value] as const]
  })
  return { kind: 'log_search', search: { wanted, sinceMs, untilMs }, from, limit }
}

const readProof: Read = ({ event }) => (event === undefined ? null : { kind: 'log_proof', event })

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['audit', { takes: [], read: () => ({ kind: 'log' }) }],
  ['audit/events', { takes: ['from'], read: readFrom }],
  ['audit/search', { takes: ['from', 'limit', 'since', 'until', ...KEYS], read: readSearch }],
  ['audit/proof', { takes: ['event'], read: readProof }],
])

const queryOf = (text: string, takes: readonly string[]): Query | null => {
  const form = parseForm(text)
  if (!form.ok) return null
  const query: Record<string, string> = {}
  for (const [name, [value = '', ...more]] of form.value) {
    if (more.length > 0 || !takes.includes(name)) return null
    if (value === '' || value.length > LIMITS.auditFilterCharsMax) return null
    query[name] = value
  }
  return query
}

const DIGITS = /^(?:0|[1-9][0-9]{0,15})$/

/** Null: no such number. */
const numberOf = (text: string | undefined, otherwise: number): number | null => {
  if (text === undefined) return otherwise
  return DIGITS.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER ? Number(text) : null
}
