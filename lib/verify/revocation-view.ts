// What a verifier knows of revocations, and how old that is. Promises: it only moves ahead (a lower seq than was ever seen is
// refused, after a restart too); it is current only while the signed `iat` of its last page is younger than the bound, by the later
// of both clocks; one page too few, or of anybody else, and it stays as it is.

import type { Deviation, Report } from './deviation.ts'
import { type ReadPage, readPage } from './feed-page.ts'
import { type Fetch, fetchText } from './fetch-text.ts'
import { type Handle, HandleTable } from './handle-table.ts'
import type { KeyCache, VerifierClock } from './key-cache.ts'

/** Where the highest seq outlives the process. `read` gives 0 where nothing was kept yet, and rejects what is not its own. */
export type Seen = {
  readonly read: () => Promise<number>
  /** Durable when it resolves. */
  readonly write: (seq: number) => Promise<void>
}

export type ViewOptions = {
  readonly issuer: string
  readonly url: string
  /** Of use `signal`, never those tokens are verified with. */
  readonly keys: KeyCache
  readonly boundSeconds: number
  readonly seen: Seen | null
  readonly fetch: Fetch
  readonly clock: VerifierClock
  readonly report: Report
}

export type RevocationView = {
  /** Fetches what is new, one call at a time. Never rejects: what goes wrong is reported. */
  readonly refresh: () => Promise<void>
  /** Seconds; Infinity before the first whole view. */
  readonly ageSeconds: () => number
  readonly isCurrent: () => boolean
  /** Moves with each change. */
  readonly seq: () => number
  /** Whether one of a token's handles is blocked, or cut after it was issued. */
  readonly isRevoked: (handles: readonly Handle[], iat: number) => boolean
  readonly size: () => number
}

/** How far ahead the broker's clock may be. */
export const SKEW_SECONDS = 5
const PAGE_CHARS_MAX = 1024 * 1024
/** Eight thousand changes each. */
const PAGES_MAX = 4_096

type Stamp = {
  readonly iatMs: number
  readonly expiresAfterMs: number
  readonly ageMs: number
  readonly monotonicMs: number
}

export const createRevocationView = (options: ViewOptions): RevocationView => {
  const { issuer, url, keys, boundSeconds, seen, fetch, clock, report } = options
  const blocks = new HandleTable({ hasTimes: false })
  const cuts = new HandleTable({ hasTimes: true })
  let cursor = 0
  let stamp: Stamp | null = null
  const highest = createHighest(seen)

  const ageMs = (): number => {
    if (stamp === null) return Number.POSITIVE_INFINITY
    return Math.max(clock.nowMs() - stamp.iatMs, stamp.ageMs + clock.monotonicMs() - stamp.monotonicMs)
  }
  const isCurrent = (): boolean => stamp !== null && ageMs() < Math.min(boundSeconds * 1000, stamp.expiresAfterMs)

  /** Null: applied. What is refused changes nothing. */
  const take = async (page: ReadPage, askedAtMs: number): Promise<Deviation | null> => {
    const nowMs = clock.nowMs()
    const outOfTime = judgeTimes(page, nowMs, boundSeconds)
    if (outOfTime !== null) return outOfTime
    const before = await highest.known()
    if (before === null) return 'seen_not_kept'
    if (page.seq < before) return 'feed_rolled_back'
    // A page may begin before what is known already, but not as a snapshot, which says nothing of what was lifted.
    const goesOn = page.since > 0 && page.since < cursor && page.next > cursor
    if (page.since !== cursor && !goesOn) return 'page_out_of_order'
    // Before it is believed: a process that dies here must not come back knowing less than it acted on.
    if (page.seq > before && !(await highest.raise(page.seq))) return 'seen_not_kept'
    apply(page)
    if (page.next === page.seq && (stamp === null || page.iat * 1000 >= stamp.iatMs))
      stamp = stampOf(page, nowMs, askedAtMs)
    return null
  }

  const apply = ({ lift, block, cut, before, next }: ReadPage): void => {
    for (const handle of lift) blocks.delete(handle)
    for (const handle of block) blocks.add(handle)
    cut.forEach((handle, at) => {
      cuts.add(handle, before[at])
    })
    cursor = next
  }

  const fetchPages = async (): Promise<void> => {
    for (let count = 0; count < PAGES_MAX; count += 1) {
      // Before it is sent for: a view never seems younger than it is.
      const askedAtMs = clock.monotonicMs()
      const text = await fetchText(fetch, cursor === 0 ? url : `${url}?since=${cursor}`, PAGE_CHARS_MAX)
      const page = text === null ? 'feed_unreachable' : await readPage(text, issuer, keys)
      const deviation = typeof page === 'string' ? page : await take(page, askedAtMs)
      if (deviation !== null) return report(deviation)
      if (typeof page !== 'string' && page.next === page.seq) return
    }
    report('page_out_of_order')
  }

  return {
    refresh: fetchPages,
    ageSeconds: () => ageMs() / 1000,
    isCurrent,
    seq: () => cursor,
    isRevoked: (handles, iat) => handles.some((handle) => blocks.has(handle) || iat < cuts.timeOf(handle)),
    size: () => blocks.size + cuts.size,
  }
}

/** The highest seq that was ever seen, where it outlives the process if it can. */
const createHighest = (seen: Seen | null) => {
  let highest: number | null = seen === null ? 0 : null
  return {
    /** Null: it cannot be read now. */
    async known(): Promise<number | null> {
      try {
        highest ??= (await seen?.read()) ?? 0
        return highest
      } catch {
        return null
      }
    },
    /** False: it could not be kept, and is as it was. */
    async raise(seq: number): Promise<boolean> {
      try {
        await seen?.write(seq)
        highest = seq
        return true
      } catch {
        return false
      }
    },
  }
}

const judgeTimes = ({ iat, exp }: ReadPage, nowMs: number, boundSeconds: number): Deviation | null => {
  if (iat * 1000 > nowMs + SKEW_SECONDS * 1000) return 'page_early'
  return nowMs >= exp * 1000 || nowMs - iat * 1000 >= boundSeconds * 1000 ? 'page_expired' : null
}

const stampOf = ({ iat, exp }: ReadPage, nowMs: number, askedAtMs: number): Stamp => ({
  iatMs: iat * 1000,
  expiresAfterMs: (exp - iat) * 1000,
  ageMs: Math.max(0, nowMs - iat * 1000),
  monotonicMs: askedAtMs,
})
