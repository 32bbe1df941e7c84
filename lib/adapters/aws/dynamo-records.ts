// Grant records by decision id, and the newest of a tenant. Both go by the row that says where a record lies, which is durable
// before anything is signed: a look-up sees every record whose credential is in somebody's hands. Strong reads, no index.
import type { GrantEntry } from '../../domain/audit-entry.ts'
import { UUID, whole } from '../../domain/names.ts'
import type { Clock } from '../../ports/clock.ts'
import type {
  DecisionLookup,
  GrantRecords,
  HourlyRecords,
  RecentRecords,
  RecordedAllow,
} from '../../ports/decisions.ts'
import { readGrantItem, readOutcomeItem } from './dynamo-grant-rows.ts'
import {
  begin,
  type Call,
  getItem,
  getItems,
  type Item,
  nameOf,
  queryPage,
  type Table,
  textOf,
} from './dynamo-request.ts'
import { decisionKey, decisionPartition, grantKey, hoursSince, outcomeKey } from './table-keys.ts'

const DECISION_ID = whole(UUID)

/** Allows only, of the tenant that is named. `otherwise`: who knows of denials, which have no record. */
export const createRecordLookup = (table: Table, otherwise?: DecisionLookup): DecisionLookup => ({
  async find(decisionId, tenant) {
    if (tenant === null || !DECISION_ID.test(decisionId)) return null
    const call = await begin(table, tenant)
    const place = await getItem(call, decisionKey(tenant, decisionId))
    const found = place === null ? undefined : (await recordsAt(call, tenant, [place])).get(decisionId)
    return found ?? (await otherwise?.find(decisionId, tenant)) ?? null
  },
})

/** Rows of one BatchGetItem: a record and its outcome each. */
const PAGE = 50

export const createHourlyRecords = (table: Table): HourlyRecords => ({
  async *ofHour(tenant, hour) {
    let beyond: string | undefined
    do {
      const call = await begin(table, tenant)
      const pk = decisionPartition(tenant, hour)
      const page = { pk, isNewestFirst: true, limit: PAGE, ...(beyond === undefined ? {} : { beyond }) }
      const places = await queryPage(call, page)
      yield [...(await recordsAt(call, tenant, places)).values()]
      const last = places.at(-1)
      beyond = places.length < PAGE || last === undefined ? undefined : textOf(last, 'sk')
    } while (beyond !== undefined)
  },
})

export const createRecentRecords = (table: Table, clock: Pick<Clock, 'nowSeconds'>): RecentRecords => ({
  async *since(tenant, sinceSeconds) {
    const records = createHourlyRecords(table)
    // Ids may come from a clock that is ahead of ours.
    for (const hour of hoursSince(sinceSeconds, clock.nowSeconds() + LEAD_SECONDS))
      for await (const page of records.ofHour(tenant, hour))
        for (const { record, notIssued } of page)
          if (record.atSeconds >= sinceSeconds) yield { record, notIssued: notIssued !== null }
  },
})

/** Of allows that are told apart from what else has an id. */
export const createGrantRecords = (table: Table): GrantRecords => ({
  async of(tenant, decisionIds) {
    const ids = decisionIds.filter((id) => DECISION_ID.test(id))
    const records = new Map<string, GrantEntry>()
    for (let at = 0; at < ids.length; at += PAGE) {
      const call = await begin(table, tenant)
      const keys = ids.slice(at, at + PAGE).map((id) => decisionKey(tenant, id))
      const found = await recordsAt(call, tenant, [...(await getItems(call, keys)).values()])
      for (const [id, { record }] of found) records.set(id, { kind: 'grant', record })
    }
    return records
  },
})

const LEAD_SECONDS = 60

/** By decision id, in the order of the places. A place whose redemption was somebody else's has no record. */
const recordsAt = async (
  call: Call,
  tenant: string,
  places: readonly Item[],
): Promise<ReadonlyMap<string, RecordedAllow>> => {
  const wanted = places.map((place) => ({ decisionId: textOf(place, 'sk'), guard: textOf(place, 'guard') }))
  const keys = wanted.flatMap(({ guard }) => [grantKey(tenant, guard), outcomeKey(tenant, guard)])
  const rows = keys.length === 0 ? new Map<string, Item>() : await getItems(call, keys)
  return new Map(
    wanted.flatMap(({ decisionId, guard }): [string, RecordedAllow][] => {
      const row = rows.get(nameOf(grantKey(tenant, guard)))
      const record = row === undefined ? null : readGrantItem(row)
      if (record?.decisionId !== decisionId) return []
      const outcome = rows.get(nameOf(outcomeKey(tenant, guard)))
      return [
        [decisionId, { kind: 'allow', record, notIssued: outcome === undefined ? null : readOutcomeItem(outcome) }],
      ]
    }),
  )
}
