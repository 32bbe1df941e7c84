// A store that knows less than the world has seen (design §7): how it is told, and what recovery makes of it. Pure.
import { LIMITS } from './limits.ts'

/** Why a store is in quarantine; the text is for the operator. */
export const QUARANTINE_REASONS = {
  log_behind_anchor: 'an anchor has seen more of an audit log than there is: records, revocations and keys were lost',
  records_behind_log:
    'the audit log has taken records that the database of records does not have: it is of an earlier day',
  operator: 'an operator says that records were lost',
} as const

export type QuarantineReason = keyof typeof QUARANTINE_REASONS

export type Quarantine = { readonly reason: QuarantineReason; readonly sinceSeconds: number }

/** A recovery that is complete. `seen`: the last checkpoints anchors had of each log by then; what they show to be lost is dealt with. */
export type Recovery = {
  readonly atSeconds: number
  readonly by: string
  readonly reason: string
  /** Evidence issued before is refused: it may have been redeemed in records that were lost. */
  readonly floorSeconds: number
  readonly seen: Readonly<Record<string, readonly string[]>>
}

/** An issuer's clock may be ahead of ours by the leeway that its evidence is given. */
export const floorOf = (nowSeconds: number): number => nowSeconds + LIMITS.leewaySeconds

export type StoreView = {
  /** Leaves of each log by its origin, 0 where there is none. */
  readonly logs: ReadonlyMap<string, number>
  /** The largest checkpoint of each origin that anchors have had since the last recovery; of logs that are not ours too. */
  readonly anchored: ReadonlyMap<string, number>
  readonly positions: readonly FeedPosition[]
}

/** How far records were taken into the log: as the log has it, and as the database of records has it, where it is written first. */
export type FeedPosition = { readonly logged: number; readonly acknowledged: number }

/** Null: nothing is known that this store does not know. */
export const behindReason = (view: StoreView): QuarantineReason | null => {
  for (const [origin, size] of view.logs) if ((view.anchored.get(origin) ?? 0) > size) return 'log_behind_anchor'
  return view.positions.some(({ logged, acknowledged }) => logged > acknowledged) ? 'records_behind_log' : null
}
