// Which denials are recorded in full and which are only counted (attacks §6 c): the first of a (tenant, kind, source) and
// minute in full; of unverified ones, and of those that only say that too much came, also no more than so many of a tenant over all
// sources, or a flood from many addresses would fill the disk and keep the store from its neighbours. Of a replay the first of each credential, whatever its source or any other did before: it may have to end it.
// Every denial is one or the other, so the sum is exact. Pure: the caller holds the counters.
import type { Denial } from './grant-record.ts'
import { LIMITS } from './limits.ts'
import { isOfVerifiedRate } from './refusal.ts'

/** Counters of one minute, each bounded by LIMITS.denialKeysPerMinuteMax: what finds no place among them is over budget. */
export type DenialCounters = {
  minute: number
  /** Credentials whose evidence came again. Apart from the others: who fills those with sources does not fill this. */
  readonly replayed: Map<string, number>
  readonly perSource: Map<string, number>
  readonly perTenant: Map<string, number>
}

export const newDenialCounters = (): DenialCounters => ({
  minute: -1,
  replayed: new Map(),
  perSource: new Map(),
  perTenant: new Map(),
})

export const minuteOf = (atSeconds: number): number => Math.floor(atSeconds / 60)

/**
 * Counts the denial and says whether it is within the budget of its minute, and there is room for it behind the `waiting` others. A clock
 * that goes back opens no new budget.
 */
export const isWithinBudget = (counters: DenialCounters, denial: Denial, waiting: number): boolean => {
  const minute = minuteOf(denial.atSeconds)
  if (minute > counters.minute) {
    counters.minute = minute
    for (const counts of [counters.replayed, counters.perSource, counters.perTenant]) counts.clear()
  }
  const { tenant, refusal, source, verified, firstDecisionId } = denial
  if (waiting >= LIMITS.denialQueueMax) return false
  if (refusal.kind === 'replayed' && take(counters.replayed, `${tenant}\0${firstDecisionId}`, 1)) return true
  if (waiting >= LIMITS.denialQueueMax - LIMITS.denialQueueForReplays) return false
  if (!take(counters.perSource, `${tenant}\0${refusal.kind}\0${source}`, LIMITS.denialsFullPerMinute)) return false
  // Each apart: who makes up evidence does not fill the place of those who have some.
  if (!verified) return take(counters.perTenant, `${tenant}\0unverified`, LIMITS.denialsUnverifiedPerMinute)
  return !isOfVerifiedRate(refusal) || take(counters.perTenant, `${tenant}\0rate`, LIMITS.denialsOfRatePerMinute)
}

const take = (counts: Map<string, number>, key: string, max: number): boolean => {
  const count = counts.get(key)
  if (count === undefined && counts.size >= LIMITS.denialKeysPerMinuteMax) return false
  if ((count ?? 0) >= max) return false
  counts.set(key, (count ?? 0) + 1)
  return true
}
