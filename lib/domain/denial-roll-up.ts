// Denials beyond their budget, gathered until they are written: exact counts by minute, tenant, kind and source, and as
// many of their ids as a minute may have, so that `mintmark decision ID` can answer for them. Pure: the caller holds it.

import { minuteOf } from './denial-budget.ts'
import type { Denial, DenialRollUp } from './grant-record.ts'
import { LIMITS } from './limits.ts'

/** The source of roll-ups that found no place of their own: many addresses at once. */
export const MANY_SOURCES = '*'

/** Stands for a kind, source or tenant that is not remembered of one decision. */
export const NOT_LISTED = '*'

/** The event its count was told in; what came in after that minute was told has events of its own, and which of them is not kept. */
export const eventIdOfRollUp = ({ minute, kind, source }: Pick<DenialRollUp, 'minute' | 'kind' | 'source'>): string =>
  `roll-up.${minute}.${kind}.${source}.0`

export type GatheredRollUp = DenialRollUp & {
  /** Decision ids counted here that are remembered one by one. */
  readonly listed: readonly string[]
  /** How many are not. */
  readonly unlisted: number
}

type Mutable = { -readonly [member in keyof GatheredRollUp]: GatheredRollUp[member] } & { listed: string[] }

export type RollUps = { readonly rows: Map<string, Mutable>; readonly idsOfMinute: { minute: number; count: number } }

export const newRollUps = (): RollUps => ({ rows: new Map(), idsOfMinute: { minute: -1, count: 0 } })

export const addToRollUp = (rollUps: RollUps, { decisionId, tenant, atSeconds, refusal, source }: Denial): void => {
  const minute = minuteOf(atSeconds)
  const row = rowFor(rollUps.rows, { tenant, minute, kind: refusal.kind, source })
  row.count += 1
  const ids = rollUps.idsOfMinute
  if (minute > ids.minute) {
    ids.minute = minute
    ids.count = 0
  }
  if (ids.count >= LIMITS.rolledUpIdsPerMinuteMax) {
    row.unlisted += 1
    return
  }
  ids.count += 1
  row.listed.push(decisionId)
}

/** Everything gathered since; what could not be written is given back with `returnRollUps`. */
export const takeRollUps = ({ rows }: RollUps): readonly GatheredRollUp[] => {
  const taken = [...rows.values()]
  rows.clear()
  return taken
}

export const returnRollUps = ({ rows }: RollUps, taken: readonly GatheredRollUp[]): void => {
  for (const back of taken) {
    const row = rowFor(rows, back)
    row.count += back.count
    row.unlisted += back.unlisted
    row.listed.push(...back.listed)
  }
}

const rowFor = (rows: Map<string, Mutable>, { tenant, minute, kind, source }: Omit<DenialRollUp, 'count'>): Mutable => {
  const keyOf = (from: string): string => `${minute}\0${tenant}\0${kind}\0${from}`
  const own = rows.get(keyOf(source))
  if (own !== undefined) return own
  const from = rows.size >= LIMITS.rollUpSourcesMax ? MANY_SOURCES : source
  const row = rows.get(keyOf(from)) ?? { tenant, minute, kind, source: from, count: 0, listed: [], unlisted: 0 }
  rows.set(keyOf(from), row)
  return row
}
