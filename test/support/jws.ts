// Tokens as an attacker writes them: any header and payload text, any signature, over real RS256 and ES256 keys; and the
// strict front judging them in the order of flows/attest-evidence.ts, without HTTP, store or policy.
import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { importVerifyKey, verifySignature } from '../../lib/adapters/jose/evidence-signature.ts'
import { type CheckedClaims, type ClaimPolicy, checkClaims } from '../../lib/domain/assertion-checks.ts'
import type { JsonValue } from '../../lib/domain/claims.ts'
import {
  checkJoseHeader,
  type HeaderPolicy,
  parseCompactJws,
  type UnverifiedJws,
} from '../../lib/domain/compact-jws.ts'
import { keyFor, usableKeys } from '../../lib/domain/jwk-policy.ts'
import { refuse } from '../../lib/domain/refusal.ts'
import { ok, type Result } from '../../lib/domain/result.ts'
import { type IssuerKey, issuerKey } from './evidence.ts'

export const NOW = 1_700_000_000
export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'https://broker.example/t/acme'

export const RSA = issuerKey('RS256', 'rsa-1')
export const EC = issuerKey('ES256', 'ec-1')

/** Claims that pass, changed by a test. A member set to undefined is left out. */
export const claims = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: ISSUER,
  sub: 'repo:acme/api:environment:production',
  aud: AUDIENCE,
  jti: 'a7c2a1de-0001',
  iat: NOW - 10,
  nbf: NOW - 310,
  exp: NOW + 290,
  ...changes,
})

/** What a part says: text and bytes as they are, anything else as JSON. */
export type Part = string | Uint8Array | Readonly<Record<string, unknown>> | readonly unknown[]

export const encodePart = (part: Part): string => {
  const bytes = part instanceof Uint8Array ? part : typeof part === 'string' ? part : JSON.stringify(part)
  return Buffer.from(bytes as string).toString('base64url')
}

export const signatureOf = (alg: 'RS256' | 'ES256', privateKey: KeyObject, signingInput: string): Buffer =>
  alg === 'RS256'
    ? sign('sha256', Buffer.from(signingInput), privateKey)
    : sign('sha256', Buffer.from(signingInput), { key: privateKey, dsaEncoding: 'ieee-p1363' })

/** A header that passes for the key, changed by a test. */
export const headerOf = (key: IssuerKey, changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  typ: 'JWT',
  alg: key.alg,
  kid: key.kid,
  ...changes,
})

/** A token whose signature is right, whatever its parts say. */
export const signParts = (key: IssuerKey, header: Part, payload: Part): string => {
  const signingInput = `${encodePart(header)}.${encodePart(payload)}`
  return `${signingInput}.${signatureOf(key.alg, key.privateKey, signingInput).toString('base64url')}`
}

export const publicKeyOf = (key: IssuerKey): KeyObject => createPublicKey(key.privateKey)

export type Judge = Partial<HeaderPolicy> &
  Partial<ClaimPolicy> & { readonly jwks?: unknown; readonly uses?: readonly string[] }

export type Judged = { readonly claims: CheckedClaims; readonly jws: UnverifiedJws }

export const policyOf = (judge: Judge): HeaderPolicy & ClaimPolicy => ({
  algorithms: ['RS256', 'ES256'],
  typ: [],
  headerMembers: [],
  issuer: ISSUER,
  audience: AUDIENCE,
  nowSeconds: NOW,
  maxAgeSeconds: 600,
  lifetimeSecondsMax: null,
  iatOptional: false,
  ...judge,
})

/** The whole strict front: shape, issuer, header, key, signature, claims. */
export const judgeToken = (token: string, judge: Judge = {}): Result<Judged> => {
  const policy = policyOf(judge)
  const parsed = parseCompactJws(token)
  if (!parsed.ok) return parsed
  const jws = parsed.value
  if (jws.claims['iss'] !== policy.issuer) return refuse('issuer_unknown')
  const header = checkJoseHeader(jws, policy)
  if (!header.ok) return header
  const { keys } = usableKeys((judge.jwks ?? { keys: [RSA.jwk, EC.jwk] }) as JsonValue, policy)
  const key = keyFor(keys, header.value.kid, header.value.alg)
  if (!key.ok) return key
  const verifyKey = importVerifyKey(key.value.jwk)
  if (!verifySignature(header.value.alg, verifyKey, jws.signingInput, jws.signature)) return refuse('signature_invalid')
  const checked = checkClaims(jws.claims, policy)
  return checked.ok ? ok({ claims: checked.value, jws }) : checked
}

/** 'accepted', or the private kind of the refusal. */
export const verdictOf = (token: string, judge: Judge = {}): string => {
  const judged = judgeToken(token, judge)
  return judged.ok ? 'accepted' : judged.refusal.kind
}
