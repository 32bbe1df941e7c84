// Own keys for tests: a real sealer over throw-away bytes, the memory store, and a clock that is set by hand.
import { randomBytes } from 'node:crypto'
import { createAesSealer } from '../../lib/adapters/keys/aes-sealer.ts'
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createLocalVault, type LocalVault } from '../../lib/adapters/keys/local-vault.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import type { RotatePorts } from '../../lib/flows/keys/rotate-keys.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { KeyProver, KeyRing, SigningKeyStore } from '../../lib/ports/signing-keys.ts'

export type HandClock = Clock & {
  add(seconds: number): void
  /** The wall clock alone is set to another time. */
  step(seconds: number): void
}

export const handClock = (startSeconds = 1_800_000_000): HandClock => {
  let ms = startSeconds * 1000
  let steppedMs = 0
  return {
    nowSeconds: () => Math.floor((ms + steppedMs) / 1000),
    nowMs: () => ms + steppedMs,
    monotonicMs: () => ms,
    add: (seconds) => {
      ms += seconds * 1000
    },
    step: (seconds) => {
      steppedMs += seconds * 1000
    },
  }
}

export type OwnKeys = RotatePorts & {
  readonly ring: KeyRing
  readonly clock: HandClock
  readonly vault: LocalVault
  readonly prover: KeyProver
}

/** `vault`: to open keys that were made elsewhere. */
export const ownKeys = (
  store: SigningKeyStore = createMemorySigningKeyStore(),
  clock: HandClock = handClock(),
  vault: LocalVault = createLocalVault(createAesSealer(randomBytes(32))),
): OwnKeys => {
  const prover = createKeyProver(vault)
  return {
    store,
    vault,
    clock,
    maker: createKeyMaker(vault),
    prover,
    activation: createKeyActivation({ store, prover, clock }),
    ring: createLocalKeyRing({ store, vault, clock }),
    clockGuard: createClockGuard(clock, createMemoryTimeMark()),
  }
}
