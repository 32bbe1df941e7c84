// A tenant whose events expire, and that is then removed, on AWS: what the function erase takes, and what it leaves. Run by
// lambda-e2e.test.ts on its deployment.
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createExpired } from '../../lib/adapters/aws/dynamo-log-retention.ts'
import { keyOf, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { logMinuteKey } from '../../lib/adapters/aws/table-keys.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { SCHEDULED } from '../../lib/wire/lambda-events.ts'
import { type Deployed, patientDynamo } from '../support/aws/deployed.ts'
import { TARGET } from '../support/tenants.ts'
import { runUntil } from './deployed-calls.ts'

/** A sink that nothing is given to on AWS must not keep events for ever. */
export const KEPT_FOR_DAYS = `
audit: { keep_days: 30 }
sinks:
  local: { type: jsonl, path: gone-audit.jsonl }
`
const DAY = 24 * 3600

export const eraseSuite = (
  deployed: () => Deployed,
  { evidence, root }: { readonly evidence: (tenant: string) => string; readonly root: () => DynamoDBClient },
): void => {
  const core = () => tableOf('mintmark-core', root(), 20_000)
  const log = () => tableOf('mintmark-log', root(), 20_000)
  const leaves = () => createLogLeaves(log()).leaves('gone', 0, 1_000)
  const now = Math.floor(Date.now() / 1000)
  const erase = () => deployed().functions.erase()

  describe('what is to be gone', () => {
    test('events are dropped that a checkpoint of long ago covers, and with them what was kept of a denial', async () => {
      expect((await deployed().exchange('gone', evidence('gone'), { audience: TARGET })).status).toBe(200)
      const denied = await deployed().exchange('gone', 'not.a.jwt', { audience: TARGET })
      await deployed().audit()
      const { length } = await leaves()
      const last = async () => (await createLogLeaves(log()).history('gone')).at(-1)
      await runUntil(
        'a checkpoint of all of it',
        () => deployed().functions.checkpoint(SCHEDULED),
        async () => (await last())?.size === length,
      )
      const { size, note } = (await last())!
      // As if that had been 40 days ago: nobody waits for it here.
      const past = keyOf(logMinuteKey('gone', Math.floor((now - 40 * DAY) / 60)))
      const Item = { ...past, size: { N: `${size}` }, note: { S: note } }
      await root().send(new PutItemCommand({ TableName: 'mintmark-log', Item }))
      await runUntil('a log without events', erase, async () => (await leaves()).length === 0)
      expect(await createExpired(log())('gone')).toMatchObject({ leaves: size, note })
      expect(denied.status).toBe(400)
    })

    test('a removed tenant loses its keys after seven days, and what its log is told of that with the run after', async () => {
      const keys = createSigningKeyStore(core())
      expect((await keys.list('gone')).length).toBeGreaterThan(2)
      const apply = patientDynamo(deployed().placeOfRole('mintmark-apply'))
      const configs = createTenantConfigStore(tableOf('mintmark-core', apply, 20_000))
      await configs.tombstone('gone', now - LIMITS.removedTenantKeepSeconds - 60, 'alice')
      await runUntil('a tenant without keys', erase, async () => (await keys.list('gone')).length === 0)
      await deployed().audit()
      const codes = (await leaves()).map(({ canonical }) => JSON.parse(canonical).status_code as string)
      expect(codes).toEqual(expect.arrayContaining(['tenant_removed', 'tenant_erased']))
      expect(await createLogList(log()).due()).not.toContain('gone')
      await runUntil('a log without events', erase, async () => (await leaves()).length === 0)
      expect(JSON.parse((await deployed().get('/t/acme/jwks.json')).body).keys.length).toBeGreaterThan(0)
      expect((await createLogLeaves(log()).leaves('acme', 0, 1)).length).toBe(1)
    })
  })
}
