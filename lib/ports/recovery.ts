// What a store knows of its own losses (design §7).
import type { Quarantine, Recovery } from '../domain/recovery.ts'

export interface RecoveryStore {
  /** Durable; an earlier one that still stands is kept. */
  quarantine(quarantine: Quarantine): Promise<void>
  /** One read, one snapshot: whoever sees the quarantine end sees the recovery that ended it. */
  state(): Promise<RecoveryState>
  /**
   * Numbers of revocations that were given out in what was lost are passed over: they go on from where no loss can have been, and each
   * receiver with them. Safe to repeat.
   */
  skipNumbers(): Promise<void>
  /** The recovery is recorded, told to every tenant's log, and the quarantine ends, all in one commit. */
  finish(recovery: Recovery): Promise<void>
}

export type RecoveryState = {
  readonly quarantine: Quarantine | null
  /** The latest. */
  readonly recovery: Recovery | null
}

/** Epoch seconds before which no evidence may have been issued; undefined: nothing was ever lost. */
export type EvidenceFloor = () => number | undefined
