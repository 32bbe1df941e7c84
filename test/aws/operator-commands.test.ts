// The commands an operator runs against AWS, each as a process of its own that finds place and credentials as AWS tools do: under
// the packaged policies of the role it is run with, on tables of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDynamoClient, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { createDeployedTables, type DynamodbProcess, startDynamodb } from '../support/dynamodb-process.ts'
import { issuerKey } from '../support/evidence.ts'
import { type Queues, startQueues } from '../support/fauxqs-queues.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'
import { githubTenant } from '../support/tenants.ts'
import { personAt, REGION } from './person.ts'

const tenants = mkdtempSync(join(tmpdir(), 'mintmark-tenants-'))
const key = issuerKey('RS256')
const DOCUMENT = githubTenant('acme', { keys: [key] })
const write = (text: string): void => writeFileSync(join(tenants, 'acme.yaml'), text)

const ORDERS = 'mintmark-prod-revoke'

let dynamodb: DynamodbProcess
let aws: Aws
let queues: Queues
beforeAll(async () => {
  dynamodb = await startDynamodb()
  queues = await startQueues()
  queues.server.createQueue(ORDERS, { region: REGION })
  await createDeployedTables(dynamodb.endpoint)
  aws = await startAws({ cloud: packagedCloud(), dynamodb: dynamodb.endpoint, sqs: queues.server.address })
})
afterAll(async () => {
  await aws?.stop()
  await queues?.close()
  await dynamodb?.stop()
  rmSync(tenants, { recursive: true, force: true })
})

const { runAs, persistAs } = personAt(() => aws)
const apply = (...more: string[]) =>
  persistAs('mintmark-apply', 'apply', ...more, '--aws', '--base-url', 'https://sts.example.com')
const root = () => {
  const client = createDynamoClient({ ...aws.client(aws.rootCredentials), maxAttempts: 2, requestMs: 5_000 } as never)
  return tableOf('mintmark-core', client, 20_000)
}
const ordered = (): unknown[] =>
  (queues.server.inspectQueue(ORDERS)?.messages.ready ?? []).map(({ body }) => JSON.parse(body))
const latest = async () => (await createTenantConfigStore(root()).latest('acme'))!

test('apply --aws: first documents, a change with its difference, nothing twice, and an older document again as a rollback', async () => {
  write(DOCUMENT)
  expect(await apply(tenants)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^acme: created \(version 1\)\n/),
  })
  expect((await latest()).version).toMatchObject({ version: 1, commit: '' })
  write(DOCUMENT.replace('ttl: 10m', 'ttl: 5m'))
  const dry = await apply(tenants, '--dry-run')
  expect((await latest()).version.version).toBe(1)
  const changed = await apply(tenants)
  expect(changed).toMatchObject({ code: 0, stdout: dry.stdout })
  expect(changed.stdout).toMatch(
    /^acme: changed \(version 2\)\n(?: {2}.*ttl.*\n)+ {2}cut: what grant deploy-prod issued\n$/,
  )
  // Only revoke writes revocations: it takes the order, and the queue names who sent it.
  expect(ordered()).toMatchObject([
    { tenant: 'acme', form: 'cut', selectors: [{ kind: 'grant', value: 'deploy-prod' }], proof: { kind: 'sender' } },
  ])
  expect((await apply(tenants)).stdout).toBe('acme: unchanged (version 2)\n')
  write(DOCUMENT)
  const back = await apply(tenants, '--json')
  expect(JSON.parse(back.stdout)).toMatchObject({ applied: [{ tenant: 'acme', outcome: 'rolled_back', version: 3 }] })
  expect((await latest()).version.version).toBe(3)
})

test('apply --aws with the role of an operator, or of nobody, changes nothing and says it could not', async () => {
  write(DOCUMENT.replace('ttl: 10m', 'ttl: 7m'))
  const { code, stdout, stderr } = await runAs('mintmark-operator', 'apply', tenants, '--aws')
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).not.toMatch(/arn:|AccessDenied/)
  expect((await latest()).version.version).toBe(3)
})

test('unblock --aws lifts a block for the next strong read of mint, and its row says who and why; once', async () => {
  const put = sampleRevocation()
  await createRevocationStore(root()).put(put)
  const state = createTenantState(root())
  const hits = async () => {
    const { revocations } = await state.read({ tenant: 'acme', selectors: [put], kid: null, asksConfig: false })
    return revocations.length
  }
  expect(await hits()).toBe(1)
  expect((await runAs('mintmark-apply', 'unblock', put.id, '--reason', 'x', '--aws')).code).toBe(3)
  const unblock = () => persistAs('mintmark-operator', 'unblock', put.id, '--reason', 'runner rebuilt', '--aws')
  expect(await unblock()).toEqual({ code: 0, stdout: 'lifted project of acme\n', stderr: '' })
  expect(await hits()).toBe(0)
  expect((await unblock()).code).toBe(1)
})

test('apply --aws says of a sink that is a file that nothing is written to it, and nothing of others', async () => {
  const withSink = (sink: string) => write(`${DOCUMENT}sinks: { siem: ${sink} }\n`)
  withSink('{ type: jsonl, path: acme-audit.jsonl }')
  const warned = await apply(tenants, '--dry-run')
  expect([warned.code, warned.stderr]).toEqual([0, expect.stringContaining('warning: acme: the sink siem is a file')])
  withSink('{ type: webhook, url: "https://audit.acme.example/events" }')
  expect(await apply(tenants, '--dry-run')).toMatchObject({ code: 0, stderr: '' })
})

test('apply --aws --remove writes a tombstone: current for nobody, never applied again, and no other file is touched', async () => {
  expect((await apply('--remove', 'nobody')).code).toBe(1)
  expect(await apply('--remove', 'acme')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^acme: removed;/) })
  expect((await latest()).tombstonedAtSeconds).toBeGreaterThan(1_700_000_000)
  const asked = { tenant: 'acme', selectors: [], kid: null, asksConfig: true }
  expect((await createTenantState(root()).read(asked)).configVersion).toBeNull()
  write(DOCUMENT)
  const again = await apply(tenants)
  expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining('refused: the tenant was removed') })
})
