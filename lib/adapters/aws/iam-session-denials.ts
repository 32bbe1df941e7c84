// Denials on roles of AWS: a text of its own for each, made below the tenant's path and hung on the role, both with the tenant's
// session, which IAM lets do nothing else. A text is never changed, taken off or deleted here: it ends sessions that end anyway.
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
} from '@aws-sdk/client-iam'
import { accountOf, DENY_ALL_NAME, DENY_PATH } from '../../domain/aws-session.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { DeniedRole, RoleOutcome, SessionMark } from '../../domain/session-denial.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { SessionDenials } from '../../ports/cloud-sessions.ts'

type Options = {
  /** A client with the rights of that tenant's data session. */
  readonly iamOf: (tenant: string) => Promise<IAMClient>
  /** ARN of the data role: it says the account and the partition. */
  readonly roleArn: string
}

/** What is no outage, by what IAM calls it. */
const ANSWERS = { NoSuchEntity: 'gone', AccessDenied: 'denied', EntityAlreadyExists: 'exists' } as const
type Reason = (typeof ANSWERS)[keyof typeof ANSWERS]
type Ask<T> = (options: { readonly abortSignal: AbortSignal }) => Promise<T>

export const createIamSessionDenials = ({ iamOf, roleArn }: Options): SessionDenials => {
  const account = accountOf(roleArn)
  const texts = `${roleArn.slice(0, roleArn.indexOf(':role/'))}:policy${DENY_PATH}`
  const denyAll = `${texts}${DENY_ALL_NAME}`

  return {
    async deny({ tenant, id, roles, mark }) {
      const iam = await iamOf(tenant)
      const Path = `${DENY_PATH}${tenant}/`
      const PolicyName = `mintmark-${id}`
      const text = `${texts}${tenant}/${PolicyName}`
      const hang = async (role: string, PolicyArn: string, done: RoleOutcome): Promise<RoleOutcome> => {
        const command = new AttachRolePolicyCommand({ RoleName: nameOf(role), PolicyArn })
        return (await call((options) => iam.send(command, options), 'gone')) === 'gone' ? 'out_of_reach' : done
      }
      const denyOn = async (role: string): Promise<RoleOutcome> => {
        if (accountOf(role) !== account) return 'out_of_reach'
        const command = new ListAttachedRolePoliciesCommand({ RoleName: nameOf(role) })
        // IAM finds the path of a role by its name: one that is gone has none, and rights on none.
        const listed = await call((options) => iam.send(command, options), 'gone', 'denied')
        if (listed === 'gone' || listed === 'denied') return 'out_of_reach'
        const ours = (listed.AttachedPolicies ?? []).flatMap(({ PolicyArn = '' }) =>
          PolicyArn.startsWith(texts) ? [PolicyArn] : [],
        )
        if (ours.includes(denyAll)) return 'shut'
        if (ours.includes(text)) return 'denied'
        // Fail closed: a role that carries many denials is one whose sessions are stolen again and again.
        if (ours.length >= LIMITS.denyTextsPerRoleMax) return hang(role, denyAll, 'shut')
        const make = new CreatePolicyCommand({ Path, PolicyName, PolicyDocument: documentOf(mark) })
        await call((options) => iam.send(make, options), 'exists')
        return hang(role, text, 'denied')
      }
      const outcomes: DeniedRole[] = []
      for (const role of roles) outcomes.push({ role, outcome: await denyOn(role) })
      return outcomes
    },
  }
}

const nameOf = (role: string): string => role.slice(role.lastIndexOf('/') + 1)

/** `expected`: answers that the caller has a use for. Anything else is an outage. */
const call = async <T, Expected extends Reason>(ask: Ask<T>, ...expected: Expected[]): Promise<T | Expected> => {
  try {
    return await ask({ abortSignal: AbortSignal.timeout(LIMITS.iamCallMs) })
  } catch (error) {
    const name = error instanceof Error ? error.name.replace(/Exception$/, '') : ''
    const reason = expected.find((each) => ANSWERS[name as keyof typeof ANSWERS] === each)
    if (reason !== undefined) return reason
    throw new Unavailable('cloud_unavailable', undefined, { cause: error })
  }
}

const isoOf = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

/** A source, a run and a subject are compared as they are: none of them is a pattern. */
const conditionOf = (mark: SessionMark) => {
  if (mark.kind === 'source') return { StringEquals: { 'aws:SourceIdentity': mark.sourceIdentity } }
  const older = { DateLessThan: { 'aws:TokenIssueTime': isoOf(mark.issuedBeforeSeconds) } }
  return mark.kind === 'issued' ? older : { ...older, StringEquals: { [`aws:PrincipalTag/${mark.tag}`]: mark.value } }
}

const documentOf = (mark: SessionMark): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 'Revoked', Effect: 'Deny', Action: '*', Resource: '*', Condition: conditionOf(mark) }],
  })
