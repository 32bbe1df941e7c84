// revoke on cloud sessions, under the packaged policies: a session that is open is denied everything from the answer on, one that is
// not meant goes on, and the tenant's session that did it can neither take a text off nor hang anything else.

import { randomUUID } from 'node:crypto'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DetachRolePolicyCommand,
  type IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { expect, onTestFinished, test } from 'vitest'
import { createHandler } from '../../functions/revoke/handler.ts'
import { iamClient } from '../../lib/adapters/aws/clients.ts'
import { createIamSessionDenials } from '../../lib/adapters/aws/iam-session-denials.ts'
import { createMemoryAppliedOrders } from '../../lib/adapters/memory/applied-orders.ts'
import { createMemoryGrantStore } from '../../lib/adapters/memory/grant-store.ts'
import { createMemoryRevocationStore } from '../../lib/adapters/memory/revocation-store.ts'
import { createMemoryTenantConfigStore } from '../../lib/adapters/memory/tenant-config-store.ts'
import { createOperatorProofs } from '../../lib/adapters/system/operator-proofs.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createSessionHook } from '../../lib/flows/revocation/deny-sessions.ts'
import { revokeOrder } from '../../lib/flows/revocation/revoke-order.ts'
import { sampleConfig, sampleOrder, samplePut, sampleRecord } from '../contract/sample-rows.ts'
import { document } from '../support/aws/cloud.ts'
import { startAws } from '../support/aws/emulator.ts'
import { roleNamed, workloadSession } from '../support/fences/callers.ts'
import { ask, may } from '../support/fences/deed.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'

const ELSEWHERE = 'arn:aws:iam::444455556666:role/mintmark/t/poolco/deployer'
const GONE = 'arn:aws:iam::111122223333:role/mintmark/t/poolco/poolco-gone'
const TENANT = 'poolco'
const DEPLOYER = 'poolco-deployer'

/** The package, with a role whose owner gave it everything, and a clock at which sessions are opened. */
const open = async () => {
  const packaged = packagedCloud()
  const role = roleNamed(packaged, DEPLOYER)
  const everything = document({ Effect: 'Allow', Action: '*', Resource: '*' })
  const given = { ...packaged.roles[role]!, inline: { everything } }
  const aws = await startAws({ cloud: { ...packaged, roles: { ...packaged.roles, [role]: given } } })
  onTestFinished(() => aws.stop())
  const configs = createMemoryTenantConfigStore()
  const grants = createMemoryGrantStore()
  const clock = { nowSeconds: () => Math.floor(Date.now() / 1000), nowMs: Date.now, monotonicMs: () => 0 }
  const issue = (...roles: string[]) => ({
    from: 'github',
    issue: roles.map((each) => ({ type: 'aws-credentials', role: each })),
  })
  const applied = async (version: number, of: object, appliedAtSeconds = clock.nowSeconds()) =>
    configs.put(
      sampleConfig({
        tenant: TENANT,
        version,
        digest: `d${version}`,
        appliedAtSeconds,
        document: JSON.stringify({ grants: of }),
      }),
    )
  const dataRole = roleNamed(packaged, 'mintmark-data-revoke')
  const credentials = (tenant: string) =>
    aws.credentialsForRole(dataRole, { tags: { 'mintmark-tenant': tenant }, from: 'mintmark-prod-revoke' })
  const iam = (tenant: string): IAMClient => iamClient(aws.client(credentials(tenant)) as never)
  const ports = {
    proofs: createOperatorProofs(1000),
    revocations: createMemoryRevocationStore(),
    orders: createMemoryAppliedOrders(),
    hooks: [
      createSessionHook({
        configs,
        grants,
        clock,
        sessions: createIamSessionDenials({ iamOf: async (tenant) => iam(tenant), roleArn: dataRole }),
      }),
    ],
    clock,
    ids: { decisionId: randomUUID, traceId: () => '0'.repeat(32) },
  }
  /** Whether a session of the role, opened now, reads an object of its tenant. */
  const works = (sourceIdentity: string, { sub = 'spiffe://poolco.example/ci/10', run = '1', ageSeconds = 0 } = {}) => {
    const tags = { 'mintmark-tenant': TENANT, 'mintmark-sub': sub, 'mintmark-run': run }
    const session = {
      ...workloadSession(aws.cloud, DEPLOYER, TENANT),
      tags,
      sourceIdentity,
      issuedMs: Date.now() - ageSeconds * 1000,
    }
    return may(aws.cloud, session, {
      says: 'read',
      does: ask('s3:GetObject', `arn:aws:s3:::mintmark-shared-data/${TENANT}/a`),
    })
  }
  return {
    aws,
    iam,
    ports,
    role,
    grants,
    applied,
    issue,
    works,
    attached: () => aws.cloud.roles[role]!.attached,
    async revoke(selectors: RevocationOrder['selectors'], over: Partial<RevocationOrder> = {}) {
      const outcome = await revokeOrder(ports, sampleOrder({ tenant: TENANT, selectors, ...over }), null)
      return outcome.kind === 'applied' ? outcome.applied.roles : outcome.refusal
    },
  }
}
const of = (kind: string, value: string, issuer = '') => [{ kind, issuer, value }] as RevocationOrder['selectors']
/** A session of another decision, a minute past any bound. */
const LATER = { ageSeconds: -(LIMITS.mintDeadlineMs / 1000 + LIMITS.cutMarginSeconds + 60) }

