// How a tenant's log looks in DynamoDB. Leaves that were appended together lie together: events and salts in rows of their own,
// commitments in public ones, which level 0 of the tree and the entry bundles are read from; of the tree only what is above is
// stored. What was altered or written by a later format is an error, never a guess.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { LIMITS } from '../../domain/limits.ts'
import { HASH_BYTES, type Hash } from '../../domain/tlog/merkle.ts'
import { TILE_WIDTH } from '../../domain/tlog/tiles.ts'
import { utf8Length } from '../../domain/utf8.ts'
import type { LogHead, NewLeaf, StoredLeaf } from '../../ports/tenant-log.ts'
import { type Item, keyOf, numberOf, textOf } from './dynamo-request.ts'
import { LOG_DICTIONARY_1 } from './log-dictionary.ts'
import { LOG_COMMITMENTS, LOG_EVENTS, logCommitmentsKey, logEventsKey, logHeadKey, logUidKey } from './table-keys.ts'

const FORMAT = { v: { N: '1' } } as const
const SALT_BYTES = 32

/** Events of one row, before they are deflated: a row takes 400 KB. One alone is no longer than eventBytesMax and its place. */
const ROW_BYTES_MAX = 300 * 1024
/** What one transaction (100 rows, 4 MiB) has room for, beside the head, the rows of the leaves and the tiles above. */
export const LOG_ROOM = { leaves: 84, bytes: 1024 * 1024 } as const

const requireFormat = (item: Item): void => {
  if (item['v']?.N !== FORMAT.v.N) throw new Error('a stored row has a format this program does not know')
}

const bytesIn = (item: Item, name: string): Uint8Array => {
  const bytes = item[name]?.B
  if (bytes === undefined) throw new Error(`a stored row has no bytes ${name}`)
  return bytes
}

const indexIn = (item: Item, prefix: string): number => Number(textOf(item, 'sk').slice(prefix.length))

export const headItem = (tenant: string, { origin, authority, edge, last }: LogHead): Item => ({
  ...keyOf(logHeadKey(tenant)),
  ...FORMAT,
  n: { N: String(edge.size) },
  origin: { S: origin },
  authority: { S: authority },
  uid: { S: last.uid },
  type: { N: String(last.typeUid) },
  fingerprint: { S: last.fingerprint },
})

/** `edge` is in other rows. */
export const readHeadItem = (item: Item): Omit<LogHead, 'edge'> & { readonly size: number } => {
  requireFormat(item)
  return {
    size: numberOf(item, 'n') ?? 0,
    origin: textOf(item, 'origin'),
    authority: textOf(item, 'authority'),
    last: {
      uid: textOf(item, 'uid'),
      typeUid: numberOf(item, 'type') ?? 0,
      fingerprint: textOf(item, 'fingerprint'),
    },
  }
}

export const uidItem = (tenant: string, uid: string, index: number): Item => ({
  ...keyOf(logUidKey(tenant, uid)),
  ...FORMAT,
  n: { N: String(index) },
})

export const readUidItem = (item: Item): number => {
  requireFormat(item)
  return numberOf(item, 'n') ?? 0
}

/** Rows of neighbouring leaves, the first of which has index `first`. */
export const eventsItems = (tenant: string, first: number, leaves: readonly NewLeaf[]): readonly Item[] => {
  const rows: NewLeaf[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const leaf of leaves) {
    const more = utf8Length(leaf.canonical) + 1
    if (bytes + more > ROW_BYTES_MAX) {
      rows.push([])
      bytes = 0
    }
    bytes += more
    rows.at(-1)!.push(leaf)
  }
  let index = first
  return rows.map((row) => {
    const item = {
      ...keyOf(logEventsKey(tenant, index)),
      ...FORMAT,
      salts: { B: Buffer.concat(row.map(({ salt }) => salt)) },
      // RFC 8785 leaves no line feed in a text.
      events: { B: deflate(row.map(({ canonical }) => canonical).join('\n')) },
    }
    index += row.length
    return item
  })
}

const deflate = (text: string): Uint8Array => deflateRawSync(text, { dictionary: LOG_DICTIONARY_1 })

export const readEventsItem = (item: Item): readonly StoredLeaf[] => {
  requireFormat(item)
  const first = indexIn(item, LOG_EVENTS)
  const salts = bytesIn(item, 'salts')
  const bounds = { dictionary: LOG_DICTIONARY_1, maxOutputLength: ROW_BYTES_MAX + LIMITS.eventBytesMax }
  const events = inflateRawSync(bytesIn(item, 'events'), bounds).toString().split('\n')
  if (salts.length !== events.length * SALT_BYTES) throw new Error('a stored row has other salts than events')
  return events.map((canonical, at) => ({
    index: first + at,
    salt: salts.slice(at * SALT_BYTES, (at + 1) * SALT_BYTES),
    canonical,
  }))
}

/** At most of one tile each, so that a tile is a range of rows. */
export const commitmentItems = (tenant: string, first: number, leaves: readonly NewLeaf[]): readonly Item[] => {
  const items: Item[] = []
  for (let at = 0; at < leaves.length; ) {
    const room = TILE_WIDTH - ((first + at) % TILE_WIDTH)
    const some = leaves.slice(at, at + room)
    const bytes = Buffer.concat(some.map(({ commitment }) => commitment))
    items.push({ ...keyOf(logCommitmentsKey(tenant, first + at)), ...FORMAT, c: { B: bytes } })
    at += some.length
  }
  return items
}

/** The first `width` commitments from a leaf on, from the rows of its tile; null: there are fewer. */
export const readCommitments = (items: readonly Item[], first: number, width: number): readonly Hash[] | null => {
  const hashes: Hash[] = []
  for (const item of items) {
    requireFormat(item)
    // A row that is gone leaves a gap, behind which nothing is in its place.
    if (indexIn(item, LOG_COMMITMENTS) !== first + hashes.length) return null
    const bytes = bytesIn(item, 'c')
    for (let at = 0; at < bytes.length && hashes.length < width; at += HASH_BYTES)
      hashes.push(bytes.slice(at, at + HASH_BYTES))
    if (hashes.length === width) return hashes
  }
  return null
}
