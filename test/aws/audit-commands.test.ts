// The `audit` commands of an operator against AWS: a log beside its records in the deployed tables, read under the packaged policies
// of mintmark-operator, and what `verify` says when either of them is changed behind its back. Longer than
// 300 lines: each command is tried on one log with all that is beside it.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAnchorRecords } from '../../lib/adapters/aws/dynamo-anchor-records.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { grantItem } from '../../lib/adapters/aws/dynamo-grant-rows.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createLookUps } from '../../lib/adapters/aws/dynamo-look-ups.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { createHourlyRecords } from '../../lib/adapters/aws/dynamo-records.ts'
import { begin, getItem, type Item, keyOf, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import {
  appliedOrderKey,
  CORE_TABLE,
  grantKey,
  LOG_TABLE,
  logDenialKey,
  logEventsKey,
  type RowKey,
  signingKeyKey,
} from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import { anchoredKey, archiveBucket } from '../../lib/domain/archive-bucket.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { noteOf, verifierKey } from '../../lib/domain/tlog/signed-note.ts'
import { createTreeLog } from '../../lib/flows/audit/append-log.ts'
import { checkpointLogs } from '../../lib/flows/audit/checkpoint-log.ts'
import { hourOf, unloggedOfAll } from '../../lib/flows/audit/find-unlogged.ts'
import type { GrantPut } from '../../lib/ports/grant-store.ts'
import {
  sampleConfig,
  sampleDenial,
  sampleKey,
  sampleNotIssued,
  sampleOrder,
  samplePut,
  sampleRevocation,
} from '../contract/sample-rows.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { createDeployedTables, type DynamodbProcess, LOCAL, startDynamodb } from '../support/dynamodb-process.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'
import { personAt } from './person.ts'

const NOW = Math.floor(Date.now() / 1000)
const files = mkdtempSync(join(tmpdir(), 'mintmark-audit-aws-'))
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')

let dynamodb: DynamodbProcess
let aws: Aws
let client: DynamoDBClient
let web: Server
let origin = ''
beforeAll(async () => {
  dynamodb = await startDynamodb()
  await createDeployedTables(dynamodb.endpoint)
  client = new DynamoDBClient({ ...LOCAL, endpoint: dynamodb.endpoint, maxAttempts: 2 })
  aws = await startAws({ cloud: packagedCloud(), dynamodb: dynamodb.endpoint })
  // What `discovery` serves of the log's keys.
  web = createServer((_, response) => response.end(`${vkey()}\n`)).listen(0, '127.0.0.1')
  await new Promise((resolve) => web.once('listening', resolve))
  origin = `127.0.0.1:${(web.address() as AddressInfo).port}/t/acme/log`
  await logAll()
})
afterAll(async () => {
  await aws?.stop()
  client?.destroy()
  await dynamodb?.stop()
  web?.close()
  rmSync(files, { recursive: true, force: true })
})

const vkey = () => verifierKey(nodeSha256, { name: origin, publicKey: raw })
const core = () => tableOf(CORE_TABLE, client, 60_000)
const log = () => tableOf(LOG_TABLE, client, 60_000)
const { persistAs } = personAt(() => aws)
const audit = (...args: string[]) => persistAs('mintmark-operator', 'audit', ...args, '--tenant', 'acme', '--aws')

/** Decided so many seconds ago. */
const putOf = (agoSeconds: number, guard: string): GrantPut => {
  const atSeconds = NOW - agoSeconds
  const ids = createIds({ nowMs: () => atSeconds * 1000 } as never)
  return samplePut(guard, { keepUntilSeconds: NOW + 86_400 }, { atSeconds, decisionId: ids.decisionId() })
}
const old = Array.from({ length: 5 }, (_, at) => putOf(3 * 3600 + at, `guard-${at}`))
const [first, second, refused] = old as [GrantPut, GrantPut, GrantPut]

const append = (entries: readonly AuditEntry[]) =>
  createTreeLog({
    store: createTenantLog(log(), nodeSha256),
    salts: systemSalts,
    hashes: { sha256: nodeSha256, sha256Hex },
    issuerUrl: () => `http://${origin.slice(0, -'/log'.length)}`,
    recordOf: async () => refused.record,
  }).append('acme', entries)
const checkpoint = () =>
  checkpointLogs({
    store: createTenantLog(log(), nodeSha256),
    signer: {
      sign: async (_, name, text) =>
        noteOf(nodeSha256, text, [
          { key: { name, publicKey: raw }, signature: sign(null, Buffer.from(text), privateKey) },
        ]),
    },
    sha256: nodeSha256,
    clock: { nowSeconds: () => NOW },
    alarm: () => undefined,
  })

const anchored = (size: number) => `${archiveBucket(aws.cloud)}/${anchoredKey('acme', size)}`
/** A checkpoint under the key of the log. */
const signed = (size: number, root: Uint8Array) => {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
  return noteOf(nodeSha256, text, [
    { key: { name: origin, publicKey: raw }, signature: sign(null, Buffer.from(text), privateKey) },
  ])
}

/** As mint and audit leave it: records, their leaves, a checkpoint, and what the anchor has of it. */
const logAll = async () => {
  const grants = createGrantStore(core())
  for (const put of old) await grants.put(put)
  const notIssued = sampleNotIssued(refused)
  await grants.putNotIssued(notIssued)
  await appendOld()
  const { size, note } = (await createPublicLog(log(), nodeSha256).checkpoint('acme'))!
  aws.objects.set(anchored(size), note)
  await createAnchorRecords(log()).put('acme', { anchor: 's3://bucket/checkpoints', size, note, atSeconds: NOW })
  writeFileSync(join(files, 'anchored'), note)
}
const appendOld = async () => {
  await append(old.map(({ record }) => ({ kind: 'grant', record })))
  await append([{ kind: 'not_issued', outcome: sampleNotIssued(refused).outcome }])
  await checkpoint()
}

/** With a row as it is not, and then as it was. */
const withRow = async (table: string, key: RowKey, row: Item | null, work: () => Promise<void>) => {
  const before = (await getItem(await begin(tableOf(table, client, 60_000), 'acme'), key))!
  if (row === null) await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(key) }))
  else await client.send(new PutItemCommand({ TableName: table, Item: row }))
  try {
    await work()
  } finally {
    await client.send(new PutItemCommand({ TableName: table, Item: before }))
  }
}

