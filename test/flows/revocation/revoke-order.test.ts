// revoke, on memory stores: what is in force when it resolves, and what a second delivery, a crash or a forger changes.
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createSenderProofs } from '../../../lib/adapters/aws/sender-proofs.ts'
import { createMemoryAppliedOrders } from '../../../lib/adapters/memory/applied-orders.ts'
import { createMemoryRevocationStore } from '../../../lib/adapters/memory/revocation-store.ts'
import { createOperatorProofs } from '../../../lib/adapters/system/operator-proofs.ts'
import type { RevocationOrder } from '../../../lib/domain/revocation-order.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { type RevokePorts, revokeOrder } from '../../../lib/flows/revocation/revoke-order.ts'
import type { RevocationHook } from '../../../lib/ports/revocation-orders.ts'
import { NOW_SECONDS, sampleOrder } from '../../contract/sample-rows.ts'

const OWNER = 1000
let ports: RevokePorts & { readonly revocations: ReturnType<typeof createMemoryRevocationStore> }
beforeEach(() => {
  ports = {
    proofs: createOperatorProofs(OWNER),
    revocations: createMemoryRevocationStore(),
    orders: createMemoryAppliedOrders(),
    clock: { nowSeconds: () => NOW_SECONDS, nowMs: () => NOW_SECONDS * 1000, monotonicMs: () => 0 },
    ids: { decisionId: randomUUID, traceId: () => '0'.repeat(32) },
  }
})
const inForce = () => ports.revocations.list('acme')
const order = (over: Partial<RevocationOrder> = {}) =>
  sampleOrder({
    selectors: [
      { kind: 'run', issuer: 'github', value: '1' },
      { kind: 'assertion', issuer: '', value: 'GyBZ1MUsRD4hJSYv6nOfYd8rtUhCwgkR_FgkqXqg4jI' },
    ],
    ...over,
  })

test('every selector is in force when it resolves, with who stood behind the order and why', async () => {
  const outcome = await revokeOrder(ports, order(), null)
  const revocations = await inForce()
  expect(revocations).toMatchObject([
    { kind: 'run', form: 'block', by: 'uid:1000', reason: 'runner compromised', atSeconds: NOW_SECONDS },
    { kind: 'assertion', form: 'block' },
  ])
  expect(outcome).toMatchObject({ kind: 'applied', applied: { revocations: revocations.map(({ id }) => id) } })
})

test('a second delivery does nothing: a block that was lifted in between is not put again', async () => {
  const once = order()
  await revokeOrder(ports, once, null)
  for (const { id } of await inForce())
    await ports.revocations.lift({ tenant: 'acme', id, by: 'uid:1000', reason: 'cleaned', atSeconds: NOW_SECONDS })
  expect(await revokeOrder(ports, once, null)).toMatchObject({ kind: 'applied' })
  expect(await inForce()).toEqual([])
})

test('a crash after the rows and before the record: the next delivery finishes it, and no row is there twice', async () => {
  const once = order()
  const crashing = {
    ...ports,
    failpoint: () => {
      throw new Error('killed')
    },
  }
  await expect(revokeOrder(crashing, once, null)).rejects.toThrow('killed')
  expect(await inForce()).toHaveLength(2)
  expect(await revokeOrder(ports, once, null)).toMatchObject({ kind: 'applied' })
  expect(await inForce()).toHaveLength(2)
})

test('eight deliveries at once: the same rows, one record', async () => {
  const once = order()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => revokeOrder(ports, once, null)))
  expect(outcomes.every(({ kind }) => kind === 'applied')).toBe(true)
  expect(await inForce()).toHaveLength(2)
})

test('a forger can neither give an order nor spend the id of a true one', async () => {
  const once = order()
  const forged = { ...once, proof: { kind: 'uid' as const, uid: 1001 } }
  expect(await revokeOrder(ports, forged, null)).toEqual({ kind: 'refused', refusal: 'proof_not_accepted' })
  expect(await inForce()).toEqual([])
  expect(await revokeOrder(ports, once, null)).toMatchObject({ kind: 'applied' })
})

test('another order under an id that is spent is refused, not silently taken for done', async () => {
  const once = order()
  await revokeOrder(ports, once, null)
  const other = { ...once, selectors: [{ kind: 'grant' as const, issuer: '', value: 'deploy-prod' }] }
  expect(await revokeOrder(ports, other, null)).toEqual({ kind: 'refused', refusal: 'id_reused' })
})

test('what cannot be a predicate is refused on this side of the queue too', async () => {
  const cut = order({ form: 'cut' })
  expect(await revokeOrder(ports, cut, null)).toEqual({ kind: 'refused', refusal: 'cut_not_allowed' })
})

const uid = (value: number) => sampleOrder({ proof: { kind: 'uid', uid: value } })
const bySender = sampleOrder({ proof: { kind: 'sender' } })
const ROLE = 'AROAEXAMPLEOPERATOR00'
test.each([
  ['the owner of the data directory', createOperatorProofs(OWNER), uid(OWNER), null, 'uid:1000'],
  ['root', createOperatorProofs(OWNER), uid(0), null, 'uid:0'],
  ['somebody else', createOperatorProofs(OWNER), uid(1001), null, null],
  ['a sender, where no queue names any', createOperatorProofs(OWNER), bySender, `${ROLE}:me`, null],
  ['a session of the operator role', createSenderProofs([ROLE]), bySender, `${ROLE}:me`, `aws:${ROLE}:me`],
  ['a session of another role', createSenderProofs([ROLE]), bySender, 'AROAOTHER:me', null],
  ['a role whose id begins alike', createSenderProofs([ROLE]), bySender, `${ROLE}X:me`, null],
  ['a user with the id of the role', createSenderProofs([ROLE]), bySender, ROLE, null],
  ['no sender named', createSenderProofs([ROLE]), bySender, null, null],
  ['a uid, where there is no machine', createSenderProofs([ROLE]), uid(0), `${ROLE}:me`, null],
])('proof: %s', async (_, proofs, given, sender, by) => {
  expect(await proofs.verify(given, sender)).toBe(by)
})

test('hooks see what is in force, before the order is on record; one that fails has the order done again, whole', async () => {
  const seen: string[] = []
  let isAway = true
  const away: RevocationHook = {
    async revoked() {
      if (isAway) throw new Unavailable('cloud_unavailable')
      return {}
    },
  }
  const ending: RevocationHook = {
    async revoked(tenant, revocations) {
      const rows = await inForce()
      seen.push(...revocations.map(({ id }) => `${tenant} ${rows.some((row) => row.id === id)}`))
      return { roles: [{ role: 'arn:aws:iam::444455556666:role/x', outcome: 'denied' }] }
    },
  }
  const hooked = { ...ports, hooks: [ending, away] }
  const once = order()
  await expect(revokeOrder(hooked, once, null)).rejects.toThrow(Unavailable)
  expect([seen, await ports.orders.find('acme', once.id)]).toEqual([['acme true', 'acme true'], null])
  isAway = false
  expect(await revokeOrder(hooked, once, null)).toMatchObject({
    kind: 'applied',
    applied: { roles: [{ role: 'arn:aws:iam::444455556666:role/x', outcome: 'denied' }] },
  })
  expect(seen).toHaveLength(4)
})
