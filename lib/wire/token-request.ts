// The token endpoint's form -> TokenRequest (RFC 8693 §2.1, RFC 7523 §2.1, RFC 8707 §2). Shape only; nothing is judged here.
import { LIMITS } from '../domain/limits.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import {
  type GrantType,
  JWT_BEARER,
  TOKEN_EXCHANGE,
  type TokenRequest,
  TYPE_ID_TOKEN,
  TYPE_JWT,
} from '../domain/token-request.ts'
import { type Form, parseForm } from './form.ts'

/** RFC 8693 lets these two repeat; anything else that repeats is refused. */
const REPEATABLE = new Set(['audience', 'resource'])
const IDEMPOTENCY_KEY = new RegExp(`^[A-Za-z0-9_-]{${LIMITS.idempotencyKeyCharsMin},${LIMITS.idempotencyKeyCharsMax}}$`)
const EVIDENCE_TYPES: ReadonlySet<string> = new Set([TYPE_JWT, TYPE_ID_TOKEN])

/** Refuses: request_malformed, grant_type_unsupported, parameter_unsupported, idempotency_key_invalid. */
export const parseTokenRequest = (body: string, idempotencyKey: string | undefined): Result<TokenRequest> => {
  const parsed = parseForm(body)
  if (!parsed.ok) return parsed
  const form = parsed.value
  for (const [name, values] of form) {
    if (values.length > 1 && !REPEATABLE.has(name))
      return refuse('request_malformed', { problem: 'repeated parameter' })
  }
  const grantType = parseGrantType(one(form, 'grant_type'))
  if (!grantType.ok) return grantType
  // Delegation is not built: an actor, or one of our own tokens as subject, is refused rather than ignored (design §3).
  if (one(form, 'actor_token') !== null || one(form, 'actor_token_type') !== null)
    return refuse('parameter_unsupported', { parameter: 'actor_token' })
  const evidence = grantType.value === 'jwt-bearer' ? parseJwtBearer(form) : parseTokenExchange(form)
  if (!evidence.ok) return evidence
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) return refuse('idempotency_key_invalid')
  return ok({
    grantType: grantType.value,
    evidence: evidence.value,
    target: {
      type: one(form, 'requested_token_type'),
      audiences: audiencesOf(form),
      scope: one(form, 'scope'),
      grant: one(form, 'grant'),
    },
    idempotencyKey: idempotencyKey ?? null,
  })
}

const parseGrantType = (value: string | null): Result<GrantType> => {
  if (value === null) return refuse('request_malformed', { problem: 'grant_type is missing' })
  if (value === TOKEN_EXCHANGE) return ok('token-exchange')
  if (value === JWT_BEARER) return ok('jwt-bearer')
  return refuse('grant_type_unsupported')
}

const parseTokenExchange = (form: Form): Result<string> => {
  const token = one(form, 'subject_token')
  const type = one(form, 'subject_token_type')
  if (token === null || type === null)
    return refuse('request_malformed', { problem: 'subject_token or its type is missing' })
  if (!EVIDENCE_TYPES.has(type)) return refuse('parameter_unsupported', { parameter: 'subject_token_type' })
  return ok(token)
}

const parseJwtBearer = (form: Form): Result<string> => {
  const assertion = one(form, 'assertion')
  return assertion === null ? refuse('request_malformed', { problem: 'assertion is missing' }) : ok(assertion)
}

/** Without repeats, in the order they came. */
const audiencesOf = (form: Form): readonly string[] => {
  const audiences: string[] = []
  for (const name of REPEATABLE)
    for (const value of form.get(name) ?? []) if (value !== '' && !audiences.includes(value)) audiences.push(value)
  return audiences
}

const one = (form: Form, name: string): string | null => form.get(name)?.find((value) => value !== '') ?? null
