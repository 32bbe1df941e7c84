// Receivers in SQLite; test/aws has DynamoDB.
import { createReceivers } from '../../lib/adapters/sqlite/receivers.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { describeReceivers } from './receivers.contract.ts'

describeReceivers(
  'sqlite',
  async () => {
    const dataDir = temporaryDirectory()
    const [one, two] = [open(dataDir), open(dataDir)]
    return {
      receivers: [createReceivers(one), createReceivers(two)],
      revocations: createRevocationStore(one),
      configs: createTenantConfigStore(one),
      close: async () => undefined,
    }
  },
  40,
)
