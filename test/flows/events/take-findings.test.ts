// Findings of AWS through the function events to the function revoke: what a session's record says is revoked, in the tenant
// the account belongs to, and nobody but events brings a finding.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { createFindings } from '../../../functions/events/handler.ts'
import { createMemoryAppliedOrders } from '../../../lib/adapters/memory/applied-orders.ts'
import { createMemoryQueue } from '../../../lib/adapters/memory/queue.ts'
import { createMemoryRevocationStore } from '../../../lib/adapters/memory/revocation-store.ts'
import { createMemorySecurityEvents } from '../../../lib/adapters/memory/security-events.ts'
import { createMemoryTenantConfigStore } from '../../../lib/adapters/memory/tenant-config-store.ts'
import { nodeDigest } from '../../../lib/adapters/system/digest.ts'
import type { GrantRecord } from '../../../lib/domain/grant-record.ts'
import type { RevocationOrder } from '../../../lib/domain/revocation-order.ts'
import type { TenantConfig } from '../../../lib/domain/tenant-config.ts'
import type { TakeFindingsPorts } from '../../../lib/flows/events/take-findings.ts'
import { createFindingProofs, proofsByKind } from '../../../lib/flows/revocation/check-event-proof.ts'
import { type RevokePorts, revokeOrder } from '../../../lib/flows/revocation/revoke-order.ts'
import { readAwsEvent } from '../../../lib/wire/aws-events.ts'
import { canonicalDocument } from '../../../lib/wire/compile-tenant.ts'
import { readOrder } from '../../../lib/wire/revocation-order.ts'
import { NOW_SECONDS, sampleRecord } from '../../contract/sample-rows.ts'
import { issuerKey } from '../../support/evidence.ts'
import { loadTexts } from '../../support/tenant-documents.ts'
import { githubTenant } from '../../support/tenants.ts'

const recorded = (name: string): string =>
  readFileSync(new URL(`../../../events/aws/${name}.json`, import.meta.url), 'utf8')
const SESSION = '01936d3e-7c1a-7b2f-9c4d-5e6f708192a3'
const EVENTS = 'AROAEVENTS:mintmark-events'
const key = issuerKey('ES256')

const grants = (name: string, account: string): string => `
  deploy:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /ci/{project.id}
    issue:
      - { type: aws-credentials, role: "arn:aws:iam::${account}:role/mintmark/t/${name}/deployer" }
`
const tenant = (name: string, account: string, events: string): string =>
  `${githubTenant(name, { keys: [key], grants: grants(name, account), ...(name === 'acme' ? {} : { orgId: '7777777' }) })}events:\n  cloud: ${events}\n`

let current: Map<string, TenantConfig>
let records: GrantRecord[]
let ports: TakeFindingsPorts & {
  readonly queue: ReturnType<typeof createMemoryQueue>
  readonly events: ReturnType<typeof createMemorySecurityEvents>
}
let revoke: RevokePorts & { readonly revocations: ReturnType<typeof createMemoryRevocationStore> }
let alarms: string[]
let quarantined: string[]

const setUp = async (...texts: readonly string[]): Promise<void> => {
  const configs = createMemoryTenantConfigStore()
  const { tenants, problems } = loadTexts(texts, { version: 1 })
  expect(problems).toEqual([])
  current = new Map(tenants.map(({ config }) => [config.tenant, config]))
  for (const { loaded, config } of tenants)
    await configs.put({
      tenant: config.tenant,
      version: 1,
      digest: '',
      author: '',
      commit: '',
      appliedAtSeconds: 1,
      document: canonicalDocument(loaded.document),
      diff: '',
    })
  const clock = { nowMs: () => NOW_SECONDS * 1000, nowSeconds: () => NOW_SECONDS, monotonicMs: () => 0 }
  const ids = { decisionId: randomUUID, traceId: () => '0'.repeat(32) }
  alarms = []
  ports = {
    configs,
    tenants: { current: async (name) => current.get(name) ?? null },
    decisions: {
      async find(id, of) {
        const record = records.find(
          ({ decisionId, tenant: owner }) => decisionId === id && (of === null || owner === of),
        )
        return record === undefined ? null : { kind: 'allow', record, notIssued: null }
      },
    },
    clock,
    ids,
    digest: nodeDigest,
    queue: createMemoryQueue(clock),
    events: createMemorySecurityEvents(),
    alarm: (kind) => void alarms.push(kind),
  }
  revoke = {
    proofs: proofsByKind({
      finding: createFindingProofs({ ...ports, readEvent: readAwsEvent, isEvents: (sender) => sender === EVENTS }),
    }),
    revocations: createMemoryRevocationStore(),
    orders: createMemoryAppliedOrders(),
    clock,
    ids,
  }
}

const session = (role = 'arn:aws:iam::444455556666:role/deployer', owner = 'acme'): GrantRecord => {
  const record = sampleRecord({
    decisionId: SESSION,
    tenant: owner,
    wid: { 'run.id': '4711', 'project.id': '7654321' },
  })
  const opened = { role, sourceIdentity: `${owner}.${SESSION.replaceAll('-', '')}` }
  return { ...record, credential: { ...record.credential, type: 'aws-credentials', session: opened } }
}

beforeEach(async () => {
  records = [session()]
  await setUp(tenant('acme', '444455556666', '{ type: aws, calls: [cloudtrail:StopLogging] }'))
})

