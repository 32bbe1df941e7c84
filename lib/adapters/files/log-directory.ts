// A tenant's log as files: tiles and checkpoint as tlog-tiles lays them out, verifier keys, and the events with their salts, one
// a line. What is written here can be served by any web server, but for the events.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TileName, tilePath } from '../../domain/tlog/tiles.ts'
import type { Expired, LogSource, StoredLeaf } from '../../ports/tenant-log.ts'
import { type Cut, type Lines, leafLine, leafReader, lineCutter } from './leaf-lines.ts'

const EVENTS = 'events.jsonl'
const CHECKPOINT = 'checkpoint'
const KEYS = 'vkeys'
const EXPIRED = 'expired.json'

/** `lines`: the only ones that leaves are read from. */
export const openLogDirectory = (
  directory: string,
  lines?: Lines,
): LogSource & { readonly vkeys: () => readonly string[] } => {
  const nextLeaf = leafReader(join(directory, EVENTS), lines)
  let ahead: StoredLeaf | null = null
  const hasEvents = existsSync(join(directory, EVENTS))
  return {
    vkeys: () => (readIfThere(join(directory, KEYS))?.toString('utf8') ?? '').split('\n').filter((line) => line !== ''),
    checkpoint: async () => readIfThere(join(directory, CHECKPOINT))?.toString('utf8') ?? null,
    expired: async () => {
      const text = readIfThere(join(directory, EXPIRED))?.toString('utf8')
      return text === undefined ? null : expiredIn(text)
    },
    tile: async (name) => readIfThere(join(directory, tilePath(name))),
    async leaves(fromIndex, limit) {
      if (!hasEvents) return null
      const leaves: StoredLeaf[] = []
      for (;;) {
        ahead ??= await nextLeaf()
        // Lines in another order than that of their indices are not leaves of the places they are read at.
        if (ahead === null || ahead.index >= fromIndex + limit) return leaves
        leaves.push(ahead)
        ahead = null
      }
    },
    behind: async () => hasEvents && (ahead ?? (await nextLeaf())) !== null,
  }
}

/** For threads that read a stretch each. Null: it has no events. */
export const cutLogDirectory = (directory: string): ((before: number) => Promise<Cut>) | null => {
  const path = join(directory, EVENTS)
  return existsSync(path) ? lineCutter(path) : null
}

/** What is not whole says too much: no checkpoint can prove it. */
const UNPROVABLE: Expired = { leaves: Number.MAX_SAFE_INTEGER, atSeconds: 0, note: '' }

const expiredIn = (text: string): Expired => {
  try {
    const { leaves, atSeconds, note } = JSON.parse(text) as Expired
    const isWhole = Number.isSafeInteger(leaves) && leaves >= 0 && typeof note === 'string'
    return isWhole ? { leaves, atSeconds, note } : UNPROVABLE
  } catch {
    return UNPROVABLE
  }
}

const readIfThere = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null)

/** Writes a log that is given part by part. Until it is closed it has no checkpoint, not even that of an export that was here before. */
export const createLogDirectory = (directory: string) => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of [CHECKPOINT, KEYS, EXPIRED]) rmSync(join(directory, name), { force: true })
  writeFileSync(join(directory, EVENTS), '', { mode: 0o600 })
  return {
    addLeaves(leaves: readonly StoredLeaf[]): void {
      writeFileSync(join(directory, EVENTS), leaves.map(leafLine).join(''), { flag: 'a' })
    },
    putTile(name: TileName, bytes: Uint8Array): void {
      const path = join(directory, tilePath(name))
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(path, bytes)
    },
    putExpired(expired: Expired): void {
      writeFileSync(join(directory, EXPIRED), `${JSON.stringify(expired)}\n`)
    },
    close(note: string, vkeys: readonly string[]): void {
      writeFileSync(join(directory, KEYS), `${vkeys.join('\n')}\n`)
      writeFileSync(join(directory, CHECKPOINT), note)
    },
  }
}
