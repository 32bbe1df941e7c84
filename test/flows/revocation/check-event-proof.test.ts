// revoke verifies the proof of an event's order again: whoever can write to the queue gets nothing done that the event, the
// tenant document and the keys of now do not say. Longer than 300 lines: every kind of proof has the same attacks.
import { createHmac, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { importVerifyKey, nodeSignatureVerifier } from '../../../lib/adapters/jose/evidence-signature.ts'
import { createMemoryAppliedOrders } from '../../../lib/adapters/memory/applied-orders.ts'
import { createMemoryQueue } from '../../../lib/adapters/memory/queue.ts'
import { createMemoryRevocationStore } from '../../../lib/adapters/memory/revocation-store.ts'
import { createMemorySecurityEvents } from '../../../lib/adapters/memory/security-events.ts'
import { createMemoryTenantConfigStore } from '../../../lib/adapters/memory/tenant-config-store.ts'
import { nodeDigest } from '../../../lib/adapters/system/digest.ts'
import type { RevocationOrder } from '../../../lib/domain/revocation-order.ts'
import type { TenantConfig } from '../../../lib/domain/tenant-config.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { type ReceivePorts, receiveGithubAlert, receiveSet } from '../../../lib/flows/events/receive-event.ts'
import { createIssuerKeys, storedKeysOnly } from '../../../lib/flows/issuers/issuer-keys.ts'
import {
  createEventProofs,
  type EventProofPorts,
  proofsByKind,
} from '../../../lib/flows/revocation/check-event-proof.ts'
import { type RevokePorts, revokeOrder } from '../../../lib/flows/revocation/revoke-order.ts'
import { canonicalDocument } from '../../../lib/wire/compile-tenant.ts'
import { readOrder } from '../../../lib/wire/revocation-order.ts'
import { issuerKey } from '../../support/evidence.ts'
import { CAEP, IDP, setClaims, signSet } from '../../support/security-events.ts'
import { loadTexts } from '../../support/tenant-documents.ts'
import { githubTenant } from '../../support/tenants.ts'

const idp = issuerKey('ES256')
const platform = issuerKey('ES256')
const planted = { ...issuerKey('ES256'), kid: idp.kid }
const AUDIENCE = 'https://sts.example.com/t/acme/events'

const events = (rule: string, key = idp): string => `
events:
  idp:
    issuer: ${IDP}
    jwks: { inline: ${JSON.stringify({ keys: [key.jwk] })} }
    on: { session-revoked: ${rule} }
`
const hmac = (secret: string, bytes: Uint8Array | string) => createHmac('sha256', secret).update(bytes).digest('hex')
const leaks = (tenant: string): string =>
  `  leaks: { type: github, secret: { file: ${tenant}/hook }, secret_types: [mintmark_access_token] }\n`
const SUBJECT_RULE = '{ subject: opaque, revoke: subject }'

type Bench = EventProofPorts &
  ReceivePorts & {
    readonly queue: ReturnType<typeof createMemoryQueue>
    readonly events: ReturnType<typeof createMemorySecurityEvents>
  }
let bench: Bench
let revoke: RevokePorts & { readonly revocations: ReturnType<typeof createMemoryRevocationStore> }
let configs: ReturnType<typeof createMemoryTenantConfigStore>
let current: Map<string, TenantConfig>
let version = 0

/** Applies one document of each tenant. */
const apply = async (texts: readonly string[]): Promise<void> => {
  version += 1
  const { tenants, problems } = loadTexts(texts, { version })
  expect(problems).toEqual([])
  for (const { loaded, config } of tenants) {
    current.set(config.tenant, config)
    const document = canonicalDocument(loaded.document)
    await configs.put({
      tenant: config.tenant,
      version,
      digest: String(version),
      author: '',
      commit: '',
      appliedAtSeconds: 1,
      document,
      diff: '',
    })
  }
}

beforeEach(async () => {
  version = 0
  current = new Map()
  configs = createMemoryTenantConfigStore()
  const nowMs = () => Date.now()
  const clock = { nowMs, nowSeconds: () => Math.floor(nowMs() / 1000), monotonicMs: nowMs }
  const ids = { decisionId: randomUUID, traceId: () => '0'.repeat(32) }
  bench = {
    configs,
    tenants: { current: async (tenant) => current.get(tenant) ?? null },
    decisions: { find: async () => null },
    clock,
    ids,
    issuerKeys: createIssuerKeys({
      store: { read: async () => null },
      trust: storedKeysOnly,
      clock,
      importKey: (jwk) => importVerifyKey(jwk),
      jitter: () => 0,
    }),
    signatures: nodeSignatureVerifier,
    digest: nodeDigest,
    queue: createMemoryQueue(clock),
    events: createMemorySecurityEvents(),
    secrets: {
      matches: async () => false,
      // The secret of each name is its name.
      text: async (name) => name,
      verifyHmac: async (name, bytes, signature) => signature === hmac(name, bytes),
    },
    alarm: () => undefined,
    ownKeys: { list: async () => [] },
    importKey: importVerifyKey,
  }
  revoke = {
    proofs: proofsByKind({ set: createEventProofs(bench), github: createEventProofs(bench) }),
    revocations: createMemoryRevocationStore(),
    orders: createMemoryAppliedOrders(),
    clock,
    ids,
  }
  await apply([
    githubTenant('acme', { keys: [platform] }) + events(SUBJECT_RULE) + leaks('acme'),
    githubTenant('globex', { keys: [platform], orgId: '7777777' }) + events(SUBJECT_RULE) + leaks('globex'),
  ])
})

const SUBJECT = 'spiffe://acme.example/ci/7654321/production'
const receive = (set: string, tenant = 'acme', ports: ReceivePorts = bench) =>
  receiveSet(ports, { tenant, set, authorization: undefined })
/** The order an authentic event became, as revoke reads it from the queue. */
const accepted = async (changes: Record<string, unknown> = {}): Promise<RevocationOrder> => {
  expect(await receive(signSet(idp, setClaims(AUDIENCE, changes)))).toEqual({ kind: 'accepted' })
  const [delivery] = await bench.queue.receive(1)
  const read = readOrder(delivery?.body ?? '')
  if (!read.ok) throw new Error(read.reason)
  if (!('selectors' in read.message)) throw new Error('a lift')
  return read.message
}
const inForce = async () => [...(await revoke.revocations.list('acme')), ...(await revoke.revocations.list('globex'))]
const REFUSED = { kind: 'refused', refusal: 'proof_not_accepted' }
const expectNothing = async (order: RevocationOrder) => {
  expect(await revokeOrder(revoke, order, null)).toEqual(REFUSED)
  expect(await inForce()).toEqual([])
}

test('the order of an authentic event is carried out, in the name of its source', async () => {
  expect(await revokeOrder(revoke, await accepted(), null)).toMatchObject({
    kind: 'applied',
    applied: { by: 'events/idp' },
  })
  expect(await inForce()).toMatchObject([{ tenant: 'acme', kind: 'subject', value: SUBJECT, form: 'block' }])
})

describe('does nothing:', () => {
  test.each<[string, (order: RevocationOrder) => RevocationOrder]>([
    [
      'another selector than the event names',
      (order) => ({ ...order, selectors: [{ kind: 'tenant', issuer: '', value: 'acme' }] }),
    ],
    [
      'a selector more',
      (order) => ({ ...order, selectors: [...order.selectors, { kind: 'grant', issuer: '', value: 'deploy-prod' }] }),
    ],
    ['another form', (order) => ({ ...order, form: 'cut' })],
    ['another reason', (order) => ({ ...order, reason: 'session-revoked reported by somebody' })],
    ['another id: one event would be many orders', (order) => ({ ...order, id: randomUUID() })],
    ['another proof: an operator who is none', (order) => ({ ...order, proof: { kind: 'uid', uid: 0 } })],
    ['another proof: the queue', (order) => ({ ...order, proof: { kind: 'sender' } })],
    ['no token', (order) => ({ ...order, proof: { kind: 'set', set: 'x' } })],
    [
      'a SET signed with a key of the forger',
      (order) => ({ ...order, proof: { kind: 'set', set: signSet(planted, setClaims(AUDIENCE)) } }),
    ],
    [
      'a SET that brings its key',
      (order) => ({
        ...order,
        proof: { kind: 'set', set: signSet(planted, setClaims(AUDIENCE), { jwk: planted.jwk }) },
      }),
    ],
    [
      "a SET signed with a platform's key",
      (order) => ({ ...order, proof: { kind: 'set', set: signSet(platform, setClaims(AUDIENCE)) } }),
    ],
    [
      'an authentic SET about somebody else',
      (order) => ({
        ...order,
        proof: {
          kind: 'set',
          set: signSet(idp, setClaims(AUDIENCE, { sub_id: { format: 'opaque', id: `${SUBJECT}2` } })),
        },
      }),
    ],
    [
      'an authentic SET that orders nothing',
      (order) => ({
        ...order,
        proof: {
          kind: 'set',
          set: signSet(idp, setClaims(AUDIENCE, { events: { [`${CAEP}token-claims-change`]: {} } })),
        },
      }),
    ],
    ['the name of another tenant on it', (order) => ({ ...order, tenant: 'globex' })],
  ])('%s', async (_, forge) => {
    const order = await accepted()
    await expectNothing(forge(order))
    // And the id of the true one is not spent by it.
    expect(await revokeOrder(revoke, order, null)).toMatchObject({ kind: 'applied' })
  })

  test("another tenant's SET, authentic for that tenant", async () => {
    const order = await accepted()
    const theirs = signSet(idp, setClaims('https://sts.example.com/t/globex/events'))
    await expectNothing({ ...order, proof: { kind: 'set', set: theirs } })
  })

  test('the mapping was changed while the order waited', async () => {
    const order = await accepted()
    await apply([
      githubTenant('acme', { keys: [platform] }) + events('{ subject: opaque, revoke: subject, action: cut }'),
    ])
    await expectNothing(order)
  })

  test('the source was removed while the order waited', async () => {
    const order = await accepted()
    await apply([githubTenant('acme', { keys: [platform] })])
    await expectNothing(order)
  })

  test('the key was withdrawn while the order waited', async () => {
    const order = await accepted()
    await apply([githubTenant('acme', { keys: [platform] }) + events(SUBJECT_RULE, issuerKey('ES256'))])
    await expectNothing(order)
  })

  test('the tenant was removed while the order waited', async () => {
    const order = await accepted()
    current.delete('acme')
    await expectNothing(order)
  })
})

describe('the order of a webhook', () => {
  const body = JSON.stringify({
    action: 'created',
    alert: { secret_type: 'mintmark_access_token', created_at: new Date().toISOString() },
    repository: { id: 7654321, owner: { id: 1234567 } },
  })
  const signed = (secret: string, of = body) => `sha256=${hmac(secret, of)}`
  const ordered = async (): Promise<RevocationOrder> => {
    expect(await receiveGithubAlert(bench, { tenant: 'acme', body, signature: signed('acme/hook') })).toEqual({
      kind: 'accepted',
    })
    const read = readOrder((await bench.queue.receive(1))[0]?.body ?? '')
    if (!read.ok) throw new Error(read.reason)
    if (!('selectors' in read.message)) throw new Error('a lift')
    return read.message
  }

  test('is carried out: the project is the repository', async () => {
    expect(await revokeOrder(revoke, await ordered(), null)).toMatchObject({
      kind: 'applied',
      applied: { by: 'events/leaks' },
    })
    expect(await inForce()).toMatchObject([{ tenant: 'acme', kind: 'project', issuer: 'github', value: '7654321' }])
  })

  test.each<[string, (order: RevocationOrder) => RevocationOrder]>([
    ['another project', (order) => ({ ...order, selectors: [{ kind: 'project', issuer: 'github', value: '1' }] })],
    [
      'a body nobody signed',
      (order) => ({
        ...order,
        proof: { kind: 'github', body: body.replace('7654321', '1'), signature: signed('acme/hook') },
      }),
    ],
    [
      'a signature under a secret of the forger',
      (order) => ({ ...order, proof: { kind: 'github', body, signature: signed('guess') } }),
    ],
    [
      "another tenant's webhook",
      (order) => ({ ...order, proof: { kind: 'github', body, signature: signed('globex/hook') } }),
    ],
    ['the name of the other tenant on it', (order) => ({ ...order, tenant: 'globex' })],
  ])('does nothing: %s', async (_, forge) => {
    await expectNothing(forge(await ordered()))
  })

  test('does nothing once the type of secret is no longer one of ours', async () => {
    const order = await ordered()
    await apply([
      githubTenant('acme', { keys: [platform] }) +
        events(SUBJECT_RULE) +
        leaks('acme').replace('mintmark_access_token', 'other'),
    ])
    await expectNothing(order)
  })
})

describe('nothing is lost and nothing is twice:', () => {
  test('a crash after the order was sent: the same SET again is the same order', async () => {
    const set = signSet(idp, setClaims(AUDIENCE))
    const crashing = {
      ...bench,
      failpoint: () => {
        throw new Error('killed')
      },
    }
    await expect(receive(set, 'acme', crashing)).rejects.toThrow('killed')
    expect(await bench.events.list('acme', 10)).toEqual([])
    expect(await receive(set)).toEqual({ kind: 'accepted' })
    const waiting = await bench.queue.receive(10)
    expect(waiting).toHaveLength(1)
    expect(await bench.events.list('acme', 10)).toMatchObject([
      { outcome: 'ordered', id: JSON.parse(waiting[0]!.body).id },
    ])
  })

  test('carried out before the SET came again: the second order, given later, is the first', async () => {
    const order = await accepted()
    await revokeOrder(revoke, order, null)
    const again = await revokeOrder(revoke, { ...order, orderedAtSeconds: order.orderedAtSeconds + 60 }, null)
    expect(again).toMatchObject({ kind: 'applied' })
    expect(await inForce()).toHaveLength(1)
  })

  test('while the queue is away nothing is accepted, and nothing recorded as if it were', async () => {
    const away = { ...bench, queue: { send: () => Promise.reject(new Unavailable('store_unavailable')) } }
    await expect(receive(signSet(idp, setClaims(AUDIENCE)), 'acme', away)).rejects.toThrow(Unavailable)
    expect(await bench.events.list('acme', 10)).toEqual([])
  })

  test('while keys cannot be had nobody is told that the SET is bad', async () => {
    const text =
      githubTenant('acme', { keys: [platform] }) +
      events(SUBJECT_RULE).replace(/inline: .*\}/, 'url: https://idp.acme.example/keys }')
    await apply([text])
    await expect(receive(signSet(idp, setClaims(AUDIENCE)))).rejects.toThrow(Unavailable)
  })
})
