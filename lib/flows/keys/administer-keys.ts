// An operator has a tenant's own keys listed, succeeded or one of them tainted, at the broker's machine or from afar. Who ordered it
// is on record before anything moves.
import type { KeyRequest } from '../../domain/admin-request.ts'
import { slotsInUse } from '../../domain/key-rotation.ts'
import { isReason, ORDER_REFUSALS } from '../../domain/revocation-order.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import type { KeyOrders } from '../../ports/change-feed.ts'
import { type AppliedMove, rotateKeys, type TaintPorts, taintKey } from './rotate-keys.ts'

export type KeyAdminPorts = TaintPorts & { readonly orders: KeyOrders }

export type ShownKey = Pick<SigningKey, 'kid' | 'alg' | 'use' | 'state' | 'createdAtSeconds' | 'activatedAtSeconds'>

export type KeyAdminAnswer =
  | { readonly kind: 'keys'; readonly moves: readonly AppliedMove[]; readonly keys: readonly ShownKey[] }
  | { readonly kind: 'refused'; readonly refusal: string; readonly says: string }
  /** The tenant has no keys here, or none of that id. */
  | { readonly kind: 'not_found' }

/** Throws Unavailable, also while the clock is not trusted; what was done stands, and the order may be given again. */
export const administerKeys = async (
  ports: KeyAdminPorts,
  { tenant, by }: { readonly tenant: string; readonly by: string },
  asked: KeyRequest,
): Promise<KeyAdminAnswer> => {
  const rows = await ports.store.list(tenant)
  if (rows.length === 0) return { kind: 'not_found' }
  const needed = slotsInUse(rows)
  const tell = (order: 'rotate' | 'taint', kid: string | null, reason: string) =>
    ports.orders.tell({ tenant, order, kid, by, reason, atSeconds: ports.clock.nowSeconds() })
  let moves: readonly AppliedMove[] = []
  if (asked.kind === 'rotate_keys') {
    await tell('rotate', null, '')
    moves = await rotateKeys(ports, { tenant, needed, isForced: true })
  }
  if (asked.kind === 'taint_key') {
    const { kid, reason } = asked
    if (!isReason(reason)) return { kind: 'refused', refusal: 'reason_invalid', says: ORDER_REFUSALS.reason_invalid }
    if (!rows.some((row) => row.kid === kid)) return { kind: 'not_found' }
    await tell('taint', kid, reason)
    moves = (await taintKey(ports, { tenant, kid, needed, reason, by }))?.moves ?? []
  }
  return { kind: 'keys', moves, keys: (await ports.store.list(tenant)).map(shown) }
}

const shown = ({ kid, alg, use, state, createdAtSeconds, activatedAtSeconds }: SigningKey): ShownKey => ({
  kid,
  alg,
  use,
  state,
  createdAtSeconds,
  activatedAtSeconds,
})
