// What is written before anything is signed: one redemption, whole (design §3.3, P5). It is an intent: a credential counts
// as issued unless an outcome row says otherwise. Never the token, never raw evidence; leaves, hashes and ids. Pure.
import type { Refusal } from './refusal.ts'
import type { CredentialType } from './token-request.ts'
import type { WidLeaf, WidValue } from './wid.ts'

/** How every candidate grant was judged: one '1' or '0' for each condition in document order, then the implied rules. */
export type Verdicts = Readonly<Record<string, string>>

export type GrantRecord = {
  readonly v: 1
  readonly decisionId: string
  readonly tenant: string
  readonly configVersion: number
  readonly grant: string
  readonly atSeconds: number
  readonly traceId: string
  readonly evidence: {
    readonly issuerName: string
    readonly issuer: string
    readonly sub: string
    readonly jti: string | null
    readonly iat: number
    readonly exp: number
    readonly alg: string
    readonly kid: string
    /** SHA-256, base64url, of the raw payload text. */
    readonly claimsHash: string
    /** SHA-256, base64url, of the replay key input (issuers.md §0.6). */
    readonly replayKey: string
  }
  /** Leaves that are not null. */
  readonly wid: Readonly<Partial<Record<WidLeaf, WidValue>>>
  readonly verdicts: Verdicts
  readonly credential: {
    readonly type: CredentialType
    readonly jti: string
    readonly sub: string
    readonly aud: string
    readonly scope: string
    readonly iat: number
    /** iat and the lifetime that was asked for; a cloud counts that from its own answer, a few seconds later. */
    readonly exp: number
    readonly alg: string
    readonly kid: string
    /** SHA-256, base64url, of the canonical claims, fixed before signing; for a session those of the token to the cloud. */
    readonly claimsHash: string
    readonly jkt: string | null
    /** jti of the parent credential, nearest first; empty for a credential born of evidence. */
    readonly ancestors: readonly string[]
    /** The cloud session, by the name it has in the cloud's own log. Its keys are nowhere: who has them has the session. */
    readonly session?: { readonly role: string; readonly sourceIdentity: string }
  }
  /** Hashes of the Idempotency-Key and of the canonical request; null where no key came. */
  readonly idempotency: { readonly keyHash: string; readonly requestHash: string } | null
  /** Where the request came from, as attest saw it: told to operators, and nothing is decided by it. Older records have none. */
  readonly source?: string
}

/** Written beside a record when nothing was issued after all: the second read hit, or signing failed. */
export type NotIssued = {
  readonly decisionId: string
  readonly tenant: string
  readonly atSeconds: number
  readonly refusal: Refusal
}

/** A refusal, for the operator. `wid` and `verdicts` are there as far as the exchange came. */
export type Denial = {
  readonly v: 1
  readonly decisionId: string
  /** '' where the path names no tenant of ours. */
  readonly tenant: string
  readonly configVersion: number | null
  readonly atSeconds: number
  readonly traceId: string
  readonly refusal: Refusal
  /** True when the signature and claims of the evidence were verified: the two kinds have budgets of their own. */
  readonly verified: boolean
  readonly source: string
  readonly issuerName: string | null
  readonly evidence: {
    readonly sub: string
    readonly jti: string | null
    readonly iat: number
    readonly exp: number
    readonly kid: string
    readonly replayKey: string
  } | null
  readonly wid: Readonly<Partial<Record<WidLeaf, WidValue>>> | null
  readonly verdicts: Verdicts | null
  readonly target: {
    readonly type: string
    readonly audience: string | null
    readonly scope: string | null
    readonly grant: string | null
  } | null
  /** Decision id of the redemption that came first, when this is a replay (Detection Finding). */
  readonly firstDecisionId: string | null
  /** Its number among the denials of the tenant that this instance made; absent before it is queued. */
  readonly counted?: { readonly instance: string; readonly number: number } | undefined
}

/**
 * A denial too big to keep whole: what was decided and why, without what it was decided on. Its evidence is no bigger than the token
 * it came in, and a replay is proven by it.
 */
export const shortDenial = (denial: Denial): Denial => ({
  ...denial,
  refusal: { kind: denial.refusal.kind },
  wid: null,
  verdicts: null,
  target: null,
})

/** Denials of one kind, tenant and source in one minute beyond the full ones: the exact count. */
export type DenialRollUp = {
  readonly tenant: string
  readonly minute: number
  readonly kind: string
  readonly source: string
  readonly count: number
}

/** What `mintmark decision ID` finds. */
export type StoredDecision =
  | { readonly kind: 'allow'; readonly record: GrantRecord; readonly notIssued: NotIssued | null }
  | { readonly kind: 'deny'; readonly denial: Denial }
  | { readonly kind: 'rolled_up'; readonly rollUp: DenialRollUp }
