// A tenant document, checked and compiled: the only form in which configuration reaches a decision (design §5). Plain
// data, so that it can be stored, hashed and compared. Made only by lib/wire/compile-tenant.ts. Pure.
import type { SessionWay } from './aws-session.ts'
import type { GlobPart } from './glob.ts'
import type { KeySource } from './key-source.ts'
import type { ReplayMode, SignatureAlgorithm } from './provider.ts'
import type { ProviderName, WidLeaf } from './wid.ts'

export type Matcher =
  | { readonly kind: 'equals'; readonly value: string | boolean }
  | { readonly kind: 'any_of'; readonly values: readonly string[] }
  | { readonly kind: 'glob'; readonly pattern: string; readonly parts: readonly GlobPart[] }
  | { readonly kind: 'not'; readonly matcher: Exclude<Matcher, { kind: 'not' }> }

/** One line of `match:`. A null leaf never matches, whatever the matcher is, `not` included. */
export type Condition = { readonly leaf: WidLeaf; readonly matcher: Matcher }

export type IssuerConfig = {
  readonly name: string
  readonly provider: ProviderName
  /** Byte-exact `iss`. Unique within the tenant. */
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly typ: readonly string[]
  readonly headerMembers: readonly string[]
  readonly maxAgeSeconds: number
  readonly lifetimeSecondsMax: number | null
  readonly iatOptional: boolean
  readonly replay: ReplayMode
  /** Values of the provider's tenancy leaf that are this tenant; null where the issuer itself is the tenancy. */
  readonly orgIds: readonly string[] | null
  readonly keys: KeySource
  /** `claims:` of the document: leaf to path of claim names. */
  readonly mapping: readonly { readonly leaf: WidLeaf; readonly claim: readonly string[] }[]
}

export type IdentityPart = { readonly literal: string } | { readonly leaf: WidLeaf }

export type AccessTokenEntry = {
  readonly type: 'access_token'
  readonly audiences: readonly string[]
  readonly scope: readonly string[]
  readonly ttlSeconds: number
  readonly alg: 'ES256' | 'RS256'
  readonly onReplay: 'alert' | 'revoke'
  readonly introspects: readonly string[] | null
}

/** A session of a role of the tenant's own account. */
export type AwsCredentialsEntry = {
  readonly type: 'aws-credentials'
  readonly role: string
  readonly via: SessionWay
  /** What a request names it by; never what the token to the cloud says. */
  readonly audiences: readonly string[]
  /** Empty: what a session may do is in the policies of the role. */
  readonly scope: readonly string[]
  readonly ttlSeconds: number
}

export type IssueEntry = AccessTokenEntry | AwsCredentialsEntry

export type GrantRule = {
  readonly name: string
  /** Name of the issuer whose evidence it takes. */
  readonly from: string
  readonly conditions: readonly Condition[]
  /** Path of the SPIFFE ID: each segment a list of parts, joined without separator. */
  readonly identity: readonly (readonly IdentityPart[])[]
  readonly issue: readonly IssueEntry[]
  /** Leaves copied into the token's `wid` claim. */
  readonly claims: readonly WidLeaf[]
  readonly mode: 'enforce' | 'report'
  readonly untrustedSource: 'deny' | 'allow'
}

/** Where audit events go that this version delivers. `path`: a bare name in the data directory. */
export type SinkRule = { readonly name: string; readonly type: 'jsonl'; readonly path: string }

export type TenantConfig = {
  readonly tenant: string
  /** Rises by one with every change that is applied. */
  readonly version: number
  /** SHA-256 (base64url) of the canonical document. */
  readonly digest: string
  readonly trustDomain: string
  /** Whose KMS key signs on AWS: one of its own, or the pool's; of no effect elsewhere. */
  readonly tier: 'pooled' | 'silo'
  /** `<base-url>/t/<tenant>`: iss of its tokens and default audience of its evidence. */
  readonly issuerUrl: string
  readonly issuers: readonly IssuerConfig[]
  readonly grants: readonly GrantRule[]
  readonly sinks: readonly SinkRule[]
}
