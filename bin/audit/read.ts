// `mintmark audit search`, `tail` and `export`: events of a tenant's log, page by page.
import { setTimeout as sleep } from 'node:timers/promises'
import { leafLine } from '../../lib/adapters/files/leaf-lines.ts'
import { createLogDirectory } from '../../lib/adapters/files/log-directory.ts'
import { type LogSearch, valueAt } from '../../lib/domain/audit-search.ts'
import { oneLine } from '../../lib/domain/canonical-json.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { parseCheckpoint, unverifiedText } from '../../lib/domain/tlog/signed-note.ts'
import { tilesOf } from '../../lib/domain/tlog/tiles.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { Found } from '../../lib/flows/audit/search-log.ts'
import type { LogLeaves, StoredLeaf } from '../../lib/ports/tenant-log.ts'
import { type Io, UsageError } from '../command.ts'
import { printable } from '../printable.ts'
import { CannotOpen, type OpenReadable, type ReadableLog } from './open-log.ts'

const PAGE = 500
const FOLLOW_MS = 500

async function* leavesFrom(
  log: Pick<LogLeaves, 'leaves'>,
  tenant: string,
  from: number,
  before = Number.MAX_SAFE_INTEGER,
) {
  for (let at = from; at < before; ) {
    const leaves = await log.leaves(tenant, at, Math.min(PAGE, before - at))
    yield* leaves
    if (leaves.length === 0) return
    at = leaves.at(-1)!.index + 1
  }
}

export type Search = LogSearch & { readonly limit: number }

export const search = async (
  open: OpenReadable,
  { limit, ...query }: Search,
  isJson: boolean,
  io: Io,
): Promise<number> => {
  const opened = await open()
  try {
    const found: OcsfEvent[] = []
    for (let from: number | null = 0; from !== null && found.length <= limit; ) {
      const { events, next }: Found = await opened.search(query, { from, limit: limit + 1 - found.length })
      found.push(...events)
      from = next
    }
    if (found.length > limit)
      io.stderr.write(`mintmark audit search: more than ${limit} events; the first are shown (--limit)\n`)
    const shown = found.slice(0, limit)
    if (isJson) io.stdout.write(`${JSON.stringify({ events: shown }, null, 2)}\n`)
    else for (const event of shown) io.stdout.write(summary(event))
    return shown.length === 0 ? 1 : 0
  } finally {
    opened.close()
  }
}

const summary = (event: OcsfEvent): string => {
  const subject =
    valueAt(event, 'user', 'uid') ?? valueAt(event, 'entity', 'uid') ?? valueAt(event, 'src_endpoint', 'ip') ?? ''
  const sequence = String(event.metadata['sequence'] ?? '-').padStart(8)
  return `${sequence}  ${new Date(event.time).toISOString()}  ${String(event['status_code']).padEnd(24)} ${printable(String(subject))}  ${event.metadata.uid}\n`
}

export type Tail = { readonly count: number; readonly isFollowing: boolean; readonly signal?: AbortSignal }

export const tail = async (open: OpenReadable, { count, isFollowing, signal }: Tail, isJson: boolean, io: Io) => {
  const opened = await open()
  const { tenant } = opened
  const print = ({ canonical }: StoredLeaf) =>
    void io.stdout.write(isJson ? `${oneLine(canonical)}\n` : summary(JSON.parse(canonical) as OcsfEvent))
  try {
    const size = (await opened.log.about(tenant))?.size ?? 0
    let next = Math.max(0, size - count)
    let isTold = false
    do {
      try {
        for await (const leaf of leavesFrom(opened.log, tenant, next)) {
          print(leaf)
          next = leaf.index + 1
        }
        isTold = false
      } catch (error) {
        // Whoever follows waits for a broker that restarts, and goes on where it was.
        if (!isFollowing || !isOutage(error)) throw error
        if (!isTold) io.stderr.write('mintmark audit tail: the log cannot be read now; trying again\n')
        isTold = true
      }
      if (isFollowing) await sleep(FOLLOW_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    } while (isFollowing && signal?.aborted !== true)
    return 0
  } finally {
    opened.close()
  }
}

const isOutage = (error: unknown): boolean =>
  error instanceof Unavailable || (error instanceof CannotOpen && error.kind === 'unavailable')

/** All that the checkpoint covers, with what it takes to verify it anywhere. */
export const exportLog = async (
  open: OpenReadable,
  out: string | undefined,
  isJson: boolean,
  io: Io,
): Promise<number> => {
  const opened = await open()
  const { tenant } = opened
  try {
    const checkpoint = await opened.log.checkpoint(tenant)
    if (checkpoint === null)
      throw new CannotOpen('the log has no checkpoint yet; ask again in a few seconds', 'unavailable')
    if (out === undefined) return await exportLines(opened, checkpoint.size, isJson, io)
    const directory = createLogDirectory(out)
    let page: StoredLeaf[] = []
    for await (const leaf of leavesFrom(opened.log, tenant, 0, checkpoint.size)) {
      page.push(leaf)
      if (page.length < PAGE) continue
      directory.addLeaves(page)
      page = []
    }
    directory.addLeaves(page)
    for (const name of tilesOf(checkpoint.size)) {
      const bytes = await opened.log.tile(tenant, name)
      if (bytes !== null) directory.putTile(name, bytes)
    }
    const expired = await opened.expired()
    if (expired !== null) directory.putExpired(expired)
    directory.close(checkpoint.note, await opened.vkeys())
    const { origin } = parseCheckpoint(unverifiedText(checkpoint.note)) ?? { origin: opened.origin }
    if (isJson) io.stdout.write(`${JSON.stringify({ exported: checkpoint.size, origin, out }, null, 2)}\n`)
    else io.stderr.write(`exported ${checkpoint.size} events of ${origin} to ${out}\n`)
    return 0
  } finally {
    opened.close()
  }
}

/** Leaf by leaf, also of one document: a log is longer than memory. */
const exportLines = async ({ log, tenant }: ReadableLog, size: number, isJson: boolean, io: Io): Promise<number> => {
  let before = '{"leaves":['
  for await (const leaf of leavesFrom(log, tenant, 0, size)) {
    io.stdout.write(isJson ? `${before}\n${leafLine(leaf).trimEnd()}` : leafLine(leaf))
    before = ','
  }
  if (isJson) io.stdout.write(`${before === ',' ? '' : before}\n]}\n`)
  return 0
}

/** No other text that Date.parse would make something of: to it 10 is a month, of 2001. */
const RFC_3339 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?$/i

/** RFC 3339, a day of it, or an age such as 24h or 7d. */
export const parseTime = (text: string, nowMs: number): number => {
  const [, count, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? []
  const ms = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? 's'] ?? 0
  if (count !== undefined) return nowMs - Number(count) * ms
  const time = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new UsageError('a time is as in 2026-11-26T12:00:00Z, or an age: 30m, 24h, 7d')
  return time
}
