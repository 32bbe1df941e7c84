// What a transmitter learns of a SET that was refused (RFC 8935 §2.3-2.4): a code and a constant text, chosen by the private
// kind, which stays inside. Pure.
import type { RefusalKind } from '../domain/refusal.ts'

export type SetErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'

const DESCRIPTIONS: Readonly<Record<SetErrorCode, string>> = {
  invalid_request: 'The request is not one SET that can be acted on',
  invalid_key: 'The key or algorithm of the SET is not accepted',
  invalid_issuer: 'The issuer of the SET is not registered here',
  invalid_audience: 'The audience of the SET is not this recipient',
  authentication_failed: 'The transmitter could not be authenticated',
}

const CODES: Readonly<Partial<Record<RefusalKind, SetErrorCode>>> = {
  issuer_missing: 'invalid_issuer',
  issuer_unknown: 'invalid_issuer',
  audience_invalid: 'invalid_audience',
  audience_mismatch: 'invalid_audience',
  alg_not_allowed: 'invalid_key',
  kid_missing: 'invalid_key',
  key_unknown: 'invalid_key',
  key_unusable: 'invalid_key',
  signature_invalid: 'authentication_failed',
  transmitter_unauthenticated: 'authentication_failed',
}

export type SetError = { readonly status: 400 | 401; readonly err: SetErrorCode; readonly description: string }

/** 401 only where the request's own authentication failed; whatever is wrong with a SET is 400. */
export const setErrorOf = (kind: RefusalKind): SetError => {
  const err = CODES[kind] ?? 'invalid_request'
  return { status: kind === 'transmitter_unauthenticated' ? 401 : 400, err, description: DESCRIPTIONS[err] }
}