test('by source: the one session is dead when the order is answered, its neighbour on the role lives', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  expect(await cloud.works('poolco.a')).toBe(true)
  expect(await cloud.revoke(of('session', 'poolco.a'))).toEqual([{ role: cloud.role, outcome: 'denied' }])
  expect(await cloud.works('poolco.a')).toBe(false)
  expect(await cloud.works('poolco.a', LATER)).toBe(false)
  expect(await cloud.works('poolco.b')).toBe(true)
  expect(await cloud.works('poolco.ab')).toBe(true)
})

test('what one document narrowed on a role, grants and their issuer, hangs one text on it and does not shut it', async () => {
  const cloud = await open()
  const names = ['deploy', 'release', 'audit']
  await cloud.applied(1, Object.fromEntries(names.map((name) => [name, cloud.issue(cloud.role)])))
  const before = cloud.attached().length
  const selectors = [...names.flatMap((name) => of('grant', name)), ...of('issuer', 'github')]
  expect(await cloud.revoke(selectors, { form: 'cut' })).toEqual([{ role: cloud.role, outcome: 'denied' }])
  expect(cloud.attached()).toHaveLength(before + 1)
  expect(await cloud.works('poolco.a')).toBe(false)
  expect(await cloud.works('poolco.a', LATER)).toBe(true)
})

test('by identity and by run: sessions with that tag that are open, or that a mint in flight still opens; new ones after it live', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  await cloud.revoke(of('subject', 'spiffe://poolco.example/ci/10'))
  expect(await cloud.works('poolco.a')).toBe(false)
  expect(await cloud.works('poolco.a', { ageSeconds: -20 })).toBe(false)
  expect(await cloud.works('poolco.a', LATER)).toBe(true)
  expect(await cloud.works('poolco.b', { sub: 'spiffe://poolco.example/ci/11' })).toBe(true)
  await cloud.revoke(of('run', '31337', 'github'))
  expect(await cloud.works('poolco.c', { sub: 'spiffe://poolco.example/ci/11', run: '31337' })).toBe(false)
  expect(await cloud.works('poolco.c', { sub: 'spiffe://poolco.example/ci/11', run: '3133' })).toBe(true)
})

test('by issue time: everything of the role that is open, nothing that is opened after', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  await cloud.revoke(of('grant', 'deploy'), { form: 'cut' })
  expect(await cloud.works('poolco.a', { ageSeconds: 3500 })).toBe(false)
  expect(await cloud.works('poolco.a')).toBe(false)
  expect(await cloud.works('poolco.a', LATER)).toBe(true)
})

test('a credential that was a token ends no session, one that was a session ends that one', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  const [token, session] = [sampleRecord({ tenant: TENANT }), sampleRecord({ tenant: TENANT })]
  const put = samplePut('t'.repeat(43), {}, token)
  await cloud.grants.put(put)
  const credential = { ...session.credential, session: { role: cloud.role, sourceIdentity: 'poolco.a' } }
  await cloud.grants.put(samplePut('s'.repeat(43), {}, { ...session, credential }))
  const order = (jti: string, key: string) =>
    cloud.revoke([...of('credential', jti), ...of('assertion', key.repeat(43))] as never)
  expect(await order(token.decisionId, 't')).toBeUndefined()
  expect(cloud.attached()).toEqual([])
  await order(session.decisionId, 's')
  expect(await cloud.works('poolco.a')).toBe(false)
  expect(await cloud.works('poolco.b')).toBe(true)
})

test('roles of versions whose sessions may live are denied on, older ones are not; one that is gone or elsewhere is said to be', async () => {
  const cloud = await open()
  const now = Math.floor(Date.now() / 1000)
  await cloud.applied(
    1,
    { deploy: cloud.issue('arn:aws:iam::111122223333:role/mintmark/t/poolco/poolco-reader') },
    now - 9_000,
  )
  await cloud.applied(2, { deploy: cloud.issue(cloud.role) }, now - 8_000)
  await cloud.applied(3, { deploy: cloud.issue(GONE, ELSEWHERE) }, now - 60)
  expect(await cloud.revoke(of('tenant', TENANT))).toEqual([
    { role: GONE, outcome: 'out_of_reach' },
    { role: ELSEWHERE, outcome: 'out_of_reach' },
    { role: cloud.role, outcome: 'denied' },
  ])
})

