import { expect, test } from 'vitest'
import { TAKEN } from '../../../lib/domain/sink.ts'
import type { SinkRule, TenantConfig } from '../../../lib/domain/tenant-config.ts'
import { createSinkTargets } from '../../../lib/flows/audit/sink-targets.ts'
import type { Sink } from '../../../lib/ports/sinks.ts'
import type { TenantDirectory } from '../../../lib/ports/tenants.ts'

const hec = (index: string): SinkRule => ({
  name: 'siem',
  type: 'splunk-hec',
  url: 'https://splunk.acme.example',
  token: 'acme/t',
  index,
  isAcknowledged: false,
})
const LOCAL: SinkRule = { name: 'local', type: 'jsonl', path: 'acme-audit.jsonl' }

/** `apply`: the sinks of a tenant's next document; null: the tenant is gone. */
const setUp = () => {
  const documents = new Map<string, readonly SinkRule[]>()
  // A document is compiled anew for each version, so no rule is ever the same object.
  const directory: TenantDirectory = {
    peek: () => undefined,
    current: async (tenant) => {
      const sinks = documents.get(tenant)
      return sinks === undefined ? null : ({ sinks: structuredClone(sinks) } as unknown as TenantConfig)
    },
  }
  const targetsOf = createSinkTargets({
    directory,
    issuerUrl: (tenant) => `https://sts.example.com/t/${tenant}`,
    make: (): Sink => ({ deliver: async () => TAKEN }),
  })
  const apply = (sinks: readonly SinkRule[] | null, tenant = 'acme') => {
    if (sinks === null) documents.delete(tenant)
    else documents.set(tenant, sinks)
  }
  const sinkOf = async (tenant = 'acme') => (await targetsOf(tenant)).find(({ name }) => name === 'siem')?.sink
  return { apply, sinkOf, targetsOf }
}

test('a sink stays while other parts of the document change, and is another once its rule does', async () => {
  const { apply, sinkOf } = setUp()
  apply([hec('main')])
  const first = await sinkOf()
  expect(first).toBeDefined()
  apply([LOCAL, hec('main')])
  expect(await sinkOf()).toBe(first)
  apply([hec('other')])
  expect(await sinkOf()).not.toBe(first)
})

test.each([
  ['no document names it any more', []],
  ['its tenant was removed', null],
])('a sink is forgotten when %s: one of its name and rule that comes later is another', async (_, meanwhile) => {
  const { apply, sinkOf } = setUp()
  apply([hec('main')])
  const first = await sinkOf()
  apply(meanwhile)
  expect(await sinkOf()).toBeUndefined()
  apply([hec('main')])
  expect(await sinkOf()).toBeDefined()
  expect(await sinkOf()).not.toBe(first)
})

test('two tenants with the same rule have two sinks, each under its own issuer', async () => {
  const { apply, targetsOf } = setUp()
  apply([hec('main')])
  apply([hec('main')], 'globex')
  const [acme, globex] = [...(await targetsOf('acme')), ...(await targetsOf('globex'))]
  expect(acme).toMatchObject({ tenant: 'acme', issuerUrl: 'https://sts.example.com/t/acme' })
  expect(globex).toMatchObject({ tenant: 'globex', issuerUrl: 'https://sts.example.com/t/globex' })
  expect(acme?.sink).not.toBe(globex?.sink)
})
