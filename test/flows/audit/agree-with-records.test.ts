// Events of a grant against the record they were made from: both of them, in text and in meaning.
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../lib/adapters/system/digest.ts'
import type { GrantEntry } from '../../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { headOfEvent } from '../../../lib/domain/ocsf/event-head.ts'
import { draftsOf } from '../../../lib/domain/ocsf/map-entry.ts'
import { chained } from '../../../lib/domain/ocsf/record-integrity.ts'
import { agreesWithRecord } from '../../../lib/flows/audit/agree-with-records.ts'
import { SAMPLE_PLACE, SAMPLE_RECORD } from '../../support/audit-entries.ts'

const { tenant, decisionId, atSeconds } = SAMPLE_RECORD
const entry: GrantEntry = { kind: 'grant', record: SAMPLE_RECORD }
const at = { sequence: 0, chain: 'sts.example.com/t/acme/log', authority: SAMPLE_PLACE.issuerUrl, before: null }
const leaves = draftsOf(entry, SAMPLE_PLACE, () => null).map((draft, index) => {
  const { canonical } = chained(draft.unsigned({ ...at, sequence: index }), draft, sha256Hex)
  return { index, uid: draft.uid, salt: new Uint8Array(32), canonical }
})

const against = (kept: readonly GrantEntry[], nowSeconds = atSeconds) => {
  const of = async (_: string, ids: readonly string[]) =>
    new Map(kept.filter(({ record }) => ids.includes(record.decisionId)).map((one) => [one.record.decisionId, one]))
  return agreesWithRecord({ of }, tenant, nowSeconds)
}
const check = async (canonical: string, kept: readonly GrantEntry[] = [entry], nowSeconds?: number) =>
  (await against(kept, nowSeconds)([])).check({ canonical, head: headOfEvent(canonical) })

describe('events of a grant and its record', () => {
  test('there are two, and each is given by the record under its own id, which no other event has', async () => {
    const { draftOf } = await against([entry])(leaves)
    expect(leaves.map((leaf) => draftOf(leaf, SAMPLE_PLACE.issuerUrl)?.uid)).toEqual([
      decisionId,
      `${decisionId}.scope`,
    ])
    expect(draftOf({ ...leaves[0]!, uid: `${decisionId}.finding` }, SAMPLE_PLACE.issuerUrl)).toBe(null)
  })

  test.each([
    ['the credential', 0, SAMPLE_RECORD.credential.aud],
    ['its scopes', 1, SAMPLE_RECORD.credential.scope.split(' ')[0]!],
  ])('one of %s that says something else is told, whatever id the store has for it', async (_, index, said) => {
    const { canonical } = leaves[index]!
    expect(await check(canonical)).toBe(null)
    expect(await check(canonical.replaceAll(said, `${said}x`))).toBe('record_differs')
  })

  test('one whose record is gone is told, as long as records are kept', async () => {
    for (const { canonical } of leaves) {
      expect(await check(canonical, [])).toBe('record_missing')
      expect(await check(canonical, [], atSeconds + LIMITS.recordKeepSeconds + 1)).toBe(null)
    }
  })
})
