// Decides one IAM request. The simulator of @cloud-copilot does the evaluation logic of IAM (identity, boundary, session,
// resource, trust and endpoint policies; explicit deny first); this file gives it what it lacks: conditions on keys it drops are settled
// beforehand by condition.ts, and a dropped key that any policy relies on and nobody settled is an error, never a silent deny.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { type Cloud, type Conditions, findRole, ownerArn, type PolicyDocument } from './cloud.ts'
import { type Context, conditionHolds } from './condition.ts'
import {
  endpointPolicyName,
  inlinePolicyName,
  managedPolicyName,
  resourcePolicyName,
  type StatementName,
  statementName,
  trustPolicyName,
} from './policies.ts'

/** Who asks: the ARN IAM shows, the role behind it (none for a federated token), policies passed when the session was made. */
export type Principal = {
  readonly arn: string
  readonly role: string | null
  readonly sessionPolicies: readonly PolicyDocument[]
}

export type IamRequest = {
  readonly principal: Principal
  readonly action: string
  /** An ARN, or `*` for actions that have no resource. */
  readonly resource: string
  /** Account of the resource: `*` and S3's ARNs do not say it. */
  readonly resourceAccount: string
  readonly context: Context
  /** The function whose network the request goes through, if it is made by one: an isolated one passes endpoint policies. */
  readonly from?: string
}

export type Decision = {
  readonly outcome: 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied' | 'Unreachable'
  /** Every statement that applied, of either effect. */
  readonly matched: readonly (StatementName & { readonly effect: 'Allow' | 'Deny' })[]
}

type Named = { readonly name: string; readonly policy: PolicyDocument }

/** Throws when the simulator cannot judge the request at all (no such action, a resource of the wrong type, a bad policy). */
export const decide = async (cloud: Cloud, request: IamRequest): Promise<Decision> => {
  const settle = (named: Named): Named => ({ ...named, policy: settleDocument(named.policy, request.context) })
  const { identity, boundary, session, resource, endpoint } = policiesFor(cloud, request)
  // Subnets without a way out: where no endpoint is, nothing is asked.
  if (endpoint === null) return { outcome: 'Unreachable', matched: [] }
  const policies = {
    identity: identity.map(settle),
    boundary: boundary.map(settle),
    session: session.map(settle),
    resource: resource.map(settle),
    endpoint: endpoint.map(settle),
  }
  const simulation = await runSimulation(
    {
      request: {
        principal: request.principal.arn,
        action: request.action,
        resource: { resource: request.resource, accountId: request.resourceAccount },
        contextVariables: contextWithoutGaps(request.context),
      },
      identityPolicies: policies.identity,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(policies.boundary.length > 0 ? { permissionBoundaryPolicies: policies.boundary } : {}),
      ...(policies.endpoint.length > 0 ? { vpcEndpointPolicies: policies.endpoint } : {}),
      ...(policies.session.length > 0 ? { sessionPolicy: mergeDocuments(policies.session) } : {}),
      ...(policies.resource[0] === undefined ? {} : { resourcePolicy: policies.resource[0].policy }),
    },
    {},
  )
  if (simulation.resultType !== 'single') {
    const why = simulation.resultType === 'error' ? JSON.stringify(simulation.errors) : simulation.resultType
    throw new Error(`IAM cannot judge ${request.action} on ${request.resource}: ${why}`)
  }
  const all = Object.values(policies).flat()
  refuseDroppedKeys(request, simulation.result.ignoredContextKeys ?? [], all)

  const { analysis } = simulation.result
  const parts = [
    analysis.identityAnalysis,
    analysis.permissionBoundaryAnalysis,
    analysis.sessionAnalysis,
    analysis.endpointAnalysis,
    analysis.resourceAnalysis && renamed(analysis.resourceAnalysis, policies.resource[0]?.name),
  ]
  const matched = parts.flatMap((part) =>
    part === undefined
      ? []
      : [...part.denyStatements, ...part.allowStatements].map(({ policyId, explain }) => ({
          policy: policyId,
          statement: explain.identifier,
          effect: explain.effect as 'Allow' | 'Deny',
        })),
  )
  return { outcome: simulation.overallResult, matched }
}

/** The simulator gives a resource policy no name. */
const renamed = <Part extends { allowStatements: { policyId: string }[]; denyStatements: { policyId: string }[] }>(
  part: Part,
  name = '',
): Part => ({
  ...part,
  allowStatements: part.allowStatements.map((statement) => ({ ...statement, policyId: name })),
  denyStatements: part.denyStatements.map((statement) => ({ ...statement, policyId: name })),
})

type Applicable = Readonly<Record<'identity' | 'boundary' | 'session' | 'resource', readonly Named[]>> & {
  /** Null: the service cannot be reached from there. */
  readonly endpoint: readonly Named[] | null
}

