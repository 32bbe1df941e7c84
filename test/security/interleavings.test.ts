// Mint against revoke in memory: the model, exhaustively. test/slow has it on SQLite, test/aws on DynamoDB.
import { ownKeys } from '../support/own-keys.ts'
import { describeInterleavings } from './interleavings.contract.ts'
import { memoryStores } from './memory-mint.ts'

/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()

describeInterleavings('memory', async (lasting) => {
  const own = lasting === 'shared' ? OWN : ownKeys()
  return { own, stores: memoryStores(own.store) }
})
