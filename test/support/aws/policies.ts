// Every policy statement of a cloud under a name that stays the same when others are removed, and the cloud without one of them:
// what the proof "each statement is needed" is made of.
import type { Cloud, PolicyDocument, Role, Statement } from './cloud.ts'
import { nameOf } from './cloud.ts'

/** Where a statement stands: `role mintmark-mint, inline data` and its Sid, or `Statement2` where it has none. */
export type StatementName = { readonly policy: string; readonly statement: string }

export const statementName = (statement: Statement, index: number): string => statement.Sid ?? `Statement${index}`

export const inlinePolicyName = (role: Role, name: string): string => `role ${nameOf(role.arn)}, inline ${name}`
export const managedPolicyName = (arn: string): string => `managed ${nameOf(arn)}`
export const trustPolicyName = (role: Role): string => `trust of ${nameOf(role.arn)}`
export const endpointPolicyName = (service: string): string => `endpoint ${service}`
export const resourcePolicyName = (arn: string): string => `policy of ${arn.split(':').slice(2).join(':')}`

/** Every statement of every policy of the cloud, those of roles, boundaries, trust, resources and endpoints. */
export const statementsOf = (cloud: Cloud): (StatementName & { readonly effect: 'Allow' | 'Deny' })[] => {
  const found: (StatementName & { readonly effect: 'Allow' | 'Deny' })[] = []
  mapPolicies(cloud, (policy, document) => {
    for (const [index, statement] of document.Statement.entries()) {
      found.push({ policy, statement: statementName(statement, index), effect: statement.Effect })
    }
    return document
  })
  return found
}

/** Throws when there is no such statement, or two: a proof about nothing would pass. */
export const withoutStatement = (cloud: Cloud, { policy, statement }: StatementName): Cloud => {
  let removed = 0
  const changed = mapPolicies(cloud, (name, document) => {
    if (name !== policy) return document
    const kept = document.Statement.map((each, index) => ({ ...each, Sid: statementName(each, index) })).filter(
      ({ Sid }) => Sid !== statement,
    )
    removed += document.Statement.length - kept.length
    return { ...document, Statement: kept }
  })
  if (removed !== 1) throw new Error(`${removed} statements are called ${statement} in ${policy}`)
  return changed
}

/** The cloud with each policy replaced by what `change` makes of it. */
export const mapPolicies = (
  cloud: Cloud,
  change: (policy: string, document: PolicyDocument) => PolicyDocument,
): Cloud => ({
  ...cloud,
  roles: mapValues(cloud.roles, (role) => ({
    ...role,
    trust: change(trustPolicyName(role), role.trust),
    inline: mapValues(role.inline, (document, name) => change(inlinePolicyName(role, name), document)),
  })),
  managedPolicies: mapValues(cloud.managedPolicies, (document, arn) => change(managedPolicyName(arn), document)),
  endpoints: mapValues(cloud.endpoints, (document, service) => change(endpointPolicyName(service), document)),
  resources: mapValues(cloud.resources, (resource, arn) =>
    resource.policy === undefined
      ? resource
      : { ...resource, policy: change(resourcePolicyName(arn), resource.policy) },
  ),
})

const mapValues = <Value>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, key: string) => Value,
): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
