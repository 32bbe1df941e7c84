// Moves the signing keys of one tenant (design §2, rotate): asks the domain what is due, does one move, asks again. Every
// move is a compare-and-set, so that a crash or a second rotator in between leaves a state from which anyone can go on.
import {
  activeKeyOf,
  dueMoves,
  isMadeFor,
  type KeyMove,
  type KeySlot,
  ROTATION_POLICY,
  type RotationPolicy,
  successorOf,
} from '../../domain/key-rotation.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Revocation } from '../../domain/revocation.ts'
import type { KeyState, SigningKey } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KeyActivation, KeyMaker, KeyRing, SigningKeyStore } from '../../ports/signing-keys.ts'
import type { Ids } from '../../ports/system.ts'
import type { ClockGuard } from '../guard-clock.ts'

export type RotatePorts = {
  readonly store: SigningKeyStore
  readonly maker: KeyMaker
  /** By the owner of the use: mint, for `token`. */
  readonly activation: KeyActivation
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  /** Told when keys moved; null where this process signs nothing. */
  readonly ring: Pick<KeyRing, 'invalidate'> | null
  readonly policy?: RotationPolicy
}

export type RotateOrder = {
  readonly tenant: string
  /** From neededSlots(config), or slotsInUse(rows) where there is no configuration at hand. */
  readonly needed: readonly KeySlot[]
  /** Prepare successors now instead of when the active keys are old enough. They still wait out the publication delay. */
  readonly isForced?: boolean
}

export type AppliedMove = { readonly kind: KeyMove['kind']; readonly slot: KeySlot; readonly kid: string }

/** More moves than any state needs; beyond it two processes undo each other's work, which no time will mend. */
const MOVES_MAX = 64

/**
 * Refuses nothing: what is not due is not done. Throws Unavailable when the store fails, a new key does not prove, or the clock
 * is not trusted: ahead of time a successor would sign before caches know it, and a key leave them before its tokens expire.
 */
export const rotateKeys = async (
  ports: RotatePorts,
  { tenant, needed, isForced = false }: RotateOrder,
): Promise<AppliedMove[]> => {
  const applied: AppliedMove[] = []
  let forced: readonly KeySlot[] | null = null
  try {
    for (let count = 0; count < MOVES_MAX; count += 1) {
      if (!ports.clockGuard.isTrusted()) throw new Unavailable('clock_untrusted', LIMITS.clockStepSecondsMax)
      const rows = await ports.store.list(tenant)
      forced ??= isForced ? needed.filter((slot) => !hasSuccessor(rows, slot)) : []
      const nowSeconds = ports.clock.nowSeconds()
      const [move] = dueMoves({ rows, needed, forced, nowSeconds, policy: ports.policy ?? ROTATION_POLICY })
      if (move === undefined) return applied
      const done = await apply(ports, tenant, move, nowSeconds)
      if (done !== null) applied.push(done)
      // Once is what was asked for: the key just made must not count as the one to be succeeded.
      if (move.kind === 'generate') {
        const { use, alg } = move.slot
        forced = forced.filter((slot) => slot.use !== use || slot.alg !== alg)
      }
    }
  } finally {
    if (applied.length > 0) ports.ring?.invalidate(tenant)
  }
  throw new Unavailable('signing_key_unavailable')
}

const hasSuccessor = (rows: readonly SigningKey[], slot: KeySlot): boolean => {
  const active = activeKeyOf(rows, slot)
  const successor = successorOf(rows, slot)
  return successor !== null && (active === null || isMadeFor(successor, active))
}

const STATES: Readonly<Record<'activate' | 'retire' | 'withdraw', readonly [from: KeyState, to: KeyState]>> = {
  activate: ['prepared', 'active'],
  retire: ['active', 'retiring'],
  withdraw: ['retiring', 'retired'],
}

/** Null: another rotator was first. */
const apply = async (
  ports: RotatePorts,
  tenant: string,
  move: KeyMove,
  nowSeconds: number,
): Promise<AppliedMove | null> => {
  if (move.kind === 'generate') {
    const key = await ports.maker.make({ tenant, ...move.slot, nowSeconds })
    return (await ports.store.insert(key)) ? { kind: move.kind, slot: move.slot, kid: key.kid } : null
  }
  const { key } = move
  const done: AppliedMove = { kind: move.kind, slot: { use: key.use, alg: key.alg }, kid: key.kid }
  if (move.kind === 'prove') {
    await activateKey(ports, key, nowSeconds)
    return done
  }
  const [from, to] = STATES[move.kind]
  return (await ports.store.move(tenant, key.kid, from, to, nowSeconds)) ? done : null
}

/**
 * A key that does not prove is put away and never served. Throws Unavailable then: with a wrong master key every further try
 * would fail alike.
 */
const activateKey = async (ports: RotatePorts, key: SigningKey, nowSeconds: number): Promise<void> => {
  if (await ports.activation.activate(key)) return
  await ports.store.move(key.tenant, key.kid, 'prepared', 'retired', nowSeconds)
  throw new Unavailable('signing_key_unavailable')
}

export type TaintOrder = {
  readonly tenant: string
  readonly kid: string
  readonly needed: readonly KeySlot[]
  readonly reason: string
  /** Who ordered it, for the record. */
  readonly by: string
}

export type TaintPorts = RotatePorts & {
  readonly ids: Ids
  /** RevocationStore.put: durable when it resolves; gives back the revocation in force, which may be an earlier one. */
  readonly revoke: (revocation: Revocation) => Promise<Revocation>
}

export type Tainted = { readonly revocation: Revocation; readonly moves: readonly AppliedMove[] }

/**
 * A key is no longer trusted: what it signed is revoked, it leaves the key set, its successor signs at once. Null: the tenant
 * has no such key. Safe to repeat, and meant to be repeated when it failed half-way. The key is gone whatever the clock says;
 * only the successor waits for a clock that is trusted.
 */
export const taintKey = async (
  ports: TaintPorts,
  { tenant, kid, needed, reason, by }: TaintOrder,
): Promise<Tainted | null> => {
  const found = (await ports.store.list(tenant)).find((key) => key.kid === kid)
  if (found === undefined) return null
  const atSeconds = ports.clock.nowSeconds()
  const order: Revocation = {
    id: ports.ids.decisionId(),
    tenant,
    kind: 'own_key',
    issuer: '',
    value: kid,
    form: 'block',
    notBeforeSeconds: null,
    reason,
    by,
    atSeconds,
  }
  // Revoked before tainted: a crash between the two denies too much until the order is repeated, never too little.
  const revocation = await ports.revoke(order)
  await moveToTainted(ports, found, atSeconds)
  ports.ring?.invalidate(tenant)
  return { revocation, moves: await rotateKeys(ports, { tenant, needed }) }
}

/** Rotation may move the key at the same time; it has few states left to go through. */
const moveToTainted = async ({ store }: TaintPorts, key: SigningKey, atSeconds: number): Promise<void> => {
  let state: KeyState | undefined = key.state
  for (let count = 0; count < MOVES_MAX; count += 1) {
    if (state === undefined || state === 'tainted') return
    if (await store.move(key.tenant, key.kid, state, 'tainted', atSeconds)) return
    state = (await store.list(key.tenant)).find((row) => row.kid === key.kid)?.state
  }
  throw new Unavailable('signing_key_unavailable')
}
