// Events of orders, lifts, documents, keys, look-ups and denials against the rows they were made from, by what the events say of them.
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../lib/adapters/system/digest.ts'
import type { AuditEntry } from '../../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { headOfEvent } from '../../../lib/domain/ocsf/event-head.ts'
import { draftsOf } from '../../../lib/domain/ocsf/map-entry.ts'
import { chained } from '../../../lib/domain/ocsf/record-integrity.ts'
import { agreesWithSource, bothAgree } from '../../../lib/flows/audit/agree-with-sources.ts'
import type { EventSource } from '../../../lib/ports/control-records.ts'
import type { StoredLeaf } from '../../../lib/ports/tenant-log.ts'
import { NOW_SECONDS } from '../../contract/sample-rows.ts'
import { SAMPLE_ENTRIES, SAMPLE_PLACE } from '../../support/audit-entries.ts'

const at = { chain: 'sts.example.com/t/acme/log', authority: SAMPLE_PLACE.issuerUrl, before: null }
const leavesOf = (entry: AuditEntry): readonly StoredLeaf[] =>
  draftsOf(entry, SAMPLE_PLACE, () => null).map((draft, index) => {
    const { canonical } = chained(draft.unsigned({ ...at, sequence: index }), draft, sha256Hex)
    return { index, salt: new Uint8Array(32), canonical }
  })

/** What is asked of the rows, and what comes of it when they say this of each that is asked. */
const ask = async (leaves: readonly StoredLeaf[], said: AuditEntry | 'later' | null, nowSeconds = NOW_SECONDS) => {
  const asked: EventSource[] = []
  const sources = {
    async of(_: string, names: readonly EventSource[]) {
      asked.push(...names)
      return new Map(said === null ? [] : names.map(({ uid }) => [uid, said] as const))
    },
  }
  const { check } = await agreesWithSource(sources, 'acme', nowSeconds)(leaves)
  const problems = []
  for (const { canonical } of leaves) problems.push(await check({ canonical, head: headOfEvent(canonical) }))
  return { asked, problems }
}

const KEPT = {
  revocation: 'order',
  unblock: 'lift',
  config: 'document',
  removal: 'removal',
  'key-active': 'key',
  'key-tainted': 'key',
  'look-up': 'look_up',
  denial: 'denial',
  'denial-replay': 'denial',
  'denial-forgery': 'denial',
} as const

describe.each(Object.entries(KEPT))('an event of %s', (name, kind) => {
  const entry = SAMPLE_ENTRIES[name]!
  const leaves = leavesOf(entry)

  test('is held against its row: what that says still, what is not there, what says something else', async () => {
    const { asked, problems } = await ask(leaves, entry)
    expect(asked.map((source) => source.kind)).toEqual(leaves.map(() => kind))
    expect(problems).toEqual(leaves.map(() => null))
    expect((await ask(leaves, null)).problems).toEqual(leaves.map(() => 'record_missing'))
    expect((await ask(leaves, 'later')).problems).toEqual(leaves.map(() => null))
  })

  test('that was altered is told, and what it says of its own row is all that it is asked by', async () => {
    const other = leaves.map((leaf) => ({
      ...leaf,
      canonical: leaf.canonical.replace('"message":"', '"message":"not '),
    }))
    expect((await ask(other, entry)).problems).toEqual(leaves.map(() => 'record_differs'))
  })
})

describe('an event that a log committed to before', () => {
  const OPERATOR = { uid: 'spiffe://acme.example/ops/ada', jti: 'b7e6c1f0' }
  const { uid, jti } = OPERATOR
  const by = `${uid} ${jti}`
  const ordered = SAMPLE_ENTRIES['revocation'] as Extract<AuditEntry, { kind: 'revocation' }>
  const counted = SAMPLE_ENTRIES['roll-up']!
  const written = (entry: AuditEntry, [now, then]: readonly [now: string, then: string]): readonly StoredLeaf[] =>
    leavesOf(entry).map((leaf) => {
      expect(leaf.canonical).toContain(now)
      return { ...leaf, canonical: leaf.canonical.replace(now, then) }
    })

  test('names its operator and the token as one: the row says so still', async () => {
    const entry = { ...ordered, applied: { ...ordered.applied, by } }
    const now = `"session":{"uid":"${jti}"},"user":{"name":"${uid}","type":"Admin","type_id":2,"uid":"${uid}"}`
    const whole = (id: string) => `"user":{"name":"${id}","type":"Admin","type_id":2,"uid":"${id}"}`
    expect((await ask(written(entry, [now, whole(by)]), entry)).problems).toEqual([null])
    expect((await ask(written(entry, [now, whole(`${uid} another`)]), entry)).problems).toEqual(['record_differs'])
  })

  test('tells a count at the end of its minute', async () => {
    const [{ canonical }] = leavesOf(counted) as [StoredLeaf]
    const time = Number(/"time":(\d+)/.exec(canonical)?.[1])
    const at = (ms: number) => written(counted, [`"time":${time}`, `"time":${ms}`])
    expect((await ask(at(time + 59_000), counted)).problems).toEqual([null])
    expect((await ask(at(time + 58_000), counted)).problems).toEqual(['record_differs'])
  })
})

