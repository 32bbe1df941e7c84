// What a URL must look like before the broker calls it (issuers.md §0.10; attacks A5). The authority is judged as it is
// written, by one narrow grammar, and then the URL parser must have understood the same host: what two parsers could read
// in two ways is refused. Which addresses may answer is lib/adapters/http/address-policy.ts: that needs ipaddr.js. Pure.

export type EgressRules = {
  /** Ports an https URL may name; key sets: 443 only. */
  readonly ports: readonly number[] | 'any'
  /** --dev: http too, to this machine only, on any port. */
  readonly dev: boolean
  /** Sinks may have a query; key sets may not. */
  readonly query: boolean
}

/** Those of key sets and discovery documents (issuers.md §0.10). */
export const KEY_URLS = { ports: [443], query: false } as const satisfies Partial<EgressRules>

/** Those of receivers: whose address it is, not which port, keeps them out of a network. */
export const RECEIVER_URLS = { ports: 'any', query: true } as const satisfies Partial<EgressRules>

export type EgressUrl = {
  readonly scheme: 'https' | 'http'
  /** Lower case, without brackets. */
  readonly hostname: string
  readonly port: number
  /** Path and query as they go on the wire. */
  readonly path: string
}

export type EgressUrlProblem =
  | 'malformed'
  | 'scheme'
  | 'userinfo'
  | 'fragment'
  | 'query'
  | 'host' // not a DNS name: an address in any spelling, a trailing dot, a character out of place
  | 'port'

export type EgressUrlAnswer =
  | { readonly ok: true; readonly url: EgressUrl }
  | { readonly ok: false; readonly problem: EgressUrlProblem }

const PARTS = /^(https?):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i
// Printable ASCII, without the backslash that some parsers take for a slash.
const CHARACTERS = /^[\x21-\x5b\x5d-\x7e]{1,2048}$/
// The last label begins with a letter, as no spelling of an IPv4 address does: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/i
const HOST_CHARS_MAX = 253

export const parseEgressUrl = (text: string, rules: EgressRules): EgressUrlAnswer => {
  const no = (problem: EgressUrlProblem): EgressUrlAnswer => ({ ok: false, problem })
  if (!CHARACTERS.test(text)) return no('malformed')
  const [, scheme = '', authority = '', , query, fragment] = PARTS.exec(text) ?? []
  if (scheme === '') return no('scheme')
  if (fragment !== undefined) return no('fragment')
  if (authority.includes('@')) return no('userinfo')
  if (query !== undefined && !rules.query) return no('query')

  const [, host = '', digits] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority) ?? []
  const isHttp = scheme.toLowerCase() === 'http'
  if (isHttp && !rules.dev) return no('scheme')
  // Under --dev http is for this machine by name; that the name leads here is judged after it was resolved.
  if (isHttp ? !LOOPBACK.test(host) : host.length > HOST_CHARS_MAX || !NAME.test(host)) return no('host')
  const port = digits === undefined ? (isHttp ? 80 : 443) : Number(digits)
  if (port < 1 || port > 65_535 || (!isHttp && rules.ports !== 'any' && !rules.ports.includes(port))) return no('port')

  if (!URL.canParse(text)) return no('malformed')
  const parsed = new URL(text)
  if (parsed.hostname !== host.toLowerCase()) return no('host')
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '')
  return {
    ok: true,
    url: { scheme: isHttp ? 'http' : 'https', hostname, port, path: `${parsed.pathname}${parsed.search}` },
  }
}
