// `rotate` beside the embedded broker: what a turn does is the flow's; here it is when one is taken.
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { compileStored } from '../../bin/embedded/compile.ts'
import { openStore } from '../../bin/embedded/open-store.ts'
import { startOwnKeys } from '../../bin/embedded/own-keys.ts'
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { temporaryDirectory } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { githubTenant } from '../support/tenants.ts'

test('a tenant that is applied beside it gets its keys before the next turn is due', async () => {
  const opened = openStore({ dataDir: temporaryDirectory(), dev: true, masterKey: undefined })
  if (!opened.ok) throw new Error(opened.problem)
  const { store } = opened
  const configs = createTenantConfigStore(store.database)
  const tenants = createTenantDirectory({
    configs,
    validity: whileUnmoved(() => store.database.controlThisTurn()),
    compile: (version) => compileStored(version, { baseUrl: 'http://127.0.0.1:8080', dev: true }),
    onUnusable: (_, version) => expect.unreachable(`version ${version} is not usable`),
  })
  // It stands still after the first turn: the next one is never due.
  const clock = { ...systemClock, monotonicMs: () => 0 }
  const log = { error: (message: string) => expect.unreachable(message) }
  const clockGuard = { isTrusted: () => true }
  const own = await startOwnKeys({ store, configs, tenants, clock, clockGuard, log, counts: undefined })
  onTestFinished(async () => {
    await own.close()
    store.database.close()
  })
  const document = JSON.stringify(parse(githubTenant('newly', { keys: [issuerKey('RS256')] })))
  const by = { author: '', commit: '', diff: '', appliedAtSeconds: systemClock.nowSeconds() }
  expect(await configs.put({ tenant: 'newly', version: 1, digest: '', document, ...by })).toBe(true)
  const uses = async () => new Set((await own.keyStore.list('newly')).map(({ use }) => use))
  await expect.poll(uses).toContain('token')
})
