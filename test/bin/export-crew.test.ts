// An export verified by threads, each of which reads a part of the file, against the same file read from its first line to its last.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startExportCrew } from '../../bin/audit/export-crew.ts'
import { createLogDirectory, openLogDirectory } from '../../lib/adapters/files/log-directory.ts'
import type { NoteKey } from '../../lib/domain/tlog/signed-note.ts'
import { tilesOf } from '../../lib/domain/tlog/tiles.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import { makeLongLog, VERIFY_UNSIGNED } from '../support/long-log.ts'
import { openAudit } from '../support/tree-log.ts'

const LEAVES = 5_000
/** Where one stretch ends and the next begins. */
const SEAM = 2_048
/** As long as a log has to be for threads. */
const LONG = 1_000_000

const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-export-crew-'))
const directory = join(dataDir, 'export')
const path = join(directory, 'events.jsonl')
const audit = openAudit(dataDir)
afterAll(() => {
  audit.close()
  rmSync(dataDir, { recursive: true })
})

let key: NoteKey
let lines: readonly string[] = []

beforeAll(async () => {
  const made = await makeLongLog(audit, LEAVES)
  key = made.key
  const out = createLogDirectory(directory)
  out.addLeaves((await made.source.leaves(0, LEAVES))!)
  for (const name of tilesOf(LEAVES)) out.putTile(name, (await made.source.tile(name))!)
  out.close(made.note, [])
  lines = readFileSync(path, 'utf8').trimEnd().split('\n')
})

const bothWays = async (changed: readonly string[], end = '\n') => {
  writeFileSync(path, changed.join('\n') + end)
  const question = () => ({ source: openLogDirectory(directory), keys: [key], tenant: 'acme', earlier: [] })
  const alone = await verifyLog(VERIFY_UNSIGNED, question())
  await using crew = startExportCrew({ kind: 'export', directory, tenant: 'acme' }, LONG)
  expect(await verifyLog(VERIFY_UNSIGNED, { ...question(), crew: crew! })).toEqual(alone)
  return alone
}

const swapped = (a: number, b: number) => lines.with(a, lines[b]!).with(b, lines[a]!)
const altered = (index: number) => lines.with(index, lines[index]!.replace('Mintmark', 'Mintmork'))
/** What nobody committed to, under an index that is there already, or another. */
const forged = (index: number, under = index) =>
  altered(index)[index]!.replace(`{"index":${index},`, `{"index":${under},`)
/** The same leaf with its members in another order. */
const reordered = (line: string) => {
  const { index, ...rest } = JSON.parse(line) as { index: number }
  return JSON.stringify({ ...rest, index })
}

/** Cut by the first, it would be a leaf of the second: it is none. */
const ofTwoIndices = (at: number, other: number) => lines[other]!.replace('{', `{"index":${at},`)

const onTwoCores = test.skipIf(availableParallelism() < 2)

onTwoCores.each([
  ['as it was written', () => lines],
  ['with empty lines', () => [...lines.toSpliced(SEAM, 0, '', ' '), '', '\r']],
  ['with lines that end as on Windows', () => lines.map((line) => `${line}\r`)],
  ['with members in another order', () => lines.map((line, at) => (at % 100 < 50 ? reordered(line) : line))],
] as const)('is good either way: %s', async (_, change) => {
  expect(await bothWays(change())).toMatchObject({ good: LEAVES, events: LEAVES, bad: null })
})

onTwoCores('is good either way where the last line has no end', async () => {
  expect(await bothWays(lines, '')).toMatchObject({ good: LEAVES, bad: null })
})

onTwoCores.each([
  ['an event altered at the end of a stretch', () => altered(SEAM - 1), 'event_altered', SEAM - 1],
  ['an event altered at the beginning of one', () => altered(SEAM), 'event_altered', SEAM],
  ['a line dropped at a seam', () => lines.toSpliced(SEAM - 1, 1), 'event_missing', SEAM - 1],
  ['a line dropped behind a seam', () => lines.toSpliced(SEAM, 1), 'event_missing', SEAM],
  ['lines of two stretches swapped', () => swapped(10, 3_000), 'event_missing', 10],
  ['lines swapped over a seam', () => swapped(SEAM - 1, SEAM), 'event_missing', SEAM - 1],
  ['a line that is none of ours at a seam', () => lines.toSpliced(SEAM, 0, 'no line'), 'event_invented', SEAM],
  ['the beginning of one', () => lines.toSpliced(SEAM + 2, 0, '{"index":4999,"salt":"'), 'event_invented', SEAM + 2],
  ['one of two indices', () => lines.toSpliced(7, 0, ofTwoIndices(SEAM, LEAVES - 1)), 'event_invented', 7],
  ['a second of the same index in front', () => lines.toSpliced(9, 0, forged(9)), 'event_invented', 9],
  [
    'a second of the same index behind',
    () => lines.toSpliced(SEAM + 3, 0, forged(SEAM + 2)),
    'event_invented',
    SEAM + 2,
  ],
  ['one of an earlier stretch', () => lines.toSpliced(3_000, 0, forged(5)), 'event_invented', 3_000],
  ['one behind all of them', () => [...lines, forged(LEAVES - 1, LEAVES)], 'event_invented', LEAVES],
  ['something else behind them', () => [...lines, '', 'no line'], 'event_invented', LEAVES],
  ['the end cut off', () => lines.slice(0, SEAM + 5), 'event_missing', SEAM + 5],
  ['no line at all', () => [], 'event_missing', 0],
] as const)('names the same index either way: %s', async (_, change, problem, index) => {
  expect((await bothWays(change())).bad).toEqual({ problem, index })
})

test('a directory that shows no events is verified without threads', () => {
  rmSync(path)
  expect(existsSync(path)).toBe(false)
  expect(startExportCrew({ kind: 'export', directory, tenant: 'acme' }, LONG)).toBeNull()
})
