// A tenant's log as files: tiles and checkpoint as tlog-tiles lays them out, verifier keys, and the events with their salts, one
// a line. What is written here can be served by any web server, but for the events.
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson, oneLine } from '../../domain/canonical-json.ts'
import type { JsonValue } from '../../domain/claims.ts'
import { type TileName, tilePath } from '../../domain/tlog/tiles.ts'
import type { Expired, LogSource, StoredLeaf } from '../../ports/tenant-log.ts'

const EVENTS = 'events.jsonl'
const CHECKPOINT = 'checkpoint'
const KEYS = 'vkeys'
const EXPIRED = 'expired.json'
const PART_BYTES = 1024 * 1024

/** A leaf as one line. */
export const leafLine = ({ index, salt, canonical }: StoredLeaf): string =>
  `{"index":${index},"salt":"${Buffer.from(salt).toString('base64')}","event":${oneLine(canonical)}}\n`

const HEAD = /^\{"index":(\d{1,15}),"salt":"([\w+/]{43}=)","event":(?=\{)/

/**
 * What is not such a line, or another leaf than it says, is for the verifier to find: it comes back as it is. So does the text of an
 * event that JSON escapes nothing of; any other is made anew.
 */
const leafOfLine = (line: string): StoredLeaf | null => {
  const [head, at, saltText] = HEAD.exec(line) ?? []
  if (head !== undefined && saltText !== undefined && line.endsWith('}}') && !line.includes('\\'))
    return { index: Number(at), salt: Buffer.from(saltText, 'base64'), canonical: line.slice(head.length, -1) }
  try {
    const { index, salt, event } = JSON.parse(line) as { index: number; salt: string; event: JsonValue }
    return { index, salt: Buffer.from(salt, 'base64'), canonical: canonicalJson(event) }
  } catch {
    return null
  }
}

/** Those of a part of the file at a time: thousands of them are waited for no longer than one. */
async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = ''
  for await (const part of createReadStream(path, { encoding: 'utf8', highWaterMark: PART_BYTES })) {
    const lines = (rest + part).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield lines
  }
  yield [rest]
}

export const openLogDirectory = (directory: string): LogSource & { readonly vkeys: () => readonly string[] } => {
  const parts = linesOf(join(directory, EVENTS))
  let lines: readonly string[] = []
  let next = 0
  let ahead: StoredLeaf | null = null
  const hasEvents = existsSync(join(directory, EVENTS))

  const nextLeaf = async (): Promise<StoredLeaf | null> => {
    for (;;) {
      for (; next < lines.length; next += 1) {
        const leaf = leafOfLine(lines[next]!)
        if (leaf === null) continue
        next += 1
        return leaf
      }
      const { done, value } = await parts.next()
      if (done === true) return null
      lines = value
      next = 0
    }
  }
  return {
    vkeys: () => (readIfThere(join(directory, KEYS))?.toString('utf8') ?? '').split('\n').filter((line) => line !== ''),
    checkpoint: async () => readIfThere(join(directory, CHECKPOINT))?.toString('utf8') ?? null,
    expired: async () => {
      const text = readIfThere(join(directory, EXPIRED))?.toString('utf8')
      return text === undefined ? null : (JSON.parse(text) as Expired)
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
  }
}

const readIfThere = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null)

/** Writes a log that is given part by part. */
export const createLogDirectory = (directory: string) => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
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
