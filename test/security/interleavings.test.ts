// Mint against revoke in memory: the model, exhaustively. test/slow has it on SQLite, test/aws on DynamoDB.
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { type OwnKeys, ownKeys } from '../support/own-keys.ts'
import { describeInterleavings } from './interleavings.contract.ts'
import { memoryStores } from './memory-mint.ts'

/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()

/** The same keys in rows of their own, which nobody else sees move. */
const copyOfOwn = async (): Promise<OwnKeys> => {
  const store = createMemorySigningKeyStore()
  for (const tenant of ['acme', 'globex']) for (const key of await OWN.store.list(tenant)) await store.insert(key)
  return ownKeys(store, OWN.clock, OWN.vault)
}

describeInterleavings('memory', async (lasting) => {
  const own = lasting === 'shared' ? OWN : await copyOfOwn()
  return { own, stores: memoryStores(own.store) }
})
