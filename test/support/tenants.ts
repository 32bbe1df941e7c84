// Tenant documents for tests that drive the real broker: GitHub's preset with the test's own inline key set.
import type { IssuerKey } from './evidence.ts'

type TenantOptions = {
  readonly keys: readonly IssuerKey[]
  readonly orgId?: string
  readonly issuer?: string
  readonly grants?: string
}

/** The customers of GitHub in the tests: acme owns 1234567, globex 7777777. */
export const githubTenant = (
  tenant: string,
  { keys, orgId = '1234567', issuer = '', grants }: TenantOptions,
): string => `
tenant: ${tenant}
trust_domain: ${tenant}.example
issuers:
  github:
    provider: github
    org_id: "${orgId}"
    jwks: { inline: ${JSON.stringify({ keys: keys.map((key) => key.jwk) })} }
${issuer}
grants:
${grants ?? DEPLOY_GRANT}
`

export const DEPLOY_GRANT = `
  deploy-prod:
    from: github
    match:
      project.id: "7654321"
      ref.full: refs/heads/main
      environment.name: [staging, production]
      trigger.class: [push, schedule, manual]
    identity: /ci/{project.id}/{environment.name}
    issue:
      - { type: access_token, audience: [https://deploy.acme.example], scope: [deploy:read, deploy:write], ttl: 10m }
      - { type: access_token, audience: [https://legacy.acme.example], scope: [deploy:read], ttl: 5m, alg: RS256 }
`

export const TARGET = 'https://deploy.acme.example'
