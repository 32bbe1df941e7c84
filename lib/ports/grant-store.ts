// The record store of mint. Obligations are laws L1-L8 of the store contract suite (test/contract/grant-store.contract.ts).
import type { GrantRecord, NotIssued } from '../domain/grant-record.ts'
import type { Revocation, Selector } from '../domain/revocation.ts'
import type { KeyState } from '../domain/signing-key.ts'

export type GrantPut = {
  readonly record: GrantRecord
  /** What must not exist yet: the hash that makes this redemption unique in its tenant (base64url SHA-256). */
  readonly guard: string
  /** The marker may be dropped after this: at least 24 h after the evidence's exp. */
  readonly keepUntilSeconds: number
  /** Guards of a DPoP proof, redeemed in the same write; a hit is `proof_replayed`. */
  readonly proofGuard: { readonly hash: string; readonly keepUntilSeconds: number } | null
}

export type PutOutcome =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'exists'; readonly existing: GrantRecord; readonly notIssued: boolean }
  | { readonly outcome: 'proof_replayed' }

/** Why no credential came of a record. The store finds the record by its guard; the outcome is kept as long as it is. */
export type NotIssuedPut = {
  readonly outcome: NotIssued
  readonly guard: string
  readonly keepUntilSeconds: number
}

export interface GrantStore {
  /**
   * Linearizable and durable when it resolves (fsync): of any number of concurrent puts of one (tenant, guard), on any
   * number of processes, exactly one is `created`; the record is also the change-feed entry. Throws Unavailable when it
   * cannot tell, and then the put may or may not have happened. One bad row never fails its neighbours.
   */
  put(put: GrantPut): Promise<PutOutcome>
  /** The record under a guard, or null. Strong read. */
  find(tenant: string, guard: string): Promise<{ readonly record: GrantRecord; readonly notIssued: boolean } | null>
  /** Durable when it resolves. Idempotent: the first outcome of a record stands. */
  putNotIssued(put: NotIssuedPut): Promise<void>
}

export type StateQuery = {
  readonly tenant: string
  readonly selectors: readonly Selector[]
  /** kid of the key about to sign; null asks for none. */
  readonly kid: string | null
  /** False: the configuration version is not asked for, and what the answer says of it is to be ignored. */
  readonly asksConfig: boolean
}

export type StateAnswer = {
  /** Current configuration version; null: the tenant is gone or tombstoned. */
  readonly configVersion: number | null
  /** Revocations in force whose selector is among those asked, blocks and cuts alike. */
  readonly revocations: readonly Revocation[]
  readonly keyState: KeyState | null
}

export interface TenantState {
  /**
   * What is known without waiting, at most one turn of the event loop old; undefined: ask read(). Good for the look before
   * the record, which only saves a doomed redemption its record; never for the one after it.
   */
  peek(query: StateQuery): StateAnswer | undefined
  /**
   * Strong read that begins after the call: sees every write that resolved before, on any node. All of it or Unavailable;
   * a cache may answer only while it is proven current.
   */
  read(query: StateQuery): Promise<StateAnswer>
}

export interface TimeMark {
  /** Highest epoch second any process has seen, as of the last read or write; never falls. */
  highestSeconds(): number
  /**
   * Remembers a time, durably soon after. False: it is further ahead of the mark and of the store's own clock than clocks may
   * be apart (LIMITS.clockStepSecondsMax); it is not remembered, or one wrong clock would stop all the others.
   */
  raise(nowSeconds: number): boolean
}
