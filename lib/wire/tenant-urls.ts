// URLs a tenant document may name: https (http to loopback with --dev only), and never our own, so that no configuration
// makes the broker its own issuer, key source, receiver or sink (design §3 "Own tokens are not evidence"). Pure.
import { type EgressUrlProblem, KEY_URLS, parseEgressUrl } from '../domain/egress.ts'
import { discoveryUrl } from '../domain/key-source.ts'

export type BrokerPlace = { readonly baseUrl: string; readonly dev: boolean }

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

export const tenantIssuerUrl = (baseUrl: string, tenant: string): string => `${baseUrl.replace(/\/+$/, '')}/t/${tenant}`

/** True for http or https to this machine; --dev admits them and nothing else. */
export const isLoopbackUrl = (text: string): boolean => {
  const url = parseUrl(text)
  return url !== null && LOOPBACK.has(url.hostname) && (url.protocol === 'http:' || url.protocol === 'https:')
}

/** True for the base URL and all below it. Compared as parsed: case, default port and `/./` do not hide it. */
export const isOwnUrl = (text: string, { baseUrl }: BrokerPlace): boolean => {
  const base = parseUrl(baseUrl)
  const url = parseUrl(text)
  if (base === null || url === null) return false
  const isSameHost =
    url.hostname === base.hostname ||
    url.hostname === `${base.hostname}.` ||
    (LOOPBACK.has(url.hostname) && LOOPBACK.has(base.hostname))
  if (!isSameHost || portOf(url) !== portOf(base)) return false
  const path = base.pathname.replace(/\/+$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}

/** What is wrong with a URL the broker would call, or null. Addresses behind names are the guarded client's affair. */
export const outboundUrlProblem = (text: string, place: BrokerPlace): string | null => {
  const url = parseUrl(text)
  if (url === null) return 'is not a URL'
  if (isOwnUrl(text, place)) return "is under this broker's own base URL"
  if (url.username !== '' || url.password !== '' || text.includes('@'))
    return 'must not have a user, a password or an "@"'
  if (url.hash !== '' || text.includes('#')) return 'must not have a fragment'
  if (url.protocol === 'https:') return null
  return place.dev && isLoopbackUrl(text) ? null : 'must be https (http is for loopback with --dev)'
}

/** Of scheme, user and fragment outboundUrlProblem speaks, or what is said of an issuer. */
const KEY_URL_PROBLEMS: Readonly<Partial<Record<EgressUrlProblem, string>>> = {
  malformed: 'must be printable ASCII, without a backslash',
  port: 'must be on port 443',
  query: 'must not have a query',
  host: 'must name its host by DNS, not by an address',
}

/** What is wrong with the URL of a key set, or null (issuers.md §0.10): what would never be fetched is not waited for. */
export const keyUrlProblem = (text: string, place: BrokerPlace): string | null =>
  outboundUrlProblem(text, place) ?? fetchProblem(text, place)

/** The same of the document that names the key set of an issuer. Whether it may be one, and of http, is not asked here. */
export const discoveryProblem = (issuer: string, place: BrokerPlace): string | null =>
  issuer.startsWith('https:') ? fetchProblem(discoveryUrl(issuer), place) : null

const fetchProblem = (text: string, { dev }: BrokerPlace): string | null => {
  const judged = parseEgressUrl(text, { ...KEY_URLS, dev })
  return judged.ok ? null : (KEY_URL_PROBLEMS[judged.problem] ?? null)
}

/** A tenant names only its own secrets; null: nothing is wrong. */
export const secretProblem = (secret: { readonly file: string } | undefined, tenant: string): string | null =>
  secret === undefined || secret.file.startsWith(`${tenant}/`)
    ? null
    : `the file must be ${tenant}/<name>: a tenant names only its own secrets`

const parseUrl = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)

// http and https of one host count as one place: a proxy usually serves both.
const portOf = (url: URL): string =>
  url.port || (url.protocol === 'http:' || url.protocol === 'https:' ? 'default' : url.protocol)
