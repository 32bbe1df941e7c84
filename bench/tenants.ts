// Tenant documents for the bench (design §5): `acme`, which every request names, and any number of neighbours with the
// same provider and keys, so that a lookup among 10 000 tenants is paid for.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JSONWebKeySet } from 'jose'
import { TARGET } from './presign.ts'

export const TENANT = 'acme'

export const tenantDocument = (
  tenant: string,
  orgId: string,
  jwks: JSONWebKeySet,
  audience: string,
  projects = '"7654321"',
): string => `tenant: ${tenant}
trust_domain: ${tenant}.example
issuers:
  github:
    provider: github
    org_id: "${orgId}"
    jwks: { inline: ${JSON.stringify(jwks)} }
grants:
  deploy-prod:
    from: github
    match:
      project.id: ${projects}
      ref.full: refs/heads/main
      environment.name: [staging, production]
      trigger.class: [push, schedule, manual]
    identity: /ci/{project.id}/{environment.name}
    issue:
      - { type: access_token, audience: ["${audience}"], scope: [deploy:read, deploy:write], ttl: 10m }
`

/** Writes `count` documents into `dir`, `acme` among them. */
export const writeTenants = (dir: string, count: number, jwks: JSONWebKeySet): void => {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, `${TENANT}.yaml`), tenantDocument(TENANT, '1234567', jwks, TARGET))
  for (let i = 1; i < count; i += 1) {
    const name = `bench${String(i).padStart(6, '0')}`
    writeFileSync(
      join(dir, `${name}.yaml`),
      tenantDocument(name, String(20_000_000 + i), jwks, `https://deploy.${name}.example`),
    )
  }
}
