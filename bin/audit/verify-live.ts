// Verifies a log where it lives, with all that is kept beside it: documents, records, earlier checkpoints, anchors.
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { isOfOtherKeys, type NoteKey } from '../../lib/domain/tlog/signed-note.ts'
import { isExpiryDue } from '../../lib/flows/audit/expire-events.ts'
import { type Verified, verifyLog } from '../../lib/flows/audit/verify-log.ts'
import type { FeedSpan } from '../../lib/ports/change-feed.ts'
import type { Expired } from '../../lib/ports/tenant-log.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import { VERIFY_PORTS } from './open-log.ts'
import { type AskedLog, questionOf, type VerifyCrew } from './verify-crew.ts'

export type LiveLog = AskedLog & {
  readonly configs: Pick<TenantConfigStore, 'latest' | 'version'>
  readonly vkeys: () => Promise<readonly string[]>
  /** Keys of the log that were tainted, where rows of keys are read. */
  readonly tainted?: readonly string[]
  /** Notes of the anchors that the broker was told of. */
  readonly anchored: () => Promise<readonly string[]>
  /** `logged`: which records of the feed need not be looked for. */
  readonly unlogged: (logged: readonly FeedSpan[]) => Promise<readonly { readonly id: string }[]>
  readonly startCrew?: (isErased: boolean, size: number) => VerifyCrew | null
}

/** `trusted`: keys that were given; none: the log's own word is taken for them. `warnings` are added to. */
export type Against = {
  readonly trusted: readonly NoteKey[]
  readonly anchors: readonly string[]
  readonly warnings: string[]
  readonly keysIn: (lines: readonly string[]) => readonly NoteKey[]
}

export type Report = Verified & { readonly recordsWithoutLeaf: readonly string[]; readonly warnings: readonly string[] }

export const verifyLive = async (
  live: LiveLog,
  { trusted, anchors: given, warnings, keysIn }: Against,
): Promise<Report> => {
  const { tenant, log, configs } = live
  const latest = await configs.latest(tenant)
  const isErased = latest?.tombstonedAtSeconds != null && (await log.leaves(tenant, 0, 1)).length === 0
  if (isErased) warnings.push('the tenant was removed and its events erased: only their commitments are verified')
  const keys = trusted.length > 0 ? trusted : keysIn(await live.vkeys())
  // Those of a key that was tainted since, or is not the one that was given, say nothing any more; all others have to be good.
  const history = (await log.history(tenant)).map(({ note }) => note)
  const believed = history.filter((note) => !isOfOtherKeys(VERIFY_PORTS.hashes.sha256, note, keys))
  if (believed.length < history.length)
    warnings.push(`${history.length - believed.length} earlier checkpoints are not of a key that is trusted`)
  const anchors = [...given, ...(await live.anchored())]
  warnOfNone(anchors, warnings)
  const size = (await log.checkpoint(tenant))?.size ?? 0
  await using crew = live.startCrew?.(isErased, size) ?? null
  const question = {
    ...questionOf(live, isErased),
    keys,
    ...(trusted.length > 0 ? {} : { pastKeys: keysIn(live.tainted ?? []) }),
    earlier: [...believed, ...anchors],
    ...(latest === null
      ? {}
      : { isDue: (expired: Expired) => isExpiryDue({ configs, clock: systemClock }, tenant, expired) }),
    ...(crew === null ? {} : { crew }),
  }
  const verifying = verifyLog(VERIFY_PORTS, question)
  // Threads say which records they saw the leaf of: what is left is looked for behind them, and is nothing in most logs.
  const looking = crew === null ? live.unlogged([]) : verifying.then(() => live.unlogged(crew.logged()))
  const [verified, unlogged] = await Promise.all([verifying, looking])
  if (latest === null) warnUnprovenExpiry(verified, warnings)
  return { ...verified, recordsWithoutLeaf: unlogged.map(({ id }) => id), warnings }
}

export const warnOfNone = (anchors: readonly string[], warnings: string[]): void => {
  if (anchors.length === 0) warnings.push('no anchor: a log that was rewritten from the start would not be noticed')
}

export const warnUnprovenExpiry = ({ expired }: Verified, warnings: string[]): void => {
  if (expired > 0)
    warnings.push('expiry is unproven: without its documents nothing says whether the tenant let these events go')
}
