// A tenant document, checked and compiled: the only form in which configuration reaches a decision (design §5). Plain
// data, so that it can be stored, hashed and compared. Made only by lib/wire/compile-tenant.ts. Pure.
import type { AwsSeverity } from './aws-finding.ts'
import type { SessionWay } from './aws-session.ts'
import type { EventRule } from './event-subject.ts'
import type { GlobPart } from './glob.ts'
import type { KeySource } from './key-source.ts'
import type { ReplayMode, SignatureAlgorithm } from './provider.ts'
import type { RevocationKind } from './revocation.ts'
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

/** Where audit events go. Secrets are names, `<tenant>/<name>`. */
export type SinkRule = { readonly name: string } & (
  | {
      readonly type: 'splunk-hec'
      readonly url: string
      readonly token: string
      readonly index: string | null
      /** Whether what was sent counts as delivered only once the indexer says so. */
      readonly isAcknowledged: boolean
    }
  /** `header`: the one the token is sent in as it is; null: Authorization, as a bearer token. */
  | { readonly type: 'otlp-logs'; readonly url: string; readonly token: string | null; readonly header: string | null }
  | {
      readonly type: 'elasticsearch'
      readonly url: string
      /** Index, alias or data stream. */
      readonly index: string
      readonly token: string | null
      readonly scheme: 'ApiKey' | 'Basic' | 'Bearer'
    }
  | { readonly type: 'webhook'; readonly url: string; readonly token: string | null }
  /** `path`: a bare name in the data directory. */
  | { readonly type: 'jsonl'; readonly path: string }
)

export type SinkRuleOf<T extends SinkRule['type']> = Extract<SinkRule, { readonly type: T }>

/** Who is told of revocations: a webhook is sent to (RFC 8935), a poller fetches (RFC 8936). */
export type ReceiverRule =
  | {
      readonly name: string
      readonly type: 'webhook'
      readonly url: string
      /** Name of the secret that is the whole header Authorization; null: what is sent is signed, and that is all. */
      readonly authorization: string | null
    }
  | { readonly name: string; readonly type: 'poll' }

/** Who may report security events as SETs. */
export type SetSource = {
  readonly kind: 'set'
  readonly name: string
  /** Byte-exact `iss`, unique within the tenant's sources. */
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly keys: KeySource
  /** Name of the secret its requests show in Authorization; null: its signature is all that is asked for. */
  readonly authorization: string | null
  /** In the order of the document: the first that fits decides. */
  readonly rules: readonly EventRule[]
}

/** A webhook of GitHub that reports leaked secrets. */
export type GithubSource = {
  readonly kind: 'github'
  readonly name: string
  /** Name of the secret its bodies are signed with. */
  readonly secret: string
  /** Types of secret that are tokens of ours. */
  readonly secretTypes: readonly string[]
  /** Name of the issuer whose projects the repositories are. */
  readonly issuer: string
  /** Ids of the accounts whose repositories count; null: the issuer itself is of this tenant alone. */
  readonly owners: readonly string[] | null
  readonly form: 'block' | 'cut'
}

/** Findings of AWS about sessions in the tenant's own accounts. */
export type AwsSource = {
  readonly kind: 'aws'
  readonly name: string
  /** Those the roles of the grants are in. */
  readonly accounts: readonly string[]
  readonly leastSeverity: AwsSeverity
  /** `<service>:<operation>` that no session of ours has any business with. */
  readonly calls: readonly string[]
  readonly revoke: RevocationKind
  readonly form: 'block' | 'cut'
}

/** GitHub's secret scanning partner program: it reports tokens of ours that it found in public code. */
export type LeakSource = { readonly kind: 'leaks'; readonly name: string; readonly keys: KeySource }

export type EventSource = SetSource | GithubSource | AwsSource | LeakSource

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
  readonly events: readonly EventSource[]
  readonly receivers: readonly ReceiverRule[]
  readonly sinks: readonly SinkRule[]
  /** How long events of the audit log are kept; null: for ever. */
  readonly auditKeepSeconds: number | null
}

/** Everybody whose keys the tenant trusts, by a name that is one among them: event sources are `events/<name>`. */
export const keyOwnersOf = ({
  issuers,
  events,
}: TenantConfig): readonly { readonly name: string; readonly keys: KeySource }[] => [
  ...issuers,
  ...events.flatMap((source) => ('keys' in source ? { name: `events/${source.name}`, keys: source.keys } : [])),
]
