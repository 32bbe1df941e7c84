// The access token (RFC 9068, design §6): its claims and their canonical text, fixed before anything is signed. Pure.
import type { OwnAlgorithm } from './signing-key.ts'
import type { Wid, WidLeaf, WidValue } from './wid.ts'

export type AccessTokenClaims = {
  readonly issuerUrl: string
  /** SPIFFE ID: sub and client_id. */
  readonly subject: string
  readonly audience: string
  readonly scope: string
  readonly issuedAtSeconds: number
  readonly ttlSeconds: number
  readonly jti: string
  /** Correlation id: the trace the request came with. */
  readonly txn: string
  /** Thumbprint of the DPoP key, when bound. */
  readonly jkt: string | null
  /** Revocation handles. */
  readonly handles: readonly string[]
  readonly introspects: readonly string[] | null
  readonly leaves: readonly WidLeaf[]
  readonly wid: Wid
}

/** The payload as text, members always in one order: the same facts give the same bytes, and so the same hash. */
export const accessTokenPayload = (c: AccessTokenClaims): string => {
  const wid: Partial<Record<WidLeaf, WidValue>> = {}
  for (const leaf of c.leaves) if (c.wid[leaf] !== null) wid[leaf] = c.wid[leaf]
  return JSON.stringify({
    iss: c.issuerUrl,
    sub: c.subject,
    client_id: c.subject,
    aud: c.audience,
    scope: c.scope,
    iat: c.issuedAtSeconds,
    nbf: c.issuedAtSeconds,
    exp: c.issuedAtSeconds + c.ttlSeconds,
    jti: c.jti,
    txn: c.txn,
    ...(c.jkt === null ? {} : { cnf: { jkt: c.jkt } }),
    ...(c.introspects === null ? {} : { introspects: c.introspects }),
    rh: c.handles,
    wid,
  })
}

/** The JOSE header as text (RFC 9068 §2.1). */
export const accessTokenHeader = (alg: OwnAlgorithm, kid: string): string => JSON.stringify({ typ: 'at+jwt', alg, kid })
