// What a leaf costs the log itself, and what it costs from the record in the store: node bench/append.ts [leaves] [leaves of a portion].
// The log itself begins with an event that is written but for its fingerprint, and ends behind the commit: salt, commitment, fingerprint,
// tiles and bundles, what is there already, the head that is compared and set. Writing the events beforehand is not counted.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAuditDatabase } from '../bin/embedded/audit.ts'
import { nodeSha256 } from '../lib/adapters/keys/log-signer.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { sha256Hex } from '../lib/adapters/system/digest.ts'
import { createIds } from '../lib/adapters/system/ids.ts'
import { systemSalts } from '../lib/adapters/system/salts.ts'
import type { GrantRecord } from '../lib/domain/grant-record.ts'
import { LIMITS } from '../lib/domain/limits.ts'
import type { EventDraft } from '../lib/domain/ocsf/event-draft.ts'
import { draftsOf } from '../lib/domain/ocsf/map-entry.ts'
import { type ChainLink, chained } from '../lib/domain/ocsf/record-integrity.ts'
import { appendDrafts, logOriginOf } from '../lib/flows/audit/append-log.ts'
import { addRecords, openAuditBench, recordLike } from './audit-data.ts'
import { TENANT } from './tenants.ts'

const LEAVES_PER_RECORD = 2
const WARM_LEAVES = 16_384
/** Leaves whose events are in memory at once. */
const PORTION = 20_480
const ISSUER_URL = `https://sts.example/t/${TENANT}`

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

type Cost = { readonly leaves: number; readonly seconds: number; readonly cpuMicros: number }

export const told = ({ leaves, seconds, cpuMicros }: Cost): string =>
  `${leaves} leaves, ${(leaves / seconds).toFixed(0)} a second by one thread, ${(cpuMicros / leaves).toFixed(1)} us CPU a leaf (${((leaves / cpuMicros) * 1e6).toFixed(0)} a second of CPU)`

export const timed = async (leaves: number, work: () => Promise<void>): Promise<Cost> => {
  const began = performance.now()
  const cpu = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { leaves, seconds: (performance.now() - began) / 1_000, cpuMicros: user + system }
}

const sum = (a: Cost, b: Cost): Cost => ({
  leaves: a.leaves + b.leaves,
  seconds: a.seconds + b.seconds,
  cpuMicros: a.cpuMicros + b.cpuMicros,
})
const NOTHING: Cost = { leaves: 0, seconds: 0, cpuMicros: 0 }

/** Events of grants, written for their places in a log: a fingerprint does not hang on a salt, so the chain is known beforehand. */
const writer = (like: GrantRecord) => {
  const ids = createIds(systemClock)
  const at = { chain: logOriginOf(ISSUER_URL), authority: ISSUER_URL }
  let before: ChainLink | null = null
  let sequence = 0
  return (leaves: number): readonly EventDraft[] => {
    const written: EventDraft[] = []
    while (written.length < leaves) {
      const record = recordLike(like, ids.decisionId())
      for (const draft of draftsOf({ kind: 'grant', record, isPlain: true }, { issuerUrl: ISSUER_URL }, () => null)) {
        const { text, cutAt } = draft.unsigned({ ...at, sequence, before })
        // As from a file: one piece.
        const unsigned = { text: Buffer.from(text).toString(), cutAt }
        before = chained(unsigned, draft, sha256Hex).link
        sequence += 1
        written.push({ ...draft, unsigned: () => unsigned })
      }
    }
    return written
  }
}

/** In a database of its own. */
export const measureLogItself = async (like: GrantRecord, leaves: number, portion = PORTION): Promise<Cost> => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-append-'))
  const dataDir = join(dir, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  const audit = openAuditDatabase(dataDir, true)
  try {
    const store = createTenantLog(audit)
    const hashes = { sha256: nodeSha256, sha256Hex }
    const ports = { store, salts: systemSalts, hashes, issuerUrl: () => ISSUER_URL }
    const write = writer(like)
    const perCommit = LIMITS.logEntriesPerCommit * LEAVES_PER_RECORD
    const append = async (drafts: readonly EventDraft[]): Promise<void> => {
      for (let at = 0; at < drafts.length; at += perCommit)
        await appendDrafts(ports, TENANT, () => drafts.slice(at, at + perCommit))
    }
    await append(write(WARM_LEAVES))
    let cost = NOTHING
    while (cost.leaves < leaves) {
      const drafts = write(Math.min(portion, leaves - cost.leaves))
      cost = sum(cost, await timed(drafts.length, () => append(drafts)))
    }
    const size = (await store.about(TENANT))?.size
    if (size !== WARM_LEAVES + cost.leaves) throw new Error(`the log has ${size} leaves`)
    return cost
  } finally {
    audit.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Rounds of `audit`, checkpoints and acknowledgements and all. */
const measureFromRecords = async (
  { dataDir, like, drain }: Pick<Awaited<ReturnType<typeof openAuditBench>>, 'dataDir' | 'like' | 'drain'>,
  leaves: number,
): Promise<Cost> => {
  await addRecords(dataDir, like, leaves / LEAVES_PER_RECORD)
  return timed(leaves, drain)
}

if (import.meta.main) {
  const leaves = Number(process.argv[2] ?? 100_000)
  const portion = Number(process.argv[3] ?? PORTION)
  const bench = await openAuditBench(false)
  try {
    say(`the log itself: ${told(await measureLogItself(bench.like, leaves, portion))} (goal: 40,000)`)
    await measureFromRecords(bench, WARM_LEAVES)
    say(`from the record in the store: ${told(await measureFromRecords(bench, leaves))}`)
  } finally {
    bench.close()
  }
}
