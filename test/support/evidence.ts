// Throw-away issuer keys and assertions for tests: real RS256 and ES256 signatures over whatever claims a test wants.
import { createSign, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

export type IssuerKey = {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256'
  readonly privateKey: KeyObject
  readonly jwk: Record<string, unknown>
}

export const issuerKey = (
  alg: 'RS256' | 'ES256' = 'RS256',
  kid = `kid-${alg}-${randomUUID().slice(0, 8)}`,
): IssuerKey => {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

export const signAssertion = (
  key: IssuerKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): string => {
  const input = `${b64({ typ: 'JWT', alg: key.alg, kid: key.kid, ...header })}.${b64(claims)}`
  const signature =
    key.alg === 'RS256'
      ? createSign('sha256').update(input).sign(key.privateKey)
      : sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** A GitHub Actions job of acme/api on main, deploying to production (issuers.md §2.1). */
export const githubClaims = (audience: string, overrides: Record<string, unknown> = {}): Record<string, unknown> => {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: 'https://token.actions.githubusercontent.com',
    aud: audience,
    jti: randomUUID(),
    sub: 'repo:acme@1234567/api@7654321:environment:production',
    iat: now,
    nbf: now - 300,
    exp: now + 300,
    repository: 'acme/api',
    repository_id: '7654321',
    repository_owner: 'acme',
    repository_owner_id: '1234567',
    repository_visibility: 'private',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    ref_protected: 'true',
    sha: '1f0c9a7be0c14f7f8f4b2a1d3c5e7f9012345678',
    base_ref: '',
    head_ref: '',
    event_name: 'push',
    environment: 'production',
    workflow: 'deploy',
    workflow_ref: 'acme/api/.github/workflows/deploy.yml@refs/heads/main',
    workflow_sha: '1f0c9a7be0c14f7f8f4b2a1d3c5e7f9012345678',
    job_workflow_ref: 'acme/ci/.github/workflows/release.yml@refs/tags/v3',
    job_workflow_sha: '9ab2c3d4e5f60718293a4b5c6d7e8f9001122334',
    actor: 'dev1',
    actor_id: '42',
    run_id: '987654321',
    run_number: '17',
    run_attempt: '1',
    check_run_id: '555',
    runner_environment: 'github-hosted',
    ...overrides,
  }
}