test('verify --aws: every event against its record, every record against the log, the anchor against both', async () => {
  const { code, stdout, stderr } = await audit('verify', '--vkey', vkey(), '--anchor', join(files, 'anchored'))
  expect(stdout).toMatch(/^good: \d+ leaves of 127\.0\.0\.1:\d+\/t\/acme\/log, \d+ events, 1 earlier checkpoints\n$/)
  expect(code).toBe(0)
  expect(stderr).not.toContain('s3://bucket/checkpoints')
  expect((await audit('verify')).code).toBe(0)
})

test('verify --aws compares with every checkpoint in the locked bucket, not the last alone, and with none of another tenant', async () => {
  aws.objects.set(`${archiveBucket(aws.cloud)}/${anchoredKey('acmeold', 2)}`, 'of another tenant')
  aws.objects.set(anchored(2), signed(2, Buffer.alloc(32, 7)))
  expect(await audit('verify')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\(forked\), first at index 0\n/),
  })
  aws.objects.set(anchored(2), 'no checkpoint at all')
  expect(await audit('verify')).toMatchObject({ code: 1, stdout: expect.stringMatching(/\(checkpoint_invalid\)/) })
  aws.objects.delete(anchored(2))
  aws.objects.set(anchored(999), signed(999, Buffer.alloc(32, 7)))
  expect(await audit('verify')).toMatchObject({ code: 1, stdout: expect.stringMatching(/\(truncated\)/) })
  aws.objects.delete(anchored(999))
})

test('verify --aws without the bucket is no verification, and what only the log says is anchored is said', async () => {
  aws.faults.inject([{ action: 's3:ListObjectsV2', percent: 100, kind: 'error', status: 503 }])
  const { code, stdout, stderr } = await personAt(() => aws).runAs(
    'mintmark-operator',
    'audit',
    'verify',
    '--tenant',
    'acme',
    '--aws',
  )
  aws.faults.inject([])
  expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining('the locked bucket does not answer')])
  const { size, note } = (await createPublicLog(log(), nodeSha256).checkpoint('acme'))!
  aws.objects.delete(anchored(size))
  expect((await audit('verify')).stderr).toContain(
    `that s3://bucket/checkpoints has size ${size} is the log's own word`,
  )
  aws.objects.set(anchored(size), note)
})

