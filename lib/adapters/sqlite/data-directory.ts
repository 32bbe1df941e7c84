// The directory and the file of the store: who may read it, whether it is still the file we opened, and the dev mark
// (design §9), which keeps a playground's records and keys apart from a real broker's.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type DataDirectoryProblem = 'dev_directory' | 'not_a_dev_directory' | 'unknown_format' | 'not_durable'

const SAYS: Readonly<Record<DataDirectoryProblem, string>> = {
  dev_directory: 'the data directory was made by serve --dev; serve opens it only with --dev',
  not_a_dev_directory: 'the data directory is in use without --dev; serve --dev opens only an empty or its own one',
  unknown_format: 'the database has a format this version does not know',
  not_durable: 'the database would not confirm WAL with synchronous=FULL, so a commit could be lost',
}

/** The store is refused at start. Nothing about it changes by waiting. */
export class DataDirectoryRefused extends Error {
  readonly problem: DataDirectoryProblem
  constructor(problem: DataDirectoryProblem) {
    super(SAYS[problem])
    this.name = 'DataDirectoryRefused'
    this.problem = problem
  }
}

export const databasePath = (dataDir: string, file = 'mintmark.db'): string => join(dataDir, file)

/** Makes directory (0700) and file (0600) where they are missing; SQLite gives -wal and -shm the mode of the file. */
export const ensureDatabaseFile = (dataDir: string, file: string): void => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  closeSync(openSync(databasePath(dataDir, file), 'a', 0o600))
}

/** Names the file behind a path, or null when there is none. */
export const fileIdentity = (path: string): string | null => {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? null : `${found.dev}:${found.ino}`
}

/** `wanted`: serve --dev true, serve false, any other command null. Throws DataDirectoryRefused. */
export const checkDevMark = (isMarked: boolean, wanted: boolean | null): void => {
  if (wanted === null || wanted === isMarked) return
  throw new DataDirectoryRefused(isMarked ? 'dev_directory' : 'not_a_dev_directory')
}
