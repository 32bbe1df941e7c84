// events/audit holds what consumers were written against. A version of a sample is never edited: today's events may have more
// members, but what was there stays, with the same type and, where it says what kind of event it is, the same value.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../../../lib/domain/audit-entry.ts'
import type { JsonValue } from '../../../lib/domain/claims.ts'
import { eventsOf } from '../../../lib/domain/ocsf/map-entry.ts'
import { cloudEventOf } from '../../../lib/wire/cloud-event.ts'
import { SAMPLE_ENTRIES, SAMPLE_PLACE, SAMPLE_RECORD } from '../../support/audit-entries.ts'

const FOLDER = fileURLToPath(new URL('../../../events/audit/', import.meta.url))
const VERSION = 1

type Sample = { readonly entry: AuditEntry; readonly events: readonly JsonValue[] }

const today = (entry: AuditEntry): JsonValue[] =>
  eventsOf(entry, SAMPLE_PLACE, () => SAMPLE_RECORD).map((event) => cloudEventOf(event, SAMPLE_PLACE))

const fileOf = (name: string): string => `${FOLDER}${name}-v${VERSION}.json`

// `MINTMARK_NEW_SAMPLES=1` writes those that are missing; it never touches one that is there.
if (process.env['MINTMARK_NEW_SAMPLES'] === '1')
  for (const [name, entry] of Object.entries(SAMPLE_ENTRIES))
    try {
      const sample = { entry, events: today(entry) }
      writeFileSync(fileOf(name), `${JSON.stringify(sample, null, 2)}\n`, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }

/** Members by which consumers tell events apart: their values are part of the contract. */
const CONSTANT =
  /(?:^|\.)(?:type|source|specversion|dataschema|datacontenttype|status_code|[a-z_]*_uid|[a-z_]*_id|id|uid|v|count)$/

/** What an old consumer would miss or misread. */
const broken = (before: JsonValue, after: JsonValue | undefined, at = ''): string[] => {
  if (after === undefined) return [`${at} is gone`]
  if (Array.isArray(before)) {
    if (!Array.isArray(after) || after.length < before.length) return [`${at} is shorter`]
    return before.flatMap((one, index) => broken(one, after[index], `${at}[${index}]`))
  }
  if (typeof before === 'object' && before !== null) {
    if (typeof after !== 'object' || after === null || Array.isArray(after)) return [`${at} is no object`]
    return Object.entries(before).flatMap(([name, member]) =>
      broken(member, (after as Record<string, JsonValue>)[name], at === '' ? name : `${at}.${name}`),
    )
  }
  if (typeof after !== typeof before) return [`${at} has another type`]
  return CONSTANT.test(at) && after !== before ? [`${at} has another value`] : []
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

test('every kind of entry has a sample of the current version', () => {
  for (const name of Object.keys(SAMPLE_ENTRIES)) expect(files).toContain(`${name}-v${VERSION}.json`)
})

test.each(files)('a consumer of %s still reads what the same entry gives today', (name) => {
  const { entry, events } = JSON.parse(readFileSync(FOLDER + name, 'utf8')) as Sample
  const now = today(entry)
  expect(now.length).toBeGreaterThanOrEqual(events.length)
  expect(events.flatMap((event, index) => broken(event, now[index]))).toEqual([])
})

test('a member that is dropped, moved or of another type is noticed, and a new one is not', () => {
  const { entry, events } = JSON.parse(readFileSync(fileOf('grant'), 'utf8')) as Sample
  const [now] = today(entry) as [Record<string, Record<string, JsonValue>>]
  const [before] = events as [JsonValue]
  expect(broken(before, { ...now, more: 1, data: { ...now['data'], more: 1 } })).toEqual([])
  expect(broken(before, { ...now, id: 'other' })).toEqual(['id has another value'])
  expect(broken(before, { ...now, data: { ...now['data'], time: 'late' } })).toEqual(['data.time has another type'])
  const { user: _, ...userless } = now['data'] as Record<string, JsonValue>
  expect(broken(before, { ...now, data: userless })).toEqual(['data.user is gone'])
})
