// The answer of introspection (RFC 7662 §2.2). Members are listed one by one: whatever else a token may come to hold is not
// told by that alone. Pure.
import type { JsonValue } from '../domain/claims.ts'
import type { OwnToken } from '../domain/own-token.ts'

const TOLD = [
  'scope',
  'client_id',
  'sub',
  'aud',
  'iss',
  'exp',
  'iat',
  'nbf',
  'jti',
  'txn',
  'cnf',
  'act',
  'wid',
] as const

/** `{"active":false}`, exactly, for everything that is not the caller's to know or not live. */
export const introspectionBody = (token: OwnToken | null): Readonly<Record<string, JsonValue>> => {
  if (token === null) return { active: false }
  const told = TOLD.flatMap((name): [string, JsonValue][] => {
    const value = token.claims[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { active: true, token_type: token.jkt === null ? 'Bearer' : 'DPoP', ...Object.fromEntries(told) }
}
