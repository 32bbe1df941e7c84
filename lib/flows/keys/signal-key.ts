// The key of use `signal` that signs now: the feed's, or that of SETs.
import type { KeySlot } from '../../domain/key-rotation.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { TenantState } from '../../ports/grant-store.ts'
import type { KeyRing, ReadyKey } from '../../ports/signing-keys.ts'

export type SignalKeyPorts = {
  /** Of use `signal`. */
  readonly keys: Pick<KeyRing, 'active' | 'signCompact' | 'handle' | 'invalidate'>
  readonly state: Pick<TenantState, 'read'>
}

/** The ring's key may have been tainted by another process a moment ago. One that began to retire is still published. */
export const signalKey = async (
  { keys, state }: SignalKeyPorts,
  tenant: string,
  { use, alg }: KeySlot,
): Promise<ReadyKey> => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const key = await keys.active(tenant, use, alg)
    const { keyState } = await state.read({ tenant, selectors: [], kid: key.kid, asksConfig: false })
    if (keyState === 'active' || keyState === 'retiring') return key
    keys.invalidate(tenant)
  }
  throw new Unavailable('signing_key_unavailable')
}
