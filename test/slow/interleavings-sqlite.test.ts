// Mint against revoke on SQLite: every point mint can be stopped at, on a real file each.
import { beforeAll, onTestFinished } from 'vitest'
import { openSqliteStores } from '../contract/stores.ts'
import { describeInterleavings } from '../security/interleavings.contract.ts'
import { engineWorld, memoryMint } from '../security/memory-mint.ts'
import { issuerKey } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'

/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()
beforeAll(async () => {
  await memoryMint(issuerKey('RS256'), undefined, { own: OWN })
})

describeInterleavings('SQLite', async (lasting) => {
  const { own, stores, close } = await engineWorld(openSqliteStores, lasting === 'shared' ? OWN : undefined)
  onTestFinished(close)
  return { own, stores }
})
