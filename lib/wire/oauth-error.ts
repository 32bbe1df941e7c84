// The only place where a refusal becomes public (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 7523 §3.1). Two messages an error: the
// kind and its detail stay inside, the caller gets a constant chosen by the kind's answer, a decision id and a link.
import { type Answer, REFUSALS, type Refusal } from '../domain/refusal.ts'
import type { GrantType } from '../domain/token-request.ts'

export type OAuthError = {
  readonly status: number
  readonly error: string
  readonly description: string
  readonly retryAfterSeconds: number | null
}

/** Where `error_uri` points; the anchors are the error codes. */
export const ERROR_REFERENCE = 'https://github.com/mintmark/mintmark/blob/main/docs/reference/errors.md'

export const toOAuthError = (answer: Answer, grantType: GrantType, retryAfterSeconds: number): OAuthError => {
  switch (answer) {
    case 'request':
      return badRequest('invalid_request', 'The request is malformed or asks for something that is not offered')
    case 'evidence':
      // RFC 8693 §2.2.2 wants invalid_request for a bad subject token, RFC 7523 §3.1 invalid_grant for a bad assertion.
      return badRequest(
        grantType === 'jwt-bearer' ? 'invalid_grant' : 'invalid_request',
        'The assertion was not accepted',
      )
    case 'target':
      return badRequest('invalid_target', 'The target is unknown or not available to this workload')
    case 'scope':
      return badRequest('invalid_scope', 'The scope is malformed or exceeds what is available')
    case 'grant_type':
      return badRequest('unsupported_grant_type', 'This grant type is not offered')
    case 'dpop':
      return badRequest('invalid_dpop_proof', 'The DPoP proof was not accepted')
    case 'caller':
      return {
        ...badRequest('invalid_token', 'A live access token for this tenant is needed'),
        status: 401,
      }
    case 'rights':
      return { ...badRequest('insufficient_scope', 'The access token does not allow this'), status: 403 }
    case 'limit':
      return { status: 429, error: 'temporarily_unavailable', description: 'Too many requests', retryAfterSeconds }
    case 'unavailable':
      return {
        status: 503,
        error: 'temporarily_unavailable',
        description: 'The service cannot answer now',
        retryAfterSeconds,
      }
  }
}

export const oauthErrorOf = (refusal: Refusal, grantType: GrantType, retryAfterSeconds = 2): OAuthError =>
  toOAuthError(REFUSALS[refusal.kind].answer, grantType, retryAfterSeconds)

/** The body of RFC 6749 §5.2 with our two members. */
export const errorBody = (error: OAuthError, decisionId: string): Record<string, string> => ({
  error: error.error,
  error_description: error.description,
  error_uri: `${ERROR_REFERENCE}#${error.error}`,
  decision_id: decisionId,
})

const badRequest = (error: string, description: string): OAuthError => ({
  status: 400,
  error,
  description,
  retryAfterSeconds: null,
})
