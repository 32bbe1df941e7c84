// Logs compared with their records by the hour: what has no leaf is appended under an alarm, once, and no hour is passed over.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import type { AuditEntry } from '../../../lib/domain/audit-entry.ts'
import type { GrantRecord } from '../../../lib/domain/grant-record.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import type { KeyState } from '../../../lib/domain/signing-key.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { hourOf } from '../../../lib/flows/audit/find-unlogged.ts'
import { repairLogs } from '../../../lib/flows/audit/repair-logs.ts'
import type { NumberedChange } from '../../../lib/ports/control-records.ts'
import type { RecordedAllow } from '../../../lib/ports/decisions.ts'
import {
  NOW_SECONDS,
  sampleKey,
  sampleNotIssued,
  samplePut,
  sampleRecord,
  sampleRevocation,
} from '../../contract/sample-rows.ts'
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
  const numbers = new Map<string, number>()
  const changes: NumberedChange[] = []
  const moves: AuditEntry[] = []
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
    control: {
      async changes(tenant: string, series: string, after: number, max: number) {
        looked.push(`${tenant} ${series} ${after}`)
        state.ms += 1000
        if (state.broken === `${tenant} ${series}`) throw new Unavailable('store_unavailable')
        return series === 'revocation' ? changes.filter(({ number }) => number > after).slice(0, max) : []
      },
      entries: async () => new Map(),
      keyMoves: async () => moves,
      lookUps: async () => [],
    },
    store,
    retention: { expired: async () => null },
    list: {
      compared: async () =>
        [...until].map(([tenant, nextHour]) => ({
          tenant,
          nextHour,
          document: 0,
          revocation: numbers.get(tenant) ?? 0,
        })),
      comparedUntil: async (tenant: string, nextHour: number) => void until.set(tenant, nextHour),
      comparedChanges: async (tenant: string, _: string, number: number) => void numbers.set(tenant, number),
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
    (await store.leaves(tenant, 0, 1_000)).map(({ canonical }) => JSON.parse(canonical).metadata.uid as string)
  /** One more lift, `secondsAgo`. */
  const lift = (secondsAgo: number): string => {
    const [id, atSeconds] = [randomUUID(), NOW_SECONDS - secondsAgo]
    const { kind, issuer, value, by, reason } = sampleRevocation()
    const change = {
      what: 'unblock',
      id,
      tenant: 'acme',
      atSeconds,
      revocation: id,
      kind,
      issuer,
      value,
      by,
      reason,
    } as const
    changes.push({ number: changes.length + 1, owes: { id, atSeconds, entry: { kind: 'change', change } } })
    return id
  }
  const hours = () => looked.filter((look) => /^\w+ -?\d+$/.test(look))
  return { ports, kept, until, numbers, moves, alarms, looked, hours, state, put, lift, uids }
}
const hoursAgo = (hours: number) => NOW_SECONDS - hours * 3600

test('a record without a leaf is appended under an alarm, one that has its leaf is not, and no hour is compared twice', async () => {
  const { ports, alarms, hours, put, uids } = open()
  const logged = put({ atSeconds: hoursAgo(2) })
  await ports.log.append('acme', [{ kind: 'grant', record: logged }])
  const before = await uids()
  const lost = put({ atSeconds: hoursAgo(2) })
  await repairLogs(ports)
  expect(alarms).toEqual([{ kind: 'record_unlogged', tenant: 'acme', count: 1 }])
  const after = await uids()
  expect(after.slice(0, before.length)).toEqual(before)
  expect(after.slice(before.length)).toContain(lost.decisionId)
  expect(hours()).toEqual(['acme -3', 'acme -2', 'acme -1'])
  await repairLogs(ports)
  expect(hours()).toHaveLength(3)
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
  const { ports, state, hours } = open()
  state.nowSeconds = NOW_HOUR * 3600 + LIMITS.logOwedAfterSeconds - 1
  await repairLogs(ports)
  expect(hours().at(-1)).toBe('acme -2')
  state.nowSeconds += 1
  await repairLogs(ports)
  expect(hours().at(-1)).toBe('acme -1')
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

test('more logs than are looked at side by side all have their turn, and no more than so many at once', async () => {
  const { ports, until, hours } = open()
  until.clear()
  const tenants = Array.from({ length: 3 * LIMITS.repairTenantsAtOnce }, (_, at) => `tenant${at}`)
  for (const tenant of tenants) until.set(tenant, NOW_HOUR - 1)
  ports.clock.monotonicMs = () => 0
  let [now, most] = [0, 0]
  ports.control.keyMoves = async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise(setImmediate)
    now -= 1
    return []
  }
  await repairLogs(ports)
  expect(hours().toSorted()).toEqual(tenants.map((tenant) => `${tenant} -1`).toSorted())
  expect(most).toBe(LIMITS.repairTenantsAtOnce)
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

test('changes are looked for by number, page by page, up to the first that may be on its way, and none twice', async () => {
  const { ports, numbers, alarms, lift, uids, state, until } = open()
  const lost = Array.from({ length: LIMITS.changesPerCompare + 3 }, () => lift(2 * 3600))
  const young = lift(LIMITS.logOwedAfterSeconds - 1)
  lift(2 * 3600)
  await repairLogs(ports)
  expect(numbers.get('acme')).toBe(lost.length)
  expect(await uids()).toEqual(lost)
  expect(alarms).toMatchObject([{ count: LIMITS.changesPerCompare }, { count: 3 }])
  state.nowSeconds += 3600
  until.set('acme', hourOf(state.nowSeconds) - 1)
  await repairLogs(ports)
  expect((await uids()).slice(lost.length)).toHaveLength(2)
  expect((await uids())[lost.length]).toBe(young)
})

test('a run that ends among changes goes on with the next number an hour later', async () => {
  const { ports, numbers, state, until, lift } = open()
  for (let at = 0; at < 60 * LIMITS.changesPerCompare; at += 1) lift(2 * 3600)
  ports.log = { append: async () => undefined }
  await repairLogs(ports)
  const first = numbers.get('acme')!
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(60 * LIMITS.changesPerCompare)
  ;[state.ms, state.nowSeconds] = [0, NOW_SECONDS + 3600]
  until.set('acme', hourOf(state.nowSeconds) - 1)
  await repairLogs(ports)
  expect(numbers.get('acme')).toBe(60 * LIMITS.changesPerCompare)
})

test('changes that cannot be read hold up no hour of records, and the run says that it failed', async () => {
  const { ports, until, state, put, uids } = open()
  const lost = put({ atSeconds: hoursAgo(2) })
  state.broken = 'acme revocation'
  await expect(repairLogs(ports)).rejects.toMatchObject({ kind: 'store_unavailable' })
  expect(until.get('acme')).toBe(NOW_HOUR)
  expect(await uids()).toContain(lost.decisionId)
})

test('moves of keys are looked for from the first hour that was not compared, however long ago that is', async () => {
  const { ports, moves, until, uids } = open()
  const move = (state: KeyState, atSeconds: number): AuditEntry => {
    const { tenant, kid, alg, use } = sampleKey()
    return {
      kind: 'change',
      change: { what: 'key', id: `key.${kid}.${state}`, tenant, atSeconds, kid, alg, use, state },
    }
  }
  moves.push(move('prepared', hoursAgo(1000)), move('active', hoursAgo(900)))
  until.set('acme', NOW_HOUR - 950)
  await repairLogs(ports)
  expect(await uids()).toEqual(['key.kid-1.active'])
})
