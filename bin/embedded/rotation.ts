// `rotate` on a schedule: each tenant's keys are moved as they fall due. A tenant's first keys are made before it is served, or as
// soon as it is applied beside a running broker; those of a removed tenant are dropped from memory.
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { watchTenantConfigs } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { type BrokerCounts, countOne } from '../../lib/domain/broker-counts.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { ClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import type { RotatePorts } from '../../lib/flows/keys/rotate-keys.ts'
import { rotateTenants } from '../../lib/flows/keys/rotate-tenants.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { KeyRing, SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { TenantConfigStore, TenantDirectory } from '../../lib/ports/tenants.ts'
import type { OpenStore } from './open-store.ts'
import { runRounds } from './run-rounds.ts'

type RotationPorts = {
  readonly store: OpenStore
  readonly configs: TenantConfigStore
  readonly tenants: TenantDirectory
  readonly keyStore: SigningKeyStore
  /** Told when keys moved. */
  readonly keys: Pick<KeyRing, 'invalidate'>
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  readonly log: { error(message: string, fields: Record<string, unknown>): void }
  readonly counts: BrokerCounts | undefined
}

/** Nobody while the store does not answer: the next full round says so, once. */
const hinted = (applied: () => readonly string[]): readonly { readonly tenant: string }[] => {
  try {
    return applied().map((tenant) => ({ tenant }))
  } catch {
    return []
  }
}

export const startRotation = async (
  ports: RotationPorts,
): Promise<{ readonly rotation: RotatePorts; readonly close: () => Promise<void> }> => {
  const { vault } = ports.store
  const rotation = {
    store: ports.keyStore,
    maker: createKeyMaker(vault),
    activation: createKeyActivation({ store: ports.keyStore, prover: createKeyProver(vault), clock: ports.clock }),
    clock: ports.clock,
    clockGuard: ports.clockGuard,
    ring: ports.keys,
  }
  const applied = watchTenantConfigs(ports.store.database)
  let nextMs = 0
  const round = async (): Promise<boolean> => {
    const now = ports.clock.monotonicMs()
    const isDue = now >= nextMs
    const changed = hinted(applied)
    if (!isDue && changed.length === 0) return false
    if (isDue) nextMs = now + LIMITS.rotateEveryMs
    // Said once, and not for every tenant.
    if (!ports.clockGuard.isTrusted()) {
      ports.log.error('keys are not rotated: the clock is not trusted', {})
      return false
    }
    const { tenants, counts } = ports
    const configs = isDue ? ports.configs : { list: async () => changed }
    const { moves, failed } = await rotateTenants({ configs, tenants, rotation, atOnce: LIMITS.tenantsAtOnceMax })
    for (const tenant of failed) ports.log.error('keys could not be rotated', { tenant })
    if (counts) {
      for (const { kind } of moves) countOne(counts.keyMoves, kind)
      counts.failedRounds += failed.length
    }
    return false
  }
  const onFailure = (): void => ports.log.error('rotation could not list the tenants', {})
  await round().catch(onFailure)
  return { rotation, ...runRounds({ round, pauseMs: LIMITS.rotateLookMs, onFailure, isPausedFirst: true }) }
}
