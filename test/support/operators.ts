// A tenant whose grants issue tokens of each right, and callers of its own endpoints. The grant is chosen by name.
import { randomUUID } from 'node:crypto'
import { patientExchange } from './broker.ts'
import { githubClaims, type IssuerKey, signAssertion } from './evidence.ts'
import { githubTenant, TARGET } from './tenants.ts'
import { startTwoNamingTheirUrls, type TwoTenants } from './two-tenants.ts'

export const OTHER_TARGET = 'https://other.acme.example'

/** `issuerUrl`: `<broker>/t/<tenant>`, known once the broker listens; documents name it as the base URL given to serve. */
export const operatorTenant = (tenant: string, issuerUrl: string, key: IssuerKey, orgId: string): string => {
  const rights = (name: string, issue: string) => `
  ${name}:
    from: github
    match: { project.id: "7654321", environment.name: ${name} }
    identity: /ops/{project.id}/${name}
    issue:
      - { type: access_token, ${issue}, ttl: 10m }`
  const own = (scope: string, more = '') => `audience: ["${issuerUrl}"], scope: [${scope}]${more}`
  const grants = [
    rights('deploy', `audience: [${TARGET}, ${OTHER_TARGET}], scope: [deploy:read, admin, introspect]`),
    rights('reader', own('introspect')),
    rights('narrow', own('introspect', `, introspects: [${TARGET}]`)),
    rights('revoker', own('revoke')),
    rights('operator', own('admin')),
    rights('auditor', own('"audit:read"')),
  ]
  return githubTenant(tenant, { keys: [key], orgId, grants: grants.join('\n') })
}

/** A broker with two such tenants; whoever starts it removes it. */
export const startOperatorBroker = (key: IssuerKey, args: readonly string[] = []): Promise<TwoTenants> =>
  startTwoNamingTheirUrls((name, issuerUrl, orgId) => operatorTenant(name, issuerUrl, key, orgId), args)

export type Right = 'deploy' | 'reader' | 'narrow' | 'revoker' | 'operator' | 'auditor'

/** A fresh token of a right; `claims` change the evidence. */
export const tokenOf = async (
  tenantUrl: string,
  {
    key,
    right,
    orgId = '1234567',
    claims = {},
    audience,
  }: {
    readonly key: IssuerKey
    readonly right: Right
    readonly orgId?: string
    readonly claims?: Record<string, unknown>
    readonly audience?: string
  },
): Promise<{ readonly token: string; readonly jti: string }> => {
  const evidence = githubClaims(tenantUrl, {
    environment: right,
    repository_owner_id: orgId,
    run_id: String(Number.parseInt(randomUUID().slice(0, 8), 16)),
    ...claims,
  })
  const target = audience ?? (right === 'deploy' ? TARGET : tenantUrl)
  const answer = await patientExchange(tenantUrl, signAssertion(key, evidence), { audience: target })
  if (answer.status !== 200) throw new Error(`no token for ${right}: ${JSON.stringify(answer.body)}`)
  return { token: String(answer.body['access_token']), jti: String(answer.body['decision_id']) }
}

export type Answered = { readonly status: number; readonly headers: Headers; readonly text: string }

export const call = async (
  url: string,
  {
    bearer,
    form,
    json,
    method,
  }: {
    readonly bearer?: string
    readonly form?: Record<string, string>
    readonly json?: unknown
    readonly method?: string
  },
): Promise<Answered> => {
  const body = form ? new URLSearchParams(form) : json === undefined ? null : JSON.stringify(json)
  const response = await fetch(url, {
    method: method ?? (body === null ? 'GET' : 'POST'),
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body,
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
