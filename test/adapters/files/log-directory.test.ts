// An export that is written where another one was, or is not written to its end.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLogDirectory, openLogDirectory } from '../../../lib/adapters/files/log-directory.ts'

const leaf = { index: 0, salt: new Uint8Array(32), canonical: '{"a":1}' }

test('an export over another one has nothing of it, and before its end nothing that could be taken for whole', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mintmark-export-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const before = createLogDirectory(directory)
  before.addLeaves([leaf, { ...leaf, index: 1 }])
  before.putExpired({ leaves: 1, atSeconds: 1, note: 'a note' })
  before.close('the note before', ['the key before'])
  expect(await openLogDirectory(directory).expired?.()).toEqual({ leaves: 1, atSeconds: 1, note: 'a note' })

  const anew = createLogDirectory(directory)
  anew.addLeaves([leaf])
  const open = openLogDirectory(directory)
  expect([await open.checkpoint(), open.vkeys(), await open.expired?.()]).toEqual([null, [], null])
  anew.close('the note', ['the key'])
  expect([await open.checkpoint(), open.vkeys(), await open.expired?.()]).toEqual(['the note', ['the key'], null])
  expect(await openLogDirectory(directory).leaves(0, 10)).toEqual([{ ...leaf, salt: Buffer.alloc(32) }])
})
