// Every denial is needed. In a cloud where each policy allows everything as well, only denials are left: for each of them there is
// something somebody tries that it alone prevents, and that succeeds once it is gone.
import { describe, expect, test } from 'vitest'
import { type Cloud, document, nameOf, type Statement } from '../support/aws/cloud.ts'
import {
  mapPolicies,
  type StatementName,
  statementName,
  statementsOf,
  withoutStatement,
} from '../support/aws/policies.ts'
import type { Session } from '../support/aws/sessions.ts'
import { functionSession, sessionOf, tenantSession, workloadSession } from '../support/fences/callers.ts'
import { ask, type Deed, decisionsOf, may, withHeldKeys } from '../support/fences/deed.ts'
import { assume, sharedDeeds, tenantDeeds } from '../support/fences/deeds.ts'
import { RIGHTS } from '../support/fences/rights.ts'
import { packagedCloud, packagedStacks } from '../support/packaged-stacks.ts'

/** A tenant's own account has the same texts under the same names (fences-matrix.test.ts): here once. */
const packaged = packagedCloud(packagedStacks().filter(({ account }) => account === undefined))
const stranger = {
  ...Object.values(packaged.roles)[0]!,
  arn: `arn:aws:iam::${packaged.account}:role/stranger`,
  inline: { own: document() },
  attached: [],
}
const untagged = {
  ...packaged.roles[`arn:aws:iam::${packaged.account}:role/mintmark/t/poolco/poolco-reader`]!,
  tags: {},
}

/** `Principal` is for policies of resources and roles, and must not stand in others. */
const widest = (policy: string): Statement => ({
  Sid: 'Widest',
  Effect: 'Allow',
  Action: '*',
  ...(policy.startsWith('trust of') ? {} : { Resource: '*' }),
  ...(/^(trust of|policy of|endpoint) /.test(policy) ? { Principal: '*' } : {}),
})
const widened = (cloud: Cloud): Cloud =>
  mapPolicies(cloud, (policy, text) => ({ ...text, Statement: [...text.Statement, widest(policy)] }))

const cloud = widened(
  withHeldKeys(
    {
      ...packaged,
      roles: Object.fromEntries(
        [...Object.values(packaged.roles), stranger, untagged].map((role) => {
          // Workloads' roles carry no policy of their own in the package.
          const inline = Object.keys(role.inline).length > 0 ? role.inline : { own: document() }
          return [role.arn, { ...role, inline }]
        }),
      ),
    },
    'poolco',
    'siloco',
  ),
)

/** Without its network, in which less is reachable than is denied. */
const anywhere = ({ from: _, ...session }: Session): Session => session
const callers: readonly (readonly [says: string, session: Session])[] = [
  ['a stranger', sessionOf(cloud, 'stranger')],
  ...Object.entries(RIGHTS).flatMap(([fn, { forTenant }]) => [
    [`code of ${fn}`, anywhere(functionSession(cloud, fn))] as const,
    [`who carried out credentials of ${fn}`, functionSession(cloud, fn, { isElsewhere: true })] as const,
    ...(forTenant === undefined
      ? []
      : [[`${fn}'s session of own`, anywhere(tenantSession(cloud, fn, 'poolco'))] as const]),
  ]),
  ...['apply', 'operator', 'provisioner', 'archive'].map(
    (name) => [name, sessionOf(cloud, `mintmark-${name}`, { sourceIdentity: 'alice' })] as const,
  ),
  ['a workload of own', workloadSession(cloud, 'poolco-deployer', 'poolco')],
  ['a workload without a source', sessionOf(cloud, 'poolco-deployer', { tags: { 'mintmark-tenant': 'poolco' } })],
  ['a workload without a tenant', sessionOf(cloud, 'poolco-reader', { sourceIdentity: 'poolco.x' })],
  ['a workload of a removed tenant', workloadSession(cloud, 'goneco-deployer', 'goneco')],
]

