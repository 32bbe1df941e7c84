// The way from attest to mint: an invocation, so what is in here is a request and never a fact. mint verifies it all again.
import type { Denial } from '../domain/grant-record.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { GrantType, RequestedTarget, TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'

export type MintRequest = {
  readonly tenant: string
  readonly grantType: GrantType
  /** The raw evidence, as the caller sent it. */
  readonly evidence: string
  readonly target: RequestedTarget
  readonly idempotencyKey: string | null
  readonly dpop: { readonly proof: string; readonly method: string; readonly url: string } | null
  readonly decisionId: string
  readonly traceId: string
  /** Where the request came from. Recorded as attest's word, and never judged by. */
  readonly source: string
  /** In one process only: the Attested that attest made. Anything else is ignored, and JSON cannot carry one. */
  readonly attested?: unknown
}

export type IssuedCredential = {
  /** RFC 8693 §2.2.1: the security token, whatever its kind; for a cloud session the document of its credentials. */
  readonly accessToken: string
  readonly issuedTokenType: typeof TYPE_ACCESS_TOKEN | typeof TYPE_AWS_CREDENTIALS
  /** N_A: it is not presented as an access token at all. */
  readonly tokenType: 'Bearer' | 'DPoP' | 'N_A'
  readonly expiresInSeconds: number
  readonly scope: string
}

/** What a denial record says of how far the exchange came. */
export type DenialContext = Pick<
  Denial,
  'configVersion' | 'verified' | 'issuerName' | 'evidence' | 'wid' | 'verdicts' | 'firstDecisionId'
>

export type MintAnswer =
  | { readonly ok: true; readonly credential: IssuedCredential }
  | {
      readonly ok: false
      readonly refusal: Refusal
      readonly context: DenialContext
      readonly retryAfterSeconds?: number
    }

export interface Mint {
  mint(request: MintRequest): Promise<MintAnswer>
}
