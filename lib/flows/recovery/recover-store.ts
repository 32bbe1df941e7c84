// Recovery of a store that lost records (design §7): everything issued is cut, evidence from before is refused, token keys are
// replaced, and the discontinuity is told to every log. Every step may be repeated; the quarantine ends with the last.
import type { KeySlot } from '../../domain/key-rotation.ts'
import { LIMITS } from '../../domain/limits.ts'
import { floorOf, type Recovery } from '../../domain/recovery.ts'
import type { KeyState } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RecoveryStore } from '../../ports/recovery.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import type { Ids } from '../../ports/system.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'
import { type RevokePorts, revokeOrder } from '../revocation/revoke-order.ts'

export type RecoverPorts = {
  readonly store: RecoveryStore
  readonly configs: Pick<TenantConfigStore, 'list'>
  readonly keys: SigningKeyStore
  /** New keys, at once: there is none left that signs. */
  readonly rotate: (tenant: string, needed: readonly KeySlot[]) => Promise<unknown>
  readonly revoke: RevokePorts
  readonly ids: Ids
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly sleep: (ms: number) => Promise<void>
  /** What the logs remember of records they have taken is dealt with; records that come now may bear the same numbers. */
  readonly forgetPositions: () => Promise<void>
}

export type RecoverOrder = {
  readonly by: string
  readonly uid: number
  readonly reason: string
  /** What anchors have seen of each log: with the recovery it counts as known to be lost. */
  readonly seen: Recovery['seen']
}

export type Recovered = Recovery & { readonly tenants: readonly string[] }

/** Throws Unavailable: what was done stands, the quarantine too, and the order is to be given again. */
export const recoverStore = async (
  ports: RecoverPorts,
  { by, uid, reason, seen }: RecoverOrder,
): Promise<Recovered> => {
  const { store, clock } = ports
  const { quarantine } = await store.state()
  const sinceSeconds = quarantine?.sinceSeconds ?? clock.nowSeconds()
  if (quarantine === null) await store.quarantine({ reason: 'operator', sinceSeconds })
  // Brokers that run look every second, and finish what they have begun.
  const settledMs = LIMITS.quarantineLookMs + LIMITS.mintDeadlineMs
  await ports.sleep(Math.min(Math.max((sinceSeconds - clock.nowSeconds() + 1) * 1000 + settledMs, 0), 2 * settledMs))
  const tenants = (await ports.configs.list())
    .filter(({ tombstonedAtSeconds }) => tombstonedAtSeconds === null)
    .map(({ tenant }) => tenant)
  await store.skipNumbers()
  for (const tenant of tenants) {
    await cutAll(ports, tenant, { uid, reason })
    await replaceKeys(ports, tenant)
  }
  await ports.forgetPositions()
  const atSeconds = clock.nowSeconds()
  const recovery = { atSeconds, by, reason, floorSeconds: floorOf(atSeconds), seen }
  await store.finish(recovery)
  return { ...recovery, tenants }
}

/** What was issued before now is dead, also what no record is left of. */
const cutAll = async (
  { revoke, ids, clock }: RecoverPorts,
  tenant: string,
  { uid, reason }: Pick<RecoverOrder, 'uid' | 'reason'>,
): Promise<void> => {
  const order = {
    v: 1,
    id: ids.decisionId(),
    tenant,
    selectors: [{ kind: 'tenant', issuer: '', value: tenant }],
    form: 'cut',
    reason,
    proof: { kind: 'uid', uid },
    orderedAtSeconds: clock.nowSeconds(),
  } as const
  const done = await revokeOrder(revoke, order, null)
  if (done.kind === 'refused') throw new Error(`the cut of a recovery was refused: ${done.refusal}`)
}

const PUT_AWAY: readonly KeyState[] = ['prepared', 'active', 'retiring']

/**
 * Of use `token` only: whoever verifies offline without the feed then refuses what they signed as well. Keys of signals and logs are
 * pinned by those who read them, and what they sign carries numbers that only rise.
 */
const replaceKeys = async ({ keys, rotate, clock }: RecoverPorts, tenant: string): Promise<void> => {
  const rows = await keys.list(tenant)
  for (const { kid, use, state } of rows) {
    if (use !== 'token' || !PUT_AWAY.includes(state)) continue
    if (!(await keys.move(tenant, kid, state, 'retired', clock.nowSeconds())))
      throw new Unavailable('signing_key_unavailable')
  }
  // Also of those that an earlier attempt put away.
  const algorithms = new Set(rows.filter(({ use }) => use === 'token').map(({ alg }) => alg))
  await rotate(
    tenant,
    [...algorithms].map((alg) => ({ use: 'token', alg })),
  )
}