const secret = ask('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:eu-west-1:${cloud.account}:secret:x-AbCdEf`)
const plain = { 'aws:SecureTransport': 'false' }
const bucket = Object.keys(cloud.resources).find((arn) => arn.endsWith('serverlessdeploymentbucket'))
const archive = `arn:aws:s3:::mintmark-archive-${cloud.account}-${cloud.region}/logs/x`
const shared = sharedDeeds(cloud, 'mint')
const deeds: readonly Deed[] = [
  ...tenantDeeds(cloud, { tenant: 'poolco', role: 'poolco-auditor', claimant: 'poolco' }, ' of own'),
  ...tenantDeeds(cloud, { tenant: 'siloco', role: 'siloco-auditor', claimant: 'poolco' }, ' of other'),
  ...shared,
  {
    says: 'read a secret of other',
    does: { ...secret, context: { 'aws:ResourceTag/mintmark-tenant': 'siloco' } },
  },
  ...shared
    .filter(({ says }) => says.startsWith('SendMessage'))
    .map((deed) => ({ ...deed, says: `${deed.says} in clear text`, context: plain })),
  assume('use a role of a removed tenant', cloud, 'goneco-deployer', { 'mintmark-tenant': 'goneco' }),
  { says: 'read the archive in clear text', does: ask('s3:GetObject', archive), context: plain },
  { says: 'read the code in clear text', does: ask('s3:GetObject', `${bucket}/x.zip`), context: plain },
]

const denials = statementsOf(cloud).filter(({ effect }) => effect === 'Deny')

const textOf = (policy: string, statement: string): Statement => {
  let found: Statement | undefined
  mapPolicies(cloud, (name, text) => {
    if (name === policy) found = text.Statement.find((each, index) => statementName(each, index) === statement)
    return text
  })
  return found!
}

const actionsIn = ({ Action = [] }: Statement): RegExp => {
  const patterns = [Action].flat().map((action) => action.replaceAll('*', '.*'))
  return new RegExp(`^(${patterns.join('|')})$`, 'i')
}
const mainAction = ({ does }: Deed): string => ('action' in does ? does.action : `${does.service}:${does.operation}`)
/** What a call that is not its own permission asks for. */
const ASKS_FOR: Readonly<Record<string, string>> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  'dynamodb:TransactWriteItems': 'dynamodb:UpdateItem',
}
const mayMeet = (deed: Deed, actions: RegExp): boolean => {
  const action = mainAction(deed)
  return action === 'dynamodb:ExecuteStatement'
    ? actions.test('dynamodb:PartiQLUpdate')
    : actions.test(ASKS_FOR[action] ?? action)
}

/** Whether a policy can stand between somebody and anything: others are not worth trying. */
const binds = (policy: string, { role }: Session): boolean => {
  const [, inline] = /^role (\S+),/.exec(policy) ?? []
  const [, managed] = /^managed (\S+)$/.exec(policy) ?? []
  if (inline !== undefined) return nameOf(role) === inline
  const { attached = [], boundary = '' } = cloud.roles[role] ?? {}
  return managed === undefined || [...attached, boundary].some((arn) => nameOf(arn) === managed)
}

const deniedBy = async (session: Session, deed: Deed): Promise<string[]> => {
  const decisions = (await decisionsOf(cloud, session, deed)) ?? []
  const names = decisions.flatMap(({ matched }) =>
    matched.filter(({ effect }) => effect === 'Deny').map(({ policy, statement }) => `${policy}: ${statement}`),
  )
  return [...new Set(names)]
}

test('the widest allowance makes up for no denial: there are as many as in the package, and a secret is a workload’s own', async () => {
  expect(denials.length).toBeGreaterThan(50)
  const own = { ...secret, context: { 'aws:ResourceTag/mintmark-tenant': 'poolco' } }
  expect(await may(cloud, workloadSession(cloud, 'poolco-deployer', 'poolco'), { says: 'own secret', does: own })).toBe(
    true,
  )
})

/** Who can do what as soon as the denial is gone; null: nobody anything, of all that is tried. */
const missedBy = async (denial: StatementName): Promise<string | null> => {
  const actions = actionsIn(textOf(denial.policy, denial.statement))
  for (const [who, session] of callers) {
    if (!binds(denial.policy, session)) continue
    for (const deed of deeds) {
      if (!mayMeet(deed, actions)) continue
      const by = await deniedBy(session, deed)
      if (by.length !== 1 || by[0] !== `${denial.policy}: ${denial.statement}`) continue
      if (await may(withoutStatement(cloud, denial), session, deed)) return `${who}: ${deed.says}`
    }
  }
  return null
}

describe('removing a denial lets somebody do something', () => {
  test.each(denials.map(({ policy, statement }) => [`${policy}: ${statement}`, { policy, statement }] as const))(
    '%s',
    async (_name, denial) => {
      expect(await missedBy(denial), 'nothing that is tried needs it').not.toBeNull()
    },
  )
})
