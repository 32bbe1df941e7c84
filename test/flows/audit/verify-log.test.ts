// A log that is verified in stretches, by a crew that answers in any order, against the same in one go.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NotAnEvent } from '../../../lib/domain/ocsf/map-entry.ts'
import type { NoteKey } from '../../../lib/domain/tlog/signed-note.ts'
import { checkLeaves, linkBefore } from '../../../lib/flows/audit/check-leaves.ts'
import { type Crew, verifyLog } from '../../../lib/flows/audit/verify-log.ts'
import type { LogSource, StoredLeaf } from '../../../lib/ports/tenant-log.ts'
import { makeLongLog, VERIFY_UNSIGNED } from '../../support/long-log.ts'
import { openAudit } from '../../support/tree-log.ts'

const PORTS = VERIFY_UNSIGNED
const LEAVES = 5_000
/** Where one stretch ends and the next begins. */
const SEAM = 2_048

const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-verify-'))
const audit = openAudit(dataDir)
afterAll(() => {
  audit.close()
  rmSync(dataDir, { recursive: true })
})

let source: LogSource
let key: NoteKey

beforeAll(async () => {
  ;({ source, key } = await makeLongLog(audit, LEAVES))
})

/** What is good alone is answered before what is not, and the last before the first. */
const crewOf = (question: Parameters<typeof checkLeaves>[1]): Crew => ({
  atOnce: 3,
  async check(stretch, expired) {
    await sleep(20 - stretch.start / 500)
    const before = await linkBefore(PORTS.hashes, question, stretch.start)
    return checkLeaves(PORTS.hashes, { ...question, expired }, stretch, before)
  },
})

const bothWays = async (tampered: LogSource) => {
  const question = { source: tampered, keys: [key], tenant: 'acme', earlier: [] }
  const alone = await verifyLog(PORTS, question)
  expect(await verifyLog(PORTS, { ...question, crew: crewOf({ ...question, expired: 0 }) })).toEqual(alone)
  return alone
}

/** `change`: null drops the leaf. */
const withLeaf = (at: readonly number[], change: (leaf: StoredLeaf) => StoredLeaf | null): LogSource => ({
  ...source,
  leaves: async (from, limit) =>
    (await source.leaves(from, limit))!.flatMap((leaf) => (at.includes(leaf.index) ? (change(leaf) ?? []) : leaf)),
})
const altered = (leaf: StoredLeaf) => ({ ...leaf, canonical: leaf.canonical.replace('Mintmark', 'Mintmork') })

test('a whole log is good, whoever verifies it', async () => {
  expect(await bothWays(source)).toMatchObject({ good: LEAVES, events: LEAVES, bad: null })
})

test.each([0, 255, 256, SEAM - 1, SEAM, SEAM + 1, LEAVES - 1])('an altered event is named: %i', async (index) => {
  expect((await bothWays(withLeaf([index], altered))).bad).toEqual({ problem: 'event_altered', index })
})

test('a dropped event at a seam is missed where it was, not by the stretch that begins behind it', async () => {
  const { bad } = await bothWays(withLeaf([SEAM - 1], () => null))
  expect(bad).toEqual({ problem: 'event_missing', index: SEAM - 1 })
})

test('of many flaws the first is named, though a later one is found sooner', async () => {
  const flaws = [LEAVES - 1, SEAM + 7, SEAM - 3, SEAM + 6]
  expect(await bothWays(withLeaf(flaws, altered))).toMatchObject({
    good: SEAM - 3,
    bad: { problem: 'event_altered', index: SEAM - 3 },
  })
})

test('a source that fails behind a flaw does not hide it, and in front of it there is no answer', async () => {
  const failing = (from: number, tampered: LogSource): LogSource => ({
    ...tampered,
    leaves: async (at, limit) => {
      if (at >= from && at < from + SEAM) throw new Error('unreadable')
      return tampered.leaves(at, limit)
    },
  })
  const { bad } = await bothWays(failing(SEAM, withLeaf([3], altered)))
  expect(bad).toEqual({ problem: 'event_altered', index: 3 })
  await expect(bothWays(failing(SEAM, withLeaf([LEAVES - 1], altered)))).rejects.toThrow('unreadable')
})

test('a record no event can be made of does not hide an event that was altered', async () => {
  const againstRecords = async () => ({
    draftOf: () => {
      throw new NotAnEvent({ cause: 'a row of another version' })
    },
    check: async () => null,
  })
  const question = { source: withLeaf([5], altered), keys: [key], tenant: 'acme', earlier: [], againstRecords }
  expect((await verifyLog(PORTS, question)).bad).toEqual({ problem: 'event_altered', index: 5 })
})