const deliver = async (body: string): Promise<void> => {
  quarantined = []
  const handler = createFindings({
    ports,
    quarantine: { put: async (_, reason) => void quarantined.push(reason) },
    log: { error: () => undefined },
  })
  const answer = await handler({ Records: [{ messageId: 'm', body, attributes: { ApproximateReceiveCount: '1' } }] })
  expect(answer).toEqual({ batchItemFailures: [] })
}
const orders = async (): Promise<RevocationOrder[]> =>
  (await ports.queue.receive(10)).map(({ body }) => {
    const read = readOrder(body)
    if (!read.ok) throw new Error(read.reason)
    if (!('selectors' in read.message)) throw new Error('a lift')
    return read.message
  })
const inForce = () => revoke.revocations.list('acme')
const outcomes = async () => (await ports.events.list('acme', 10)).map(({ outcome }) => outcome)

test.each([
  'guardduty-anomalous-behavior',
  'guardduty-attack-sequence',
  'securityhub-imported',
  'securityhub-v2',
  'cloudtrail-stop-logging',
])('%s: the credential of the session is blocked, and the assertion it came from', async (name) => {
  await deliver(recorded(name))
  for (const order of await orders())
    expect(await revokeOrder(revoke, order, EVENTS)).toMatchObject({ kind: 'applied', applied: { by: 'events/cloud' } })
  expect((await inForce()).map(({ kind, value }) => [kind, value])).toContainEqual(['credential', SESSION])
  expect((await inForce()).map(({ kind }) => kind)).toContain('assertion')
})

test('the document says what of the session is revoked: its record knows the run', async () => {
  await setUp(tenant('acme', '444455556666', '{ type: aws, revoke: run }'))
  await deliver(recorded('guardduty-anomalous-behavior'))
  expect(await orders()).toMatchObject([
    { tenant: 'acme', selectors: [{ kind: 'run', issuer: 'github', value: '4711' }] },
  ])
})

test('delivered twice: one order', async () => {
  for (const _ of [1, 2]) await deliver(recorded('guardduty-anomalous-behavior'))
  expect(await orders()).toHaveLength(1)
})

test.each<[string, () => string, string]>([
  [
    'less severe than the tenant asks for',
    () => recorded('guardduty-anomalous-behavior').replace('"severity": 8', '"severity": 5'),
    'acknowledged',
  ],
  [
    'archived',
    () => recorded('guardduty-anomalous-behavior').replace('"archived": false', '"archived": true'),
    'acknowledged',
  ],
  [
    'a call nobody minds',
    () => recorded('cloudtrail-stop-logging').replace('StopLogging', 'DescribeTrails'),
    'acknowledged',
  ],
  [
    'about a person of the account',
    () => recorded('guardduty-anomalous-behavior').replace(/AROAEXAMPLEDEPLOYER01:mintmark-[0-9a-f-]+/, 'AIDAEXAMPLE'),
    'selects_nothing',
  ],
  [
    'about a session nobody recorded: the broker was gone round',
    () => recorded('guardduty-anomalous-behavior').replace(SESSION, randomUUID()),
    'selects_nothing',
  ],
])('orders nothing, on record: %s', async (_, event, outcome) => {
  await deliver(event())
  expect([await orders(), await outcomes()]).toEqual([[], [outcome]])
  expect(alarms).toEqual(outcome === 'selects_nothing' ? ['event_selects_nothing'] : [])
})

test('a session that was opened in another account than the finding is of: nothing', async () => {
  records = [session('arn:aws:iam::111122223333:role/deployer')]
  await deliver(recorded('guardduty-anomalous-behavior'))
  expect([await orders(), await outcomes()]).toEqual([[], ['selects_nothing']])
})

test('the account of another tenant: that tenant alone is asked, and has no such session', async () => {
  await setUp(tenant('acme', '111122223333', '{ type: aws }'), tenant('globex', '444455556666', '{ type: aws }'))
  await deliver(recorded('guardduty-anomalous-behavior'))
  expect(await orders()).toEqual([])
  expect(await outcomes()).toEqual([])
  expect(await ports.events.list('globex', 10)).toMatchObject([{ outcome: 'selects_nothing' }])
})

test('an account of nobody: an alarm', async () => {
  await deliver(
    recorded('guardduty-anomalous-behavior').replace('"accountId": "444455556666"', '"accountId": "999999999999"'),
  )
  expect([await orders(), alarms]).toEqual([[], ['event_selects_nothing']])
})

test('what is no event of AWS is quarantined', async () => {
  await deliver('{"source":"acme.guardduty"}')
  expect(quarantined).toEqual(['not_a_finding'])
})

test('nobody but the function events brings a finding, and nobody changes what it means', async () => {
  await deliver(recorded('guardduty-anomalous-behavior'))
  const [order] = await orders()
  const other = { ...order!, selectors: [{ kind: 'tenant' as const, issuer: '', value: 'acme' }] }
  for (const [forged, sender] of [
    [order!, null],
    [order!, 'AROAOPERATOR:ops'],
    [other, EVENTS],
    [{ ...order!, id: randomUUID() }, EVENTS],
  ] as const)
    expect(await revokeOrder(revoke, forged, sender)).toEqual({ kind: 'refused', refusal: 'proof_not_accepted' })
  expect(await inForce()).toEqual([])
  expect(await revokeOrder(revoke, order!, EVENTS)).toMatchObject({ kind: 'applied' })
})
