// Where a tenant's log is kept: leaves, tiles, checkpoints (design §4). What is stored is decided by lib/flows; what a store owes
// is that two writers never both add to the same end, and that what it said it keeps.
import type { ChainLink } from '../domain/ocsf/record-integrity.ts'
import type { Edge, GrownTile, TileName } from '../domain/tlog/tiles.ts'
import type { ChangeSeries } from './control-records.ts'

/** The end of a log. `origin`: its name, given once; monitors know it by that. */
export type LogHead = {
  readonly origin: string
  /** Issuer URL of the tenant, as of the first leaf: who attests the events. */
  readonly authority: string
  readonly edge: Edge
  readonly last: ChainLink
}

export type NewLeaf = {
  readonly uid: string
  readonly atSeconds: number
  readonly salt: Uint8Array
  readonly commitment: Uint8Array
  /** RFC 8785 text of the event. */
  readonly canonical: string
}

export type Growth = {
  readonly head: LogHead
  readonly leaves: readonly NewLeaf[]
  readonly tiles: readonly GrownTile[]
}

export type SignedCheckpoint = { readonly size: number; readonly note: string }

/** `uid`: of the event, as the store says; absent where only the event does. */
export type StoredLeaf = {
  readonly index: number
  readonly uid?: string
  readonly salt: Uint8Array
  readonly canonical: string
}

/** What the owner of the log may do: audit. */
export interface LogStore {
  /** Of one commit: leaves, and bytes of their canonical texts but for a first one that has more alone. Absent: no bound. */
  readonly room?: { readonly leaves: number; readonly bytes: number }
  /** Null: no leaf yet. Strong: nothing that was committed before the call is missing. Throws Unavailable. */
  head(tenant: string): Promise<LogHead | null>
  /** Which of these events are in the log, as of a head read before the call or later. */
  known(tenant: string, uids: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * All of it or nothing, durable when it resolves. False, and nothing written: the log no longer has `expectedSize` leaves.
   * INVARIANT: of two calls with one expected size at most one is true, or the log would fork.
   */
  commit(tenant: string, expectedSize: number, growth: Growth): Promise<boolean>
  /** Durable; a smaller checkpoint than the one there changes nothing. */
  putCheckpoint(tenant: string, checkpoint: SignedCheckpoint, atSeconds: number): Promise<void>
  /** Tenants whose log has leaves that no checkpoint covers. */
  uncovered(): Promise<readonly string[]>
}

/** What is public of it. */
export interface PublishedLog {
  /** Tenants that have a log. */
  tenants(): Promise<readonly string[]>
  /** Null: no leaf yet. Asks no tile, so it answers for a damaged log too. */
  about(tenant: string): Promise<{ readonly origin: string; readonly size: number } | null>
  checkpoint(tenant: string): Promise<SignedCheckpoint | null>
  /** Exactly `width` hashes or entries; null: the log has not that many there. */
  tile(tenant: string, name: TileName): Promise<Uint8Array | null>
}

/** What only operators of the tenant see: events and salts. */
export interface LogLeaves {
  /** Up to `limit` leaves from an index on, ascending; one that is missing is passed over. */
  leaves(tenant: string, fromIndex: number, limit: number): Promise<readonly StoredLeaf[]>
  leafOf(tenant: string, uid: string): Promise<StoredLeaf | null>
  /** One checkpoint a minute, oldest first. */
  history(tenant: string): Promise<readonly SignedCheckpoint[]>
}

/** Which logs have grown, where nobody walks over all of them. */
export interface GrownLogs {
  /** Every log that may have leaves beyond what was settled. Throws Unavailable. */
  due(): Promise<readonly string[]>
  /** All leaves below are signed, and anchored wherever that is asked for. Lower than before changes nothing. */
  settled(tenant: string, size: number): Promise<void>
}

/** `nextHour`: the first (hours since 1970) of which nothing was compared; null: none was. By series: the last number that was; 0: none. */
export type Compared = { readonly tenant: string; readonly nextHour: number | null } & Readonly<
  Record<ChangeSeries, number>
>

/** How far logs were compared with what they are of: records by the hour of their decisions, changes by their numbers. */
export interface ComparedLogs {
  /** Every log. Throws Unavailable. */
  compared(): Promise<readonly Compared[]>
  /** Every hour before this one was. Lower than before changes nothing. */
  comparedUntil(tenant: string, nextHour: number): Promise<void>
  /** Every change up to this one was. Likewise. */
  comparedChanges(tenant: string, series: ChangeSeries, number: number): Promise<void>
}

/** Events from the front of a log that are no longer kept: `note`, signed at `atSeconds`, covered all of them. */
export type Expired = { readonly leaves: number; readonly atSeconds: number; readonly note: string }

export interface LogRetention {
  /** Null: all are kept. */
  expired(tenant: string): Promise<Expired | null>
  /**
   * Drops events and salts, beyond recovery, of the leaves that a checkpoint signed before a time covers, but none that one of
   * these sinks has still to be given; and what sinks refused of that time. How many events of the log went; may be called again after
   * a crash.
   */
  expire(tenant: string, beforeSeconds: number, sinks: readonly string[]): Promise<number>
}

/** Signs notes as the log of a tenant. */
export interface LogSigner {
  /**
   * The note of a text of ASCII, signed by the active key under the name given. Throws Unavailable: there is no such key now.
   */
  sign(tenant: string, name: string, text: string): Promise<string>
  /** Verifier keys of all keys the log ever had but those that are tainted, the active one first. */
  verifierKeys(tenant: string, name: string): Promise<readonly string[]>
}

export interface Salts {
  /** 32 random bytes, never the same twice. */
  next(): Uint8Array
}

/** A log to be verified, wherever it is: live, exported, or behind HTTP. Read from the first leaf to the last, once. */
export interface LogSource {
  /** The note, not believed yet; null: there is none. */
  checkpoint(): Promise<string | null>
  /** Null: there is no such tile. Undefined: this source keeps no tiles. */
  tile(name: TileName): Promise<Uint8Array | null | undefined>
  /** As LogLeaves; null: this source shows no events. */
  leaves(fromIndex: number, limit: number): Promise<readonly StoredLeaf[] | null>
  /** What the source says is no longer kept. */
  readonly expired?: () => Promise<Expired | null>
  /** Of a copy, which is of one size: whether there are events behind those that were asked for. */
  readonly behind?: () => Promise<boolean>
}
