// What of an anchor counts against a store: what our own log signed, behind what a recovery has dealt with.
import { expect, test } from 'vitest'
import type { Quarantine, Recovery } from '../../../lib/domain/recovery.ts'
import { checkpointText } from '../../../lib/domain/tlog/signed-note.ts'
import { checkStore, lastIn } from '../../../lib/flows/recovery/check-store.ts'
import { NOW_SECONDS } from '../../contract/sample-rows.ts'

const ACME = 'sts.example/t/acme/log'
const OURS = Buffer.alloc(68, 1).toString('base64')
const FORGED = Buffer.alloc(68, 2).toString('base64')
const noteFor = (size: number, origin = ACME, signature = OURS): string =>
  `${checkpointText({ origin, size, root: new Uint8Array(32).fill(size % 256) })}\n— ${origin} ${signature}\n`
const anchorOf = (...notes: string[]): string => notes.map((note) => `\n\n${note}`).join('')

const check = async (leaves: number, anchors: readonly string[], seen: Recovery['seen'] | null = null) => {
  const written: Quarantine[] = []
  const recovery = seen && { atSeconds: 1, by: 'ops', reason: 'restored', floorSeconds: 1, seen }
  const found = await checkStore(
    {
      store: {
        state: async () => ({ quarantine: null, recovery }),
        quarantine: async (quarantine) => void written.push(quarantine),
      },
      clock: { nowSeconds: () => NOW_SECONDS },
      isOurs: (_, note) => note.includes(OURS),
    },
    { logs: new Map([[ACME, leaves]]), positions: [], anchors },
  )
  expect(written).toEqual(found === null ? [] : [found])
  return found?.reason ?? null
}

test('the largest checkpoint counts, wherever it stands, so that an older one behind it hides nothing', async () => {
  expect(await check(9, [anchorOf(noteFor(5), noteFor(10), noteFor(3))])).toBe('log_behind_anchor')
  expect(await check(10, [anchorOf(noteFor(5), noteFor(10), noteFor(3))])).toBeNull()
})

test('a checkpoint our log did not sign stops nobody, nor does one of another log, nor one that is cut short', async () => {
  expect(await check(9, [anchorOf(noteFor(10, ACME, FORGED))])).toBeNull()
  expect(await check(9, [anchorOf(noteFor(10, 'other.example/t/acme/log'))])).toBeNull()
  expect(await check(9, [anchorOf(noteFor(9)) + anchorOf(noteFor(10)).slice(0, -40)])).toBeNull()
})

test.each(['__proto__', 'constructor', 'toString'])('a log that somebody calls %s stops nobody', async (origin) => {
  const anchor = anchorOf(noteFor(7, origin, FORGED), noteFor(10))
  expect(await check(10, [anchor])).toBeNull()
  expect(await check(9, [anchor])).toBe('log_behind_anchor')
  const seen = JSON.parse(JSON.stringify(lastIn([anchor, anchor]))) as Recovery['seen']
  expect(Object.keys(seen)).toEqual([origin, ACME])
  expect(await check(9, [anchor], seen)).toBeNull()
  expect(await check(9, [anchor + anchorOf(noteFor(11))], seen)).toBe('log_behind_anchor')
})

test('what a recovery knew of is dealt with, and the next loss is found though the log is still shorter than before the first', async () => {
  const before = anchorOf(noteFor(500), noteFor(1000))
  const seen = lastIn([before])
  expect(await check(510, [before], seen)).toBeNull()
  const after = before + anchorOf(noteFor(505), noteFor(520))
  expect(await check(520, [after], seen)).toBeNull()
  expect(await check(510, [after], seen)).toBe('log_behind_anchor')
  // An anchor that the recovery was not told of speaks for itself.
  expect(await check(520, [after, anchorOf(noteFor(800))], seen)).toBe('log_behind_anchor')
})
