// docs/reference/errors.md: what a caller may be told, and the private reasons behind each answer. The page that every `error_uri`
// points into, so each code has its anchor. Pure.
import { type Answer, REFUSALS } from '../lib/domain/refusal.ts'
import { toOAuthError } from '../lib/wire/oauth-error.ts'
import { table } from './markdown-table.ts'

/** In the order of the page. `more`: what else is to be said; `also`: other codes of the same answer. */
const ANSWERS: Readonly<Record<Answer, { readonly also?: string; readonly more?: string }>> = {
  request: {},
  evidence: { also: 'invalid_grant', more: 'For the jwt-bearer grant the code is `invalid_grant` (RFC 7523 §3.1).' },
  target: {},
  scope: {},
  grant_type: {},
  dpop: {},
  caller: {
    also: 'invalid_client',
    more: 'At `/introspect` and `/revoke` the body says `invalid_client` (RFC 6749 §5.2).',
  },
  rights: {},
  limit: {},
  unavailable: {},
}

/** [anchor, status, error, when] of lib/edge/form-request.ts. */
const BY_HTTP: readonly (readonly [string | null, number, string, string])[] = [
  ['malformed_http', 400, 'invalid_request', 'what came is no HTTP/1.1 request'],
  [null, 404, 'not_found', 'the path, tenant or id is none of the caller’s'],
  ['method_not_allowed', 405, 'method_not_allowed', 'the method is not served here; `Allow` names those that are'],
  ['request_timeout', 408, 'invalid_request', 'the request did not come in time'],
  ['content_too_large', 413, 'invalid_request', 'the body is larger than the limit'],
  ['unsupported_media_type', 415, 'invalid_request', 'another media type, or an encoding'],
  ['headers_too_large', 431, 'invalid_request', 'the headers are larger than the limit'],
]

const anchor = (id: string): string => `<a id="${id}"></a>`

export const errorReference = (): string => {
  const seen = new Set<string>()
  const sections = (Object.keys(ANSWERS) as Answer[]).map((answer) => {
    const { also, more } = ANSWERS[answer]
    const { status, error, description } = toOAuthError(answer, 'token-exchange', 2)
    // Two answers may have one code: a link leads to the first of them.
    const ids = [error, ...(also === undefined ? [] : [also])].filter((id) => !seen.has(id))
    for (const id of ids) seen.add(id)
    const retry =
      status < 429 ? 'Do not retry unchanged.' : 'Retry after `Retry-After`, with the same `Idempotency-Key`.'
    const reasons = Object.entries(REFUSALS).filter(([, kind]) => kind.answer === answer)
    return [
      `${ids.map(anchor).join('')}${ids.length > 0 ? '\n' : ''}## ${status} ${error}: ${answer}`,
      [`"${description}".`, more, retry].filter((text) => text !== undefined).join(' '),
      '',
      table(
        ['private reason', 'says'],
        reasons.map(([name, { says }]) => [`\`${name}\``, says]),
      ),
    ].join('\n')
  })
  return `# Errors

A caller learns the code, a constant description and a \`decision_id\`. The private reason is in the record: \`mintmark decision ID\` shows it.

${sections.join('\n\n')}

## What is no decision
What HTTP refuses has no \`decision_id\`, nor have 429 of public documents (the revocation feed, the log) and 503 of a broker that starts or is in quarantine: no evidence was looked at.

${table(
  ['status', 'error', 'when'],
  BY_HTTP.map(([id, status, error, when]) => [`${id === null ? '' : anchor(id)}${status}`, `\`${error}\``, when]),
)}
`
}