/** The policies IAM would look at. Throws for a role, or a managed policy, that the cloud does not have. */
export const policiesFor = (cloud: Cloud, { principal, action, resource, from }: IamRequest): Applicable => {
  const managed = (arn: string): Named => {
    const policy = cloud.managedPolicies[arn]
    if (policy === undefined) throw new Error(`no managed policy ${arn}`)
    return { name: managedPolicyName(arn), policy }
  }
  const role = principal.role === null ? undefined : findRole(cloud, principal.role)
  if (principal.role !== null && role === undefined) throw new Error(`no role ${principal.role}`)
  const inline = Object.entries(role?.inline ?? {})
  const session = principal.sessionPolicies.map((policy, index) => ({ name: `session policy ${index}`, policy }))
  return {
    identity: [
      ...(role === undefined ? [] : inline.map(([name, policy]) => ({ name: inlinePolicyName(role, name), policy }))),
      ...(role?.attached ?? []).map(managed),
    ],
    boundary: role?.boundary === undefined ? [] : [managed(role.boundary)],
    session,
    resource: resourcePolicyOf(cloud, action, resource),
    endpoint: endpointPolicyOf(cloud, action, from),
  }
}

const endpointPolicyOf = (cloud: Cloud, action: string, from: string | undefined): readonly Named[] | null => {
  if (from === undefined || cloud.functions[from]?.isIsolated !== true) return []
  const service = action.slice(0, action.indexOf(':'))
  const policy = cloud.endpoints[service]
  return policy === undefined ? null : [{ name: endpointPolicyName(service), policy }]
}

/** Trust policies are the resource policies of STS; IAM's own actions on a role do not look at them. */
const resourcePolicyOf = (cloud: Cloud, action: string, resource: string): readonly Named[] => {
  if (action.startsWith('sts:')) {
    const role = cloud.roles[resource]
    return role === undefined ? [] : [{ name: trustPolicyName(role), policy: role.trust }]
  }
  const owner = ownerArn(cloud, resource)
  const policy = cloud.resources[owner]?.policy
  return policy === undefined ? [] : [{ name: resourcePolicyName(owner), policy }]
}

/**
 * A context key the simulator removes although AWS supplies it. `sts.example.com/t/acme:sub` is a claim of the OIDC provider
 * registered under that URL.
 */
const isGap = (key: string): boolean =>
  /^kms:EncryptionContext:/i.test(key) || /^[^:/]+\.[^:/]+(?::\d+)?(?:\/[^:]*)?:[^:]+$/.test(key)

const contextWithoutGaps = (context: Context): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(context)
      .filter(([key]) => !isGap(key))
      .map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
  )

/** Absent and present at once. A statement keeps its place under it, so that a policy never becomes an absent policy. */
const NEVER: Conditions = { Null: { 'aws:PrincipalArn': 'true' }, StringLike: { 'aws:PrincipalArn': '*' } }

/** The document with every gap condition replaced by what it comes to; statements keep their names. */
const settleDocument = (document: PolicyDocument, context: Context): PolicyDocument => ({
  ...document,
  Statement: document.Statement.map((statement, index) => ({
    ...statement,
    Sid: statementName(statement, index),
    ...(statement.Condition === undefined ? {} : { Condition: settleConditions(statement.Condition, context) }),
  })),
})

const settleConditions = (conditions: Conditions, context: Context): Conditions => {
  const left: Record<string, Record<string, string | readonly string[]>> = {}
  for (const [operator, lines] of Object.entries(conditions)) {
    for (const [key, expected] of Object.entries(lines)) {
      if (!isGap(key)) left[operator] = { ...left[operator], [key]: expected }
      else if (!conditionHolds(operator, key, expected, context)) return NEVER
    }
  }
  return left
}

const mergeDocuments = (documents: readonly Named[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: documents.flatMap(({ policy }) => policy.Statement),
})

/** INVARIANT: a decision never rests on a key that was thrown away on the way to it. */
const refuseDroppedKeys = (request: IamRequest, dropped: readonly string[], policies: readonly Named[]): void => {
  const gaps = Object.keys(request.context).filter(isGap)
  if (dropped.length + gaps.length === 0) return
  const text = JSON.stringify(policies).toLowerCase()
  const isVariable = (key: string): boolean => text.includes(`\${${key.toLowerCase()}`)
  const missed = [
    ...dropped.filter((key) => text.includes(`"${key.toLowerCase()}"`) || isVariable(key)),
    ...gaps.filter(isVariable),
  ]
  if (missed.length === 0) return
  throw new Error(
    `${request.action} carries ${missed.join(', ')}, which a policy reads and the simulator does not know`,
  )
}