test('a log written anew from its records, with the log key, is shown by the locked bucket and by nothing else', async () => {
  const rows = (await client.send(new ScanCommand({ TableName: LOG_TABLE }))).Items!
  const remove = async (all: readonly Item[]) => {
    for (const { pk, sk } of all)
      await client.send(new DeleteItemCommand({ TableName: LOG_TABLE, Key: { pk: pk!, sk: sk! } }))
  }
  await remove(rows)
  await appendOld()
  const { size } = (await createPublicLog(log(), nodeSha256).checkpoint('acme'))!
  const note = aws.objects.get(anchored(size))!
  expect(await audit('verify', '--vkey', vkey())).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\(forked\), first at index 0\n/),
  })
  aws.objects.delete(anchored(size))
  expect(await audit('verify', '--vkey', vkey())).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('no anchor'),
  })
  aws.objects.set(anchored(size), note)
  await remove((await client.send(new ScanCommand({ TableName: LOG_TABLE }))).Items!)
  for (const Item of rows) await client.send(new PutItemCommand({ TableName: LOG_TABLE, Item }))
})

test('verify --aws names the event whose record says something else, or is gone', async () => {
  const { record, guard } = second
  const other = grantItem({ ...second, record: { ...record, grant: 'another' } }, 'mark')
  await withRow(CORE_TABLE, grantKey('acme', guard), other, async () => {
    expect(await audit('verify')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^BAD: .* \(record_differs\), first at index \d+\n/),
    })
  })
  await withRow(CORE_TABLE, grantKey('acme', guard), null, async () => {
    const { code, stdout } = await audit('verify', '--json')
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { ok: false, bad: { problem: 'record_missing' } }])
  })
})

test('verify --aws names events that are gone, and a log that is behind what was anchored', async () => {
  await withRow(LOG_TABLE, logEventsKey('acme', 0), null, async () => {
    expect((await audit('verify')).stdout).toMatch(/\(event_missing\), first at index 0\n/)
  })
  writeFileSync(join(files, 'ahead'), signed(999, Buffer.alloc(32, 7)))
  expect((await audit('verify', '--anchor', join(files, 'ahead'))).stdout).toMatch(/\(truncated\)/)
})

test('verify --aws names records and outcomes without a leaf, but for those so young that they may be on their way', async () => {
  const grants = createGrantStore(core())
  const [lost, halfLost, young] = [putOf(7000, 'lost'), putOf(6000, 'half'), putOf(0, 'young')]
  for (const put of [lost, halfLost, young]) await grants.put(put)
  await grants.putNotIssued(sampleNotIssued(halfLost))
  await append([{ kind: 'grant', record: halfLost.record }])
  await checkpoint()
  const { code, stdout } = await audit('verify', '--json')
  const report = JSON.parse(stdout) as { bad: unknown; recordsWithoutLeaf: string[] }
  expect([code, report.bad]).toEqual([1, null])
  expect(report.recordsWithoutLeaf).toHaveLength(2)
  expect(report.recordsWithoutLeaf).toContain(lost.record.decisionId)
  expect(report.recordsWithoutLeaf.join()).toContain(halfLost.record.decisionId)
})

