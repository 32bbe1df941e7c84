// One sink for as long as its rule is the same: it knows what it has sent, and another knows nothing of that.
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { sinkTargets } from '../../bin/embedded/sinks.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { sampleConfig } from '../contract/sample-rows.ts'
import { VALID } from '../support/tenant-documents.ts'

const setUp = () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const configs = createTenantConfigStore(database)
  let version = 0
  const apply = async (sinks: string) => {
    version += 1
    const document = JSON.stringify(parse(`${VALID}sinks: ${sinks}\n`))
    await configs.put(sampleConfig({ version, digest: `digest-${version}`, document }))
  }
  const unusable: string[] = []
  const targetsOf = sinkTargets({
    store: { database },
    dataDir,
    secretsDir: dataDir,
    baseUrl: 'https://sts.example.com',
    dev: false,
    egressAllow: [],
    log: { error: (message: string) => unusable.push(message) },
  } as never)
  const sinkOf = async () => {
    const targets = await targetsOf('acme')
    expect(unusable).toEqual([])
    return targets.find(({ name }) => name === 'siem')?.sink
  }
  return { apply, sinkOf }
}
const hec = (index: string) =>
  `{ siem: { type: splunk-hec, url: "https://splunk.acme.example", token: { file: acme/t }, index: ${index} } }`

test('a sink stays while other parts of the document change, and is another once its rule does', async () => {
  const { apply, sinkOf } = setUp()
  await apply(hec('main'))
  const first = await sinkOf()
  expect(first).toBeDefined()
  await apply(`{ local: { type: jsonl, path: acme-audit.jsonl }, ${hec('main').slice(1)}`)
  expect(await sinkOf()).toBe(first)
  await apply(hec('other'))
  expect(await sinkOf()).not.toBe(first)
})

test('a sink that was removed is forgotten: one of its name and rule that comes later is another', async () => {
  const { apply, sinkOf } = setUp()
  await apply(hec('main'))
  const first = await sinkOf()
  await apply('{}')
  expect(await sinkOf()).toBeUndefined()
  await apply(hec('main'))
  expect(await sinkOf()).toBeDefined()
  expect(await sinkOf()).not.toBe(first)
})
