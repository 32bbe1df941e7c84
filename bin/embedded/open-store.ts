// The data directory, opened: database and master key, or why it may not be. Shared by serve and the commands beside it.
import { existsSync } from 'node:fs'
import { createAesSealer } from '../../lib/adapters/keys/aes-sealer.ts'
import { createLocalVault, type LocalVault } from '../../lib/adapters/keys/local-vault.ts'
import { loadMasterKey, MasterKeyRefused, masterKeyPath, masterKeyPlace } from '../../lib/adapters/keys/master-key.ts'
import { DataDirectoryRefused, databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'

import { newestSigningKeys } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { wordsOf } from '../words-of.ts'

export type OpenStore = { readonly database: Database; readonly vault: LocalVault }

export type OpenOptions = {
  readonly dataDir: string
  /** serve --dev: true; serve: false; other commands: null. */
  readonly dev: boolean | null
  readonly masterKey: string | undefined
  readonly cacheKib?: number
  /** Also under a master key that opens nothing here: for what ends the keys of one that was lost. */
  readonly isMasterKeyLost?: boolean
}

export const openStore = ({
  dataDir,
  dev,
  masterKey,
  isMasterKeyLost = false,
  ...rest
}: OpenOptions):
  | { readonly ok: true; readonly store: OpenStore }
  | { readonly ok: false; readonly problem: string } => {
  // An empty database beside a key that sealed another one would forget every replay marker and revocation.
  if (existsSync(masterKeyPath(dataDir)) && !existsSync(databasePath(dataDir)))
    return {
      ok: false,
      problem: `${dataDir} has a master key and no database: restore mintmark.db, or start with an empty directory`,
    }
  // Only serve and apply make a store: for any other command an empty one would answer for the one whose path was mistyped.
  if (dev === null && !existsSync(databasePath(dataDir))) return nothingIn(dataDir)
  try {
    const database = openDatabase({ dataDir, dev, ...rest })
    const hasKeys = database.read((sql) => sql('SELECT 1 FROM signing_key LIMIT 1').get()) !== undefined
    const key = loadMasterKey({ given: masterKey, dataDir, mayCreate: !hasKeys })
    const vault = createLocalVault(createAesSealer(key))
    key.fill(0)
    // Under another one nothing could be signed, and every new key would be lost with it. One altered row of one tenant is
    // that tenant's trouble.
    const sealed = newestSigningKeys(database)
    if (!isMasterKeyLost && sealed.length > 0 && !sealed.some(vault.opens))
      throw new MasterKeyRefused('another', masterKeyPlace({ given: masterKey, dataDir }))
    return { ok: true, store: { database, vault } }
  } catch (error) {
    return { ok: false, problem: problemOf(error, dataDir) }
  }
}

/** The database alone, for commands that open no key. One that is not there is not made: an empty one would answer for it. */
export const openDatabaseBeside = (
  dataDir: string,
): { readonly ok: true; readonly database: Database } | { readonly ok: false; readonly problem: string } => {
  if (!existsSync(databasePath(dataDir))) return nothingIn(dataDir)
  try {
    return { ok: true, database: openDatabase({ dataDir, dev: null }) }
  } catch (error) {
    return { ok: false, problem: problemOf(error, dataDir) }
  }
}

const nothingIn = (dataDir: string) => ({ ok: false, problem: `there is no database in ${dataDir}` }) as const

const problemOf = (error: unknown, dataDir: string): string =>
  error instanceof DataDirectoryRefused || error instanceof MasterKeyRefused
    ? error.message
    : `the data directory ${dataDir} cannot be opened: ${wordsOf(error) || 'it is damaged'}`
