// A log of many grants that is long enough to be checked in stretches, with a checkpoint anybody takes for signed.
import { randomUUID } from 'node:crypto'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { checkpointText, type NoteKey, noteOf } from '../../lib/domain/tlog/signed-note.ts'
import { rootOfEdge } from '../../lib/domain/tlog/tiles.ts'
import type { LogSource } from '../../lib/ports/tenant-log.ts'
import { sampleRecord } from '../contract/sample-rows.ts'
import { treeLogOver } from './tree-log.ts'

export const VERIFY_UNSIGNED = { hashes: { sha256: nodeSha256, sha256Hex }, verify: () => true }

export type LongLog = { readonly note: string; readonly key: NoteKey; readonly source: LogSource }

/** Of the tenant acme; `leaves` is even. */
export const makeLongLog = async (audit: Database, leaves: number): Promise<LongLog> => {
  const { store, log } = treeLogOver(audit)
  const entries = Array.from({ length: leaves / 2 }, () => ({
    kind: 'grant' as const,
    record: sampleRecord({ decisionId: randomUUID() }),
  }))
  await log.append('acme', entries)
  const { origin, edge } = (await store.head('acme'))!
  const key = { name: origin, publicKey: new Uint8Array(32) }
  const text = checkpointText({ origin, size: edge.size, root: rootOfEdge(nodeSha256, edge) })
  const note = noteOf(nodeSha256, text, [{ key, signature: new Uint8Array(64) }])
  const source = {
    checkpoint: async () => note,
    tile: (name) => store.tile('acme', name),
    leaves: (from, limit) => store.leaves('acme', from, limit),
  } satisfies LogSource
  return { note, key, source }
}
