// What was done to a tenant, as its rows still tell it: for whoever compares the log with them where no feed can be read again.
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { Selector } from '../domain/revocation.ts'
import type { KeyState } from '../domain/signing-key.ts'

/**
 * Changes that have numbers, from 1 without gaps, and stay: versions of the document, with the removal of the tenant behind the last;
 * changes of revocations, each by an order or a lift.
 */
export const CHANGE_SERIES = ['document', 'revocation'] as const
export type ChangeSeries = (typeof CHANGE_SERIES)[number]

export type NumberedChange = {
  readonly number: number
  /** Null: nothing of it is told. */
  readonly owes: OwedChange | null
}

/** `id`: of its event. `atSeconds`, `entry`: null where they are still to be read. */
export type OwedChange = {
  readonly id: string
  readonly atSeconds: number | null
  readonly entry: AuditEntry | null
}

/** All of a tenant, strong. Throws Unavailable. */
export interface ControlRecords {
  /** Up to `max` behind a number, ascending. Fewer: there are no more. */
  changes(tenant: string, series: ChangeSeries, after: number, max: number): Promise<readonly NumberedChange[]>
  /** What those of a series are that are to be read, by id. One that is not there was not carried out to its end. */
  entries(
    tenant: string,
    series: ChangeSeries,
    changes: readonly NumberedChange[],
  ): Promise<ReadonlyMap<string, AuditEntry>>
  /** Every move that rows of keys tell. */
  keyMoves(tenant: string): Promise<readonly AuditEntry[]>
  /** Every look-up of an hour (hours since 1970). */
  lookUps(tenant: string, hour: number): Promise<readonly AuditEntry[]>
}

/** What an event says it is of. `uid`: of the event. */
export type EventSource =
  | { readonly kind: 'order' | 'count' | 'removal'; readonly uid: string }
  | { readonly kind: 'denial'; readonly uid: string; readonly decisionId: string }
  | { readonly kind: 'document'; readonly uid: string; readonly version: number }
  | { readonly kind: 'key'; readonly uid: string; readonly kid: string; readonly state: KeyState }
  | { readonly kind: 'look_up'; readonly uid: string; readonly atSeconds: number }
  | { readonly kind: 'lift'; readonly uid: string; readonly selector: Selector }

export interface EventSources {
  /**
   * What the rows of these events say, by uid; `later`: the row is there, and does not say this any more. Absent: there is no row.
   * Throws Unavailable.
   */
  of(tenant: string, sources: readonly EventSource[]): Promise<ReadonlyMap<string, AuditEntry | 'later'>>
}
