// Fixes a credential before anything is written or signed: key, claims, record. The payload is text from here on; its hash
// is in the record, so what is signed later is what was recorded (P5).
import { accessTokenPayload } from '../domain/access-token.ts'
import { federationPayload, sourceIdentityOf } from '../domain/aws-session.ts'
import { type Choice, verdictsOf } from '../domain/decide.ts'
import type { GrantRecord } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import { type RevocableFacts, type Selector, selectorsOf } from '../domain/revocation.ts'
import type { AccessTokenEntry } from '../domain/tenant-config.ts'
import { canonicalRequest } from '../domain/token-request.ts'
import { leavesForText } from '../domain/wid.ts'
import type { MintRequest } from '../ports/mint.ts'
import type { KeyRing, ReadyKey } from '../ports/signing-keys.ts'
import type { Digest } from '../ports/system.ts'
import type { Attested } from './attest-evidence.ts'
import type { Proof } from './check-proof.ts'

export type PreparePorts = { readonly keys: KeyRing; readonly digest: Digest }

/** What one redemption is about: all of it verified or chosen. */
export type Redemption = {
  readonly request: MintRequest
  readonly attested: Attested
  readonly choice: Choice
  readonly proof: Proof | null
}

export type IssuedFacts = RevocableFacts & { readonly subject: string }

/** A redemption with everything fixed that will be signed. */
export type Intent = Redemption & {
  readonly key: ReadyKey
  readonly record: GrantRecord
  readonly payload: string
  readonly facts: IssuedFacts
  /** What it can be revoked by: handles in the token, and what is looked for before the record and after it. */
  readonly selectors: readonly Selector[]
}

/** What makes two tokens of one redemption equal: an idempotent repeat takes these from the first record. */
export type FixedClaims = { readonly jti: string; readonly txn: string; readonly issuedAtSeconds: number }

export const prepareCredential = async (
  ports: PreparePorts,
  redemption: Redemption,
  fixed: FixedClaims,
): Promise<Intent> => {
  const { request, attested, choice, proof } = redemption
  const { entry } = choice
  // What a session is asked for with is a token too, and AWS takes ES256.
  const alg = entry.type === 'access_token' ? entry.alg : 'ES256'
  const key = ports.keys.peek(request.tenant, 'token', alg) ?? (await ports.keys.active(request.tenant, 'token', alg))
  const facts = revocableFacts(redemption, key.kid, fixed.jti)
  const selectors = selectorsOf(facts)
  const payload =
    entry.type === 'access_token'
      ? accessTokenOf(redemption, entry, facts.subject, await handlesOf(ports, request.tenant, selectors), fixed)
      : federationPayload({
          ...facts,
          issuerUrl: attested.facts.config.issuerUrl,
          role: entry.role,
          decisionId: fixed.jti,
          issuedAtSeconds: fixed.issuedAtSeconds,
          lifetimeSeconds: LIMITS.federationTokenSeconds,
        })
  const { config, issuer, evidence, wid, evaluations } = attested.facts
  const record: GrantRecord = {
    v: 1,
    decisionId: request.decisionId,
    tenant: request.tenant,
    configVersion: config.version,
    grant: choice.grant.name,
    atSeconds: fixed.issuedAtSeconds,
    traceId: fixed.txn,
    evidence: {
      issuerName: issuer.name,
      issuer: issuer.issuer,
      sub: evidence.sub,
      jti: evidence.jti,
      iat: evidence.iat,
      exp: evidence.exp,
      alg: evidence.alg,
      kid: evidence.kid,
      claimsHash: evidence.claimsHash,
      replayKey: evidence.replayKey,
    },
    wid: leavesForText(wid),
    verdicts: verdictsOf(evaluations),
    credential: {
      type: entry.type,
      jti: fixed.jti,
      sub: facts.subject,
      aud: choice.audience,
      scope: choice.scope.join(' '),
      iat: fixed.issuedAtSeconds,
      exp: fixed.issuedAtSeconds + entry.ttlSeconds,
      alg,
      kid: key.kid,
      claimsHash: ports.digest.sha256(payload),
      jkt: proof?.thumbprint ?? null,
      ancestors: [],
      ...(facts.session === null || entry.type === 'access_token'
        ? {}
        : { session: { role: entry.role, sourceIdentity: facts.session } }),
    },
    idempotency: request.idempotencyKey === null ? null : idempotencyOf(ports, request, request.idempotencyKey),
    source: request.source,
  }
  return { ...redemption, key, record, payload, facts, selectors }
}

const idempotencyOf = (ports: PreparePorts, request: MintRequest, key: string) => ({
  keyHash: ports.digest.sha256(key),
  requestHash: ports.digest.sha256(canonicalRequest(request.tenant, request.grantType, request.target)),
})

const handlesOf = async (ports: PreparePorts, tenant: string, selectors: readonly Selector[]): Promise<string[]> => {
  const handles: string[] = []
  for (const { kind, issuer, value } of selectors) {
    const handle = ports.keys.handle(tenant, kind, issuer, value)
    handles.push(typeof handle === 'string' ? handle : await handle)
  }
  return handles
}

const accessTokenOf = (
  { attested, choice, proof }: Redemption,
  entry: AccessTokenEntry,
  subject: string,
  handles: readonly string[],
  fixed: FixedClaims,
): string =>
  accessTokenPayload({
    issuerUrl: attested.facts.config.issuerUrl,
    subject,
    audience: choice.audience,
    scope: choice.scope.join(' '),
    ttlSeconds: entry.ttlSeconds,
    jkt: proof?.thumbprint ?? null,
    handles,
    introspects: entry.introspects,
    leaves: choice.grant.claims,
    wid: attested.facts.wid,
    ...fixed,
  })

const revocableFacts = ({ request, attested, choice }: Redemption, ownKid: string, jti: string): IssuedFacts => ({
  ...factsOfEvidence(request, attested),
  jti,
  subject: `spiffe://${attested.facts.config.trustDomain}${choice.identityPath}`,
  ownKid,
  grant: choice.grant.name,
  session: choice.entry.type === 'access_token' ? null : sourceIdentityOf(request.tenant, jti),
})

/** What can be revoked before a grant is chosen: everything the evidence names. */
export const factsOfEvidence = (request: MintRequest, { facts }: Attested): RevocableFacts => ({
  jti: request.decisionId,
  replayKey: facts.evidence.replayKey,
  subject: null,
  issuerName: facts.issuer.name,
  issuerKid: facts.evidence.kid,
  ownKid: null,
  grant: null,
  run: textOf(facts.wid['run.id']),
  project: textOf(facts.wid['project.id']),
  actor: textOf(facts.wid['actor.id']),
  session: null,
  tenant: request.tenant,
  ancestors: [],
})

const textOf = (value: string | boolean | null): string | null => (typeof value === 'string' ? value : null)