test('what an event says of its row is enough to find it', async () => {
  const { asked } = await ask(
    ['revocation', 'unblock', 'config', 'key-tainted', 'denial-replay'].flatMap((name) =>
      leavesOf(SAMPLE_ENTRIES[name]!),
    ),
    null,
  )
  const [order, lift, document, key, denial, finding] = asked
  const [id, other] = [order!.uid, lift!.uid]
  expect(lift).toMatchObject({ selector: { kind: 'project', issuer: 'github', value: '7654321' } })
  expect(document).toEqual({ kind: 'document', uid: other, version: 2 })
  expect(key).toMatchObject({ kid: 'kid-1', state: 'tainted' })
  expect([denial, finding]).toMatchObject([
    { uid: other, decisionId: other },
    { uid: `${other}.finding`, decisionId: other },
  ])
  expect(id).not.toBe(other)
})

test.each(['grant', 'not-issued', 'erasure', 'receiver-has', 'receiver-has-not', 'recovery', 'key-order'])(
  'an event of %s has no row that stays here: nothing is asked',
  async (name) => {
    const { asked, problems } = await ask(leavesOf(SAMPLE_ENTRIES[name]!), null)
    expect(asked).toEqual([])
    expect(new Set(problems)).toEqual(new Set([null]))
  },
)

test('a count has a row where it lists decisions, and only there', async () => {
  const entry = SAMPLE_ENTRIES['roll-up'] as Extract<AuditEntry, { kind: 'roll_up' }>
  expect((await ask(leavesOf(entry), null)).problems).toEqual(['record_missing'])
  const { asked } = await ask(
    leavesOf({ ...entry, rollUp: { ...entry.rollUp, listed: [], unlisted: entry.rollUp.count } }),
    null,
  )
  expect(asked).toEqual([])
})

test('a look-up has a row for seven days', async () => {
  const leaves = leavesOf(SAMPLE_ENTRIES['look-up']!)
  expect((await ask(leaves, null, NOW_SECONDS + LIMITS.recordKeepSeconds)).problems).toEqual([null])
})

test('a lift of a value that looks like a token is not held against a row: the event does not have the value', async () => {
  const lift = SAMPLE_ENTRIES['unblock'] as Extract<AuditEntry, { kind: 'change' }>
  const entry = { ...lift, change: { ...lift.change, value: 'eyJhbGciOiJFUzI1NiJ9.e30.x' } as typeof lift.change }
  expect((await ask(leavesOf(entry), null)).asked).toEqual([])
})

test('what is no event at all is left to who checks the event', async () => {
  expect((await ask([], null)).asked).toEqual([])
  const leaf = { index: 0, salt: new Uint8Array(32), canonical: 'no event' }
  const { check } = await agreesWithSource({ of: async () => new Map() }, 'acme', NOW_SECONDS)([leaf])
  const head = { metadata: { uid: 'x' } } as never
  expect(await check({ canonical: leaf.canonical, head })).toBeNull()
})

test('of two that are asked the problem counts that either finds, and the text that either can write anew', async () => {
  const draft = { uid: 'drafted' } as never
  const one = async () => ({ draftOf: () => null, check: async () => null })
  const other = async () => ({ draftOf: () => draft, check: async () => 'record_differs' as const })
  const all = await bothAgree(one, other)([])
  expect(all.draftOf({} as never, '')).toBe(draft)
  expect(await all.check({} as never)).toBe('record_differs')
  expect(await (await bothAgree(one, one)([])).check({} as never)).toBeNull()
})