/** What has rows beside grants, each once, hours ago; the ids of events that the log owes of it; and what denials are of. */
const doAll = async () => {
  const atSeconds = NOW - 4 * 3600
  const order = sampleOrder({ orderedAtSeconds: atSeconds })
  const revocations = createRevocationStore(core())
  await revocations.put(sampleRevocation({ ...order.selectors[0], atSeconds }), order.id)
  await createAppliedOrders(core()).put({ v: 1, order, by: 'uid:1000', revocations: ['r'], atSeconds })
  const block = await revocations.put(sampleRevocation({ id: randomUUID(), value: 'lifted', atSeconds }))
  await revocations.lift({ tenant: 'acme', id: block.id, by: 'alice', reason: 'rebuilt', atSeconds })
  const configs = createTenantConfigStore(core())
  for (const version of [1, 2])
    await configs.put(sampleConfig({ version, digest: `digest-${version}`, appliedAtSeconds: atSeconds }))
  const keys = createSigningKeyStore(core())
  await keys.insert(sampleKey({ createdAtSeconds: atSeconds }))
  await keys.move('acme', 'kid-1', 'prepared', 'active', atSeconds)
  await createLookUps(core()).tell({ tenant: 'acme', decisionId: randomUUID(), by: 'alice', atSeconds })
  const [looked] = await createControlRecords(core()).lookUps('acme', hourOf(atSeconds))
  const lookUp = (looked as { readonly change: { readonly id: string } }).change.id
  const denial = sampleDenial({ atSeconds }, 'signature_invalid')
  const [minute, listed] = [Math.floor(atSeconds / 60), [randomUUID()]]
  const counted = { id: randomUUID(), tenant: 'acme', minute, kind: 'replayed', source: '192.0.2.1', count: 2 }
  const denials: AuditEntry[] = [
    { kind: 'denial', denial },
    { kind: 'roll_up', rollUp: { ...counted, listed, unlisted: 1 } },
  ]
  await createDenialRecords(log()).keep('acme', denials)
  return {
    owed: [order.id, block.id, 'config.1', 'config.2', 'key.kid-1.prepared', 'key.kid-1.active', lookUp],
    denials,
    rows: {
      'the order': [CORE_TABLE, appliedOrderKey('acme', order.id)],
      'the key': [CORE_TABLE, signingKeyKey('acme', 'kid-1')],
      'the denial': [LOG_TABLE, logDenialKey('acme', denial.decisionId)],
    } as const,
  }
}

test('verify --aws names what was done and has no leaf, and events whose row is gone or says something else, by more than grants', async () => {
  const { owed, denials, rows } = await doAll()
  const report = JSON.parse((await audit('verify', '--json')).stdout) as { bad: unknown; recordsWithoutLeaf: string[] }
  expect(report.bad).toBeNull()
  expect(report.recordsWithoutLeaf).toEqual(expect.arrayContaining(owed))
  const ports = {
    records: createHourlyRecords(core()),
    control: createControlRecords(core()),
    store: createTenantLog(log(), nodeSha256),
    retention: { expired: async () => null },
    clock: { nowSeconds: () => NOW },
  }
  await append([...(await unloggedOfAll(ports, 'acme')).map(({ entry }) => entry), ...denials])
  await checkpoint()
  expect(await audit('verify')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^good: /) })
  // Of the other kinds test/aws/audit-repair.test.ts tries it.
  for (const [what, [table, key]] of Object.entries(rows))
    await withRow(table, key, null, async () => {
      expect((await audit('verify')).stdout, `${what} is gone`).toMatch(/\(record_missing\), first at index \d+\n/)
    })
  const [table, key] = rows['the order']
  const row = (await getItem(await begin(tableOf(table, client, 60_000), 'acme'), key))!
  const body = { S: row['body']!.S!.replace('runner compromised', 'nothing at all') }
  await withRow(table, key, { ...row, body }, async () => {
    expect((await audit('verify')).stdout).toMatch(/\(record_differs\), first at index \d+\n/)
  })
})

test('search, tail, export and prove --aws read the same log, and what export and prove gave is verified without AWS', async () => {
  const { decisionId } = first.record
  const found = await audit('search', '--decision', decisionId, '--json')
  expect([found.code, found.stdout]).toEqual([0, expect.stringContaining(decisionId)])
  expect((await audit('tail', '--lines', '1')).stdout.trimEnd().split('\n')).toHaveLength(1)
  const out = join(files, 'export')
  expect((await audit('export', '--out', out)).code).toBe(0)
  const verify = (from: string) =>
    persistAs('mintmark-operator', 'audit', 'verify', '--tenant', 'acme', '--from', from, '--vkey', vkey())
  expect(await verify(out)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^good: /) })
  const proof = await audit('prove', decisionId)
  expect(proof.code).toBe(0)
  const receipt = join(files, 'receipt.json')
  writeFileSync(receipt, proof.stdout)
  expect(await verify(receipt)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^good: the event is leaf /) })
})

test('the audit commands are nothing for another role, and there is no log of a tenant that has none', async () => {
  const refused = await personAt(() => aws).runAs('mintmark-apply', 'audit', 'verify', '--tenant', 'acme', '--aws')
  expect(refused).toMatchObject({ code: 3, stdout: '' })
  expect(refused.stderr).not.toMatch(/arn:|AccessDenied/)
  const none = await persistAs('mintmark-operator', 'audit', 'search', '--tenant', 'globex', '--aws')
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('there is no log of a tenant "globex"')])
})
