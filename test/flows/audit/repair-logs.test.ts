// Logs compared with their records by the hour: what has no leaf is appended under an alarm, once, and no hour is passed over.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import type { GrantRecord } from '../../../lib/domain/grant-record.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { hourOf } from '../../../lib/flows/audit/find-unlogged.ts'
import { repairLogs } from '../../../lib/flows/audit/repair-logs.ts'
import type { RecordedAllow } from '../../../lib/ports/decisions.ts'
import { NOW_SECONDS, sampleNotIssued, samplePut, sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'

let dataDir: string
let database: Database
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mintmark-repair-'))
  database = openAudit(dataDir)
})
afterEach(() => {
  database.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const NOW_HOUR = hourOf(NOW_SECONDS)

const open = () => {
  const { log, store } = treeLogOver(database)
  const kept: RecordedAllow[] = []
  const until = new Map<string, number | null>([['acme', NOW_HOUR - 3]])
  const alarms: unknown[] = []
  const looked: string[] = []
  const state = { broken: '', nowSeconds: NOW_SECONDS, ms: 0 }
  const ports = {
    records: {
      async *ofHour(tenant: string, hour: number) {
        looked.push(`${tenant} ${hour - NOW_HOUR}`)
        state.ms += 1000
        if (state.broken === tenant) throw new Unavailable('store_unavailable')
        yield kept.filter(({ record }) => record.tenant === tenant && hourOf(record.atSeconds) === hour)
      },
    },
    store,
    retention: { expired: async () => null },
    list: {
      compared: async () => [...until].map(([tenant, nextHour]) => ({ tenant, nextHour })),
      comparedUntil: async (tenant: string, nextHour: number) => void until.set(tenant, nextHour),
    },
    log,
    alarm: (kind: string, fields: object) => void alarms.push({ kind, ...fields }),
    clock: { nowSeconds: () => state.nowSeconds, monotonicMs: () => state.ms },
  }
  const put = (over: Partial<GrantRecord>): GrantRecord => {
    const record = sampleRecord(over)
    kept.push({ kind: 'allow', record, notIssued: null })
    return record
  }
  const uids = async (tenant = 'acme') =>
    (await store.leaves(tenant, 0, 100)).map(({ canonical }) => JSON.parse(canonical).metadata.uid as string)
  return { ports, kept, until, alarms, looked, state, put, uids }
}
const hoursAgo = (hours: number) => NOW_SECONDS - hours * 3600

test('a record without a leaf is appended under an alarm, one that has its leaf is not, and no hour is compared twice', async () => {
  const { ports, alarms, looked, put, uids } = open()
  const logged = put({ atSeconds: hoursAgo(2) })
  await ports.log.append('acme', [{ kind: 'grant', record: logged }])
  const before = await uids()
  const lost = put({ atSeconds: hoursAgo(2) })
  await repairLogs(ports)
  expect(alarms).toEqual([{ kind: 'record_unlogged', tenant: 'acme', count: 1 }])
  const after = await uids()
  expect(after.slice(0, before.length)).toEqual(before)
  expect(after.slice(before.length)).toContain(lost.decisionId)
  expect(looked).toEqual(['acme -3', 'acme -2', 'acme -1'])
  await repairLogs(ports)
  expect(looked).toHaveLength(3)
})

test('an outcome that is lost is appended though its record has a leaf', async () => {
  const { ports, kept, alarms, uids } = open()
  const put = samplePut('guard', {}, { atSeconds: hoursAgo(2) })
  const { outcome } = sampleNotIssued(put)
  kept.push({ kind: 'allow', record: put.record, notIssued: { ...outcome, atSeconds: hoursAgo(2) } })
  await ports.log.append('acme', [{ kind: 'grant', record: put.record }])
  const before = (await uids()).length
  await repairLogs(ports)
  expect(alarms).toMatchObject([{ count: 1 }])
  expect((await uids()).length).toBe(before + 1)
})

test('an hour that is not over, or that records may still be on their way of, is left for a later run', async () => {
  const { ports, state, looked } = open()
  state.nowSeconds = NOW_HOUR * 3600 + LIMITS.logOwedAfterSeconds - 1
  await repairLogs(ports)
  expect(looked.at(-1)).toBe('acme -2')
  state.nowSeconds += 1
  await repairLogs(ports)
  expect(looked.at(-1)).toBe('acme -1')
})

test('a log never compared begins with the oldest hour that all records are still kept of', async () => {
  const { ports, until, looked } = open()
  until.set('acme', null)
  await repairLogs(ports)
  expect(looked[0]).toBe(`acme ${hourOf(NOW_SECONDS - LIMITS.recordKeepSeconds) + 1 - NOW_HOUR}`)
})

test('a tenant that cannot be read holds up no other, its hour stays open, and the run says that it failed', async () => {
  const { ports, until, state, put, uids } = open()
  until.set('globex', NOW_HOUR - 2)
  state.broken = 'acme'
  const lost = put({ tenant: 'globex', atSeconds: hoursAgo(1) })
  await expect(repairLogs(ports)).rejects.toMatchObject({ kind: 'store_unavailable' })
  expect(until.get('acme')).toBe(NOW_HOUR - 3)
  expect(await uids('globex')).toContain(lost.decisionId)
})

test('a run that is out of time goes on with the next one, where this one ended', async () => {
  const { ports, until, looked, state } = open()
  until.set('acme', NOW_HOUR - 100)
  await repairLogs(ports)
  const first = looked.length
  expect(first).toBe(LIMITS.repairRunMs / 1000)
  expect(until.get('acme')).toBe(NOW_HOUR - 100 + first)
  state.ms = 0
  await repairLogs(ports)
  expect(looked[first]).toBe(`acme ${first - 100}`)
})
