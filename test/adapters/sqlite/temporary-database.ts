// A database in a directory of its own, closed and removed after the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { type Database, type DatabaseOptions, openDatabase } from '../../../lib/adapters/sqlite/database.ts'

export const temporaryDirectory = (): string => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-sqlite-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

export const open = (dataDir: string, options: Partial<DatabaseOptions> = {}): Database => {
  const database = openDatabase({ dataDir, dev: false, ...options })
  onTestFinished(() => database.close())
  return database
}

/** A connection of somebody else: another process, an operator's shell. */
export const otherConnection = (dataDir: string): DatabaseSync => {
  const sqlite = new DatabaseSync(join(dataDir, 'mintmark.db'))
  onTestFinished(() => {
    if (sqlite.isOpen) sqlite.close()
  })
  return sqlite
}
