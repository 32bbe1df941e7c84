// The broker's own keys: one ring for each use, which opens no other use's, and the rotation that moves them. That of the log is
// audit's (audit.ts).
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { startRotation } from './rotation.ts'

/** Resolves when every tenant has the keys it is served with. */
export const startOwnKeys = async (ports: Omit<Parameters<typeof startRotation>[0], 'keyStore' | 'keys'>) => {
  const { clock } = ports
  const { database, vault } = ports.store
  const keyStore = createSigningKeyStore(database)
  const tokenKeys = createLocalKeyRing({ store: keyStore, vault, clock })
  const signalKeys = createLocalKeyRing({ store: keyStore, vault, clock, use: 'signal' })
  const rings = {
    invalidate(tenant: string) {
      tokenKeys.invalidate(tenant)
      signalKeys.invalidate(tenant)
    },
  }
  const { rotation, close } = await startRotation({ ...ports, keyStore, keys: rings })
  return {
    keyStore,
    /** Of mint. */
    tokenKeys,
    /** Of revoke. */
    signalKeys,
    /** How an operator has keys moved: as the schedule does. */
    rotation,
    close,
  }
}
