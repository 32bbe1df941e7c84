// Those whose credentials are tried: a function as Lambda runs it, its session of one tenant, a person's or a workload's role. As
// sessions without secrets: nothing is signed where a decision is only thought through.
import { arnIn, type Cloud, findRole } from '../aws/cloud.ts'
import { type Session, sessionArn } from '../aws/sessions.ts'

/** `arn:…:role/…` by the name without its path. */
export const roleNamed = (cloud: Cloud, name: string): string => {
  const role = findRole(cloud, name)
  if (role === undefined) throw new Error(`no role ${name}`)
  return role.arn
}

type More = Partial<Pick<Session, 'tags' | 'sourceIdentity' | 'sourceFunctionArn' | 'from' | 'transitiveTagKeys'>>

/** A session of a role, however it came by it. */
export const sessionOf = (cloud: Cloud, roleName: string, more: More = {}): Session => {
  const role = findRole(cloud, roleNamed(cloud, roleName))!
  return {
    arn: sessionArn(role, 'fences'),
    role: role.arn,
    sessionName: 'fences',
    sessionPolicies: [],
    issuedMs: NOW_MS,
    expiresMs: NOW_MS + 3600_000,
    tags: {},
    transitiveTagKeys: [],
    ...more,
  }
}
export const NOW_MS = Date.UTC(2026, 0, 1)

const deployed = (fn: string): string => `mintmark-prod-${fn}`

/** The code of a function. `isElsewhere`: the same credentials, carried out of it. */
export const functionSession = (cloud: Cloud, fn: string, { isElsewhere = false } = {}): Session => {
  const inside = { sourceFunctionArn: arnIn(cloud, 'lambda', `function:${deployed(fn)}`), from: deployed(fn) }
  return sessionOf(cloud, `mintmark-${fn}`, isElsewhere ? {} : inside)
}

/** The session a function opens to work for one tenant. */
export const tenantSession = (cloud: Cloud, fn: string, tenant: string): Session =>
  sessionOf(cloud, `mintmark-data-${fn}`, { tags: { 'mintmark-tenant': tenant }, from: deployed(fn) })

/** What a workload gets: tagged by the tenant, and with a source that says whose decision it was. */
export const workloadSession = (cloud: Cloud, role: string, tenant: string): Session =>
  sessionOf(cloud, role, { tags: { 'mintmark-tenant': tenant }, sourceIdentity: `${tenant}.01JQ8W` })
