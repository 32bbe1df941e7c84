// Key sets of foreign issuers: where they are kept, and who fetches them (design §2 `trust`). What attest and mint ask for
// is in ports/evidence.ts (IssuerKeys).
import type { JsonValue } from '../domain/claims.ts'
import type { FetchedKeySource } from '../domain/key-source.ts'

/** One fetched set. Plain JSON, a few KiB, 64 KiB of text at most. Public keys only: nothing in it is secret. */
export type StoredKeySet = {
  /** keySourceId() of where it was fetched; no tenant is in it, since a fetched source is one across tenants. */
  readonly sourceId: string
  /** The JWK Set as the strict parser read it; judged anew by whoever reads it. */
  readonly jwks: JsonValue
  /** When the issuer last served it, also when nothing had changed. */
  readonly fetchedAtSeconds: number
  /** `spiffe_sequence` of a SPIFFE bundle; null: it has none. */
  readonly spiffeSequence: number | null
  /** When trust last fetched because a key id was unknown; null: never. Bounds such fetches over all processes. */
  readonly unknownKeyFetchAtSeconds: number | null
}

export interface IssuerKeyStore {
  /** Strong read; null: never written. Throws Unavailable when it cannot tell. */
  read(sourceId: string): Promise<StoredKeySet | null>
  /** Replaces the whole row (last write wins); other processes read it from then on. Only trust may write. */
  write(set: StoredKeySet): Promise<void>
}

/** Why trust is asked: `unknown_key` is bounded to one fetch per source and minute, whoever asks and however often. */
export type RefreshReason = 'cold' | 'due' | 'unknown_key'

export type RefreshOutcome =
  | { readonly ok: true; readonly set: StoredKeySet; readonly fetched: boolean }
  /** A constant code and, where a foreign answer had one, its status: never its text. */
  | { readonly ok: false; readonly problem: RefreshProblem; readonly status: number | null }

/** Why there is no new set. The good set that was there stays, and ages. */
export type RefreshProblem =
  | 'fetch_failed' // detail in the event
  | 'not_utf8'
  | 'not_json'
  | 'discovery_malformed'
  | 'issuer_mismatch' // row 43: the document is of another issuer
  | 'jwks_uri_refused'
  | 'own_url' // our own keys are no issuer's (design §3)
  | 'too_many_keys'
  | 'no_usable_key' // row 59
  | 'sequence_went_back'

export interface Trust {
  /**
   * Fetches, judges and stores the set of one source. Slow (up to 5 s) and never throws for what the issuer does; throws
   * Unavailable when the store fails. A set without a usable key never replaces a good one.
   */
  refresh(source: FetchedKeySource, why: RefreshReason): Promise<RefreshOutcome>
}

/** What an operator should see of key fetching. Codes, counts and the source's own name; nothing the issuer wrote. */
export type TrustEvent =
  | {
      readonly kind: 'keys_refreshed'
      readonly sourceId: string
      readonly usable: number
      readonly dropped: readonly string[]
    }
  | {
      readonly kind: 'keys_not_refreshed'
      readonly sourceId: string
      readonly problem: RefreshProblem
      readonly reason: string | null
      readonly status: number | null
      readonly keptLastGood: boolean
    }