test('the function rings for each role it could not reach, and answers the message: nothing can help it but the account', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role, ELSEWHERE) })
  const lines: unknown[] = []
  const handler = createHandler({
    ports: cloud.ports,
    quarantine: { put: () => Promise.reject(new Error('nothing is quarantined here')) },
    log: { error: (...line) => void lines.push(line[1]) },
  })
  const order = sampleOrder({ tenant: TENANT, selectors: of('session', 'poolco.a') })
  const attributes = { ApproximateReceiveCount: '1', MessageGroupId: TENANT }
  const Records = [{ messageId: 'm', body: JSON.stringify(order), attributes }]
  expect(await handler({ Records })).toEqual({ batchItemFailures: [] })
  expect(lines).toMatchObject([
    { alarm: 'sessions_out_of_reach', role: ELSEWHERE, tenant: TENANT, sessions_out_of_reach: 1 },
  ])
  expect(await cloud.works('poolco.a')).toBe(false)
})

test('delivered again after a crash, or ordered again, it hangs nothing a second time', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  for (let time = 0; time < 3; time += 1) await cloud.revoke(of('run', '1', 'github'))
  expect(cloud.attached()).toHaveLength(1)
})

test('a role without room for one text more is denied whole: the last revocation is never the one that is lost', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  for (let text = 0; text < LIMITS.denyTextsPerRoleMax; text += 1)
    expect(await cloud.revoke(of('session', `poolco.${text}a`))).toMatchObject([{ outcome: 'denied' }])
  expect(await cloud.works('poolco.z')).toBe(true)
  expect(await cloud.revoke(of('session', 'poolco.z'))).toMatchObject([{ outcome: 'shut' }])
  expect(await cloud.works('poolco.z')).toBe(false)
  expect(await cloud.works('poolco.y', LATER)).toBe(false)
  expect(await cloud.revoke(of('session', 'poolco.q'))).toMatchObject([{ outcome: 'shut' }])
  expect(cloud.attached()).toHaveLength(LIMITS.denyTextsPerRoleMax + 1)
})

test('where IAM is throttled the order is not done, and its rows are in force all the same; the next delivery ends the sessions', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  cloud.aws.faults.inject([{ action: 'iam:AttachRolePolicy', kind: 'throttle', percent: 100 }])
  const order = { id: randomUUID() }
  await expect(cloud.revoke(of('session', 'poolco.a'), order)).rejects.toThrow(Unavailable)
  cloud.aws.faults.inject([])
  expect(await cloud.revoke(of('session', 'poolco.a'), order)).toMatchObject([{ outcome: 'denied' }])
  expect(await cloud.works('poolco.a')).toBe(false)
})

test('the session that denies can take nothing off, change no text, and hang nothing but texts of its tenant on its roles', async () => {
  const cloud = await open()
  await cloud.applied(1, { deploy: cloud.issue(cloud.role) })
  await cloud.revoke(of('session', 'poolco.a'))
  const [text = ''] = cloud.attached()
  const [own, other] = [cloud.iam(TENANT), cloud.iam('siloco')]
  const refused = { name: expect.stringMatching(/^AccessDenied/) }
  const PolicyDocument = JSON.stringify(document({ Effect: 'Allow', Action: '*', Resource: '*' }))
  const everything = 'arn:aws:iam::aws:policy/AdministratorAccess'
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => own.send(new DetachRolePolicyCommand({ RoleName: DEPLOYER, PolicyArn: text })),
    () => own.send(new DeletePolicyCommand({ PolicyArn: text })),
    () => own.send(new CreatePolicyVersionCommand({ PolicyArn: text, PolicyDocument, SetAsDefault: true })),
    () => own.send(new PutRolePolicyCommand({ RoleName: DEPLOYER, PolicyName: 'everything', PolicyDocument })),
    () => own.send(new AttachRolePolicyCommand({ RoleName: DEPLOYER, PolicyArn: everything })),
    () => own.send(new AttachRolePolicyCommand({ RoleName: 'siloco-deployer', PolicyArn: text })),
    () => own.send(new AttachRolePolicyCommand({ RoleName: 'mintmark-mint', PolicyArn: text })),
    () => own.send(new CreatePolicyCommand({ Path: '/mintmark/deny/siloco/', PolicyName: 'x', PolicyDocument })),
    () => own.send(new CreatePolicyCommand({ Path: '/mintmark/boundary/', PolicyName: 'x', PolicyDocument })),
    () => other.send(new AttachRolePolicyCommand({ RoleName: DEPLOYER, PolicyArn: text })),
    () => other.send(new AttachRolePolicyCommand({ RoleName: 'siloco-deployer', PolicyArn: text })),
  ]
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(refused)
  // A text under a name that is taken is not replaced.
  const PolicyName = text.slice(text.lastIndexOf('/') + 1)
  const again = new CreatePolicyCommand({ Path: `/mintmark/deny/${TENANT}/`, PolicyName, PolicyDocument })
  await expect(own.send(again)).rejects.toMatchObject({ name: expect.stringMatching(/^EntityAlreadyExists/) })
  expect(await cloud.works('poolco.a')).toBe(false)
})
