// Rows as the broker writes them, for the contract suites.
import { randomUUID } from 'node:crypto'
import type { Denial, GrantRecord } from '../../lib/domain/grant-record.ts'
import type { RefusalKind } from '../../lib/domain/refusal.ts'
import type { Revocation } from '../../lib/domain/revocation.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import type { SigningKey } from '../../lib/domain/signing-key.ts'
import type { GrantPut, NotIssuedPut } from '../../lib/ports/grant-store.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'

export const NOW_SECONDS = 1_790_000_000

export const sampleRecord = (over: Partial<GrantRecord> = {}): GrantRecord => {
  const decisionId = over.decisionId ?? randomUUID()
  return {
    v: 1,
    decisionId,
    tenant: 'acme',
    configVersion: 1,
    grant: 'deploy-prod',
    atSeconds: NOW_SECONDS,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    evidence: {
      issuerName: 'github',
      issuer: 'https://token.actions.githubusercontent.com',
      sub: 'repo:acme/app:environment:production',
      jti: 'example-id',
      iat: NOW_SECONDS - 5,
      exp: NOW_SECONDS + 295,
      alg: 'RS256',
      kid: '38826b17-6a30-5f9b-b169-8beb8202f723',
      claimsHash: 'u5CeyCYcMLSyyQOUf7KPgRrBN0kxvh1kv_8UMvXPMXs',
      replayKey: 'GyBZ1MUsRD4hJSYv6nOfYd8rtUhCwgkR_FgkqXqg4jI',
    },
    wid: {
      provider: 'github',
      'project.id': '7654321',
      'ref.full': 'refs/heads/main',
      'environment.name': 'production',
    },
    verdicts: { 'deploy-prod': '1111' },
    credential: {
      type: 'access_token',
      jti: decisionId,
      sub: 'spiffe://acme.example/ci/7654321/production',
      aud: 'https://deploy.acme.example',
      scope: 'deploy:read deploy:write',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
      alg: 'ES256',
      kid: 'kid-1',
      claimsHash: 'FQbqKYNkqGzXkHXn4zjyCVxJOmGYt9pTh5RCXqWgNyk',
      jkt: null,
      ancestors: [],
    },
    idempotency: null,
    source: '203.0.113.10',
    ...over,
  }
}

export const samplePut = (
  guard: string,
  over: Partial<GrantPut> = {},
  record: Partial<GrantRecord> = {},
): GrantPut => ({
  record: sampleRecord(record),
  guard,
  keepUntilSeconds: NOW_SECONDS + 295 + 30 + 86_400,
  proofGuard: null,
  ...over,
})

/** Why nothing came of a put. */
export const sampleNotIssued = (
  { record, guard, keepUntilSeconds }: GrantPut,
  kind: RefusalKind = 'revoked',
): NotIssuedPut => ({
  outcome: {
    decisionId: record.decisionId,
    tenant: record.tenant,
    atSeconds: NOW_SECONDS,
    refusal: { kind },
  },
  guard,
  keepUntilSeconds,
})

export const sampleDenial = (over: Partial<Denial> = {}, kind: RefusalKind = 'token_not_compact'): Denial => ({
  v: 1,
  decisionId: randomUUID(),
  tenant: 'acme',
  configVersion: 1,
  atSeconds: NOW_SECONDS,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  refusal: { kind },
  verified: false,
  source: '192.0.2.1',
  issuerName: null,
  evidence: null,
  wid: null,
  verdicts: null,
  target: null,
  firstDecisionId: null,
  ...over,
})

export const sampleRevocation = (over: Partial<Revocation> = {}): Revocation => ({
  id: randomUUID(),
  tenant: 'acme',
  kind: 'project',
  issuer: 'github',
  value: '7654321',
  form: 'block',
  notBeforeSeconds: null,
  reason: 'runner compromised',
  by: 'uid:1000',
  atSeconds: NOW_SECONDS,
  ...over,
})

export const sampleOrder = (over: Partial<RevocationOrder> = {}): RevocationOrder => ({
  v: 1,
  id: randomUUID(),
  tenant: 'acme',
  selectors: [{ kind: 'project', issuer: 'github', value: '7654321' }],
  form: 'block',
  reason: 'runner compromised',
  proof: { kind: 'uid', uid: 1000 },
  orderedAtSeconds: NOW_SECONDS,
  ...over,
})

export const sampleConfig = (over: Partial<ConfigVersion> = {}): ConfigVersion => ({
  tenant: 'acme',
  version: 1,
  digest: 'digest-1',
  author: 'someone',
  commit: '',
  appliedAtSeconds: NOW_SECONDS,
  document: '{}',
  diff: '',
  ...over,
})

export const sampleKey = (over: Partial<SigningKey> = {}): SigningKey => ({
  tenant: 'acme',
  kid: 'kid-1',
  alg: 'ES256',
  use: 'token',
  state: 'prepared',
  publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  sealed: new Uint8Array([1, 2, 3]),
  createdAtSeconds: NOW_SECONDS,
  provenAtSeconds: null,
  activatedAtSeconds: null,
  endedAtSeconds: null,
  ...over,
})
