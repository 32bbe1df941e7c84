// Mint against revoke, exhaustively: in memory, the model, and on SQLite.
import { onTestFinished } from 'vitest'
import { openSqliteStores } from '../contract/stores.ts'
import { ownKeys } from '../support/own-keys.ts'
import { describeInterleavings } from './interleavings.contract.ts'
import { engineWorld, memoryStores } from './memory-mint.ts'

/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()

describeInterleavings('memory', async (lasting) => {
  const own = lasting === 'shared' ? OWN : ownKeys()
  return { own, stores: memoryStores(own.store) }
})

describeInterleavings('SQLite', async (lasting) => {
  const { own, stores, close } = await engineWorld(openSqliteStores, lasting === 'shared' ? OWN : undefined)
  onTestFinished(close)
  return { own, stores }
})
