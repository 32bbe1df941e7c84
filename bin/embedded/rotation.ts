// `rotate` on a schedule: each tenant's keys are moved as they fall due. A tenant's first keys are made before it is served;
// those of a removed tenant are dropped from memory.
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { type BrokerCounts, countOne } from '../../lib/domain/broker-counts.ts'
import { LOG_SLOT, neededSlots, signalSlots } from '../../lib/domain/key-rotation.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { ClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import { type RotatePorts, rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { KeyRing, SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { TenantConfigStore, TenantDirectory } from '../../lib/ports/tenants.ts'
import type { OpenStore } from './open-store.ts'

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

const PERIOD_MS = 30_000

export const startRotation = async (
  ports: RotationPorts,
): Promise<{ readonly rotation: RotatePorts; readonly close: () => void }> => {
  const { vault } = ports.store
  const rotation = {
    store: ports.keyStore,
    maker: createKeyMaker(vault),
    activation: createKeyActivation({ store: ports.keyStore, prover: createKeyProver(vault), clock: ports.clock }),
    clock: ports.clock,
    clockGuard: ports.clockGuard,
    ring: ports.keys,
  }
  let isRunning = false
  const rotateAll = async () => {
    if (isRunning) return
    // Said once, and not for every tenant.
    if (!ports.clockGuard.isTrusted()) return ports.log.error('keys are not rotated: the clock is not trusted', {})
    isRunning = true
    try {
      const tenants = await ports.configs.list()
      for (let at = 0; at < tenants.length; at += LIMITS.tenantsAtOnceMax)
        await Promise.all(tenants.slice(at, at + LIMITS.tenantsAtOnceMax).map(({ tenant }) => rotateOne(tenant)))
    } catch {
      ports.log.error('rotation could not list the tenants', {})
    } finally {
      isRunning = false
    }
  }
  const rotateOne = async (tenant: string) => {
    try {
      const config = await ports.tenants.current(tenant)
      if (config === null) ports.keys.invalidate(tenant)
      else {
        const moves = await rotateKeys(rotation, {
          tenant,
          needed: [...neededSlots(config), ...signalSlots(config), LOG_SLOT],
        })
        if (ports.counts) for (const { kind } of moves) countOne(ports.counts.keyMoves, kind)
      }
    } catch {
      if (ports.counts) ports.counts.failedRounds += 1
      ports.log.error('keys could not be rotated', { tenant })
    }
  }
  await rotateAll()
  const timer = setInterval(() => void rotateAll(), PERIOD_MS)
  timer.unref()
  return { rotation, close: () => clearInterval(timer) }
}
