// What an attestation preset is: data about one platform's tokens (issuers.md §1-2, §5). Presets live in lib/providers,
// one file each. Code only for a quirk the data cannot express (`derive`, `check`), and it must be pure.
import type { JsonObject } from './claims.ts'
import type { Result } from './result.ts'
import type { Mutability, ProviderName, TriggerClass, WidLeaf, WidValue } from './wid.ts'

export type SignatureAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512'

export type ReplayMode = 'once' | 'reuse' | 'proof'

/**
 * One claim and the JSON type it must have (default 'string'). 'boolean-string' reads "true"/"false" (GitHub, GitLab);
 * 'number' turns a safe integer into its decimal string. Any other type refuses the evidence (issuers.md §0.7).
 */
export type ClaimRead = {
  readonly claim: readonly string[]
  readonly as?: 'string' | 'boolean' | 'boolean-string' | 'number'
}

/**
 * Where a leaf comes from: one claim, optionally through a closed table of its values (unlisted: the leaf's fallback);
 * the first present of several; the issuer itself; a constant; or a pure function of claims whose types were checked.
 */
export type LeafSource =
  | (ClaimRead & { readonly mutability: Mutability; readonly values?: Readonly<Record<string, string>> })
  | { readonly anyOf: readonly (ClaimRead & { readonly mutability: Mutability })[]; readonly mutability: Mutability }
  | { readonly issuer: true; readonly mutability: Mutability }
  | { readonly fixed: WidValue; readonly mutability: Mutability }
  | {
      readonly reads: readonly ClaimRead[]
      /** Gets the values in the order of `reads`; null where the claim is missing, null or "". */
      readonly derive: (values: readonly WidValue[]) => WidValue
      readonly mutability: Mutability
    }

export type Provider = {
  readonly name: ProviderName
  readonly title: string
  /** The form of `iss`. `exact` is used when the document names none. */
  readonly issuer: {
    readonly exact?: string
    /** True when this `iss` is one the platform uses, so that only this preset may register it (design §5). */
    readonly owns: (iss: string) => boolean
    /** True when a document may register this `iss` with this preset (loopback issuers of --dev are the loader's affair). */
    readonly accepts: (iss: string) => boolean
    /** One `iss` for many customers: the tenancy claim is then mandatory (issuers.md §0.9). */
    readonly shared: (iss: string) => boolean
    /** Human text for the reference docs and for load errors. */
    readonly form: string
  }
  /** Where the key set is when it cannot be found by discovery on the issuer's own host; null: discovery. */
  readonly jwksUrl?: (iss: string) => string
  /** True where many clusters share this `iss` text and only an inline key set can tell them apart (issuers.md §2.13). */
  readonly keysInlineOnly?: (iss: string) => boolean
  /** Hosts besides the issuer's own that its discovery document may name in jwks_uri (issuers.md §0.10). */
  readonly jwksHosts?: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Accepted `typ` values besides absent and "JWT". */
  readonly typ?: readonly string[]
  /** JOSE header members besides alg, kid, typ, x5t, x5t#S256 that are tolerated (and ignored). */
  readonly headerMembers?: readonly string[]
  readonly maxAgeSeconds: number
  /** Longest exp - iat accepted; absent: no cap of its own. */
  readonly lifetimeSecondsMax?: number
  /** iat may be missing (JWT-SVID): then exp - maxAge stands in. */
  readonly iatOptional?: true
  readonly replay: ReplayMode
  /** Whether `aud` is chosen by the job ('run'), by configuration ('configured') or fixed by the platform ('fixed'). */
  readonly audience: 'run' | 'configured' | 'fixed'
  /** The audience of every token, where it is fixed; used as the default of a `fixed_audience: accept` issuer. */
  readonly fixedAudience?: (iss: string) => string
  /** Platform-default audiences no tenant may register without `fixed_audience: accept`. */
  readonly defaultAudiences?: (aud: string) => boolean
  /** The leaf that tells customers of a shared issuer apart; the document key that holds it is `org_id`. */
  readonly tenancyLeaf: WidLeaf
  readonly leaves: { readonly [leaf in WidLeaf]?: LeafSource }
  /** Claims the caller chose that no leaf takes, with all that is in them: a document must not map them (issuers.md A34). */
  readonly callerClaims?: readonly (readonly string[])[]
  /** trigger.raw -> class; null: the platform has no trigger claim (class null, trusted). Unlisted raw is 'unknown'. */
  readonly triggers: Readonly<Record<string, TriggerClass>> | null
  /** Extra facts that make a source untrusted, beyond the trigger class (issuers.md §5.4, last paragraph). */
  readonly untrusted?: (leaves: Partial<Record<WidLeaf, WidValue>>, claims: JsonObject) => boolean
  /** A quirk check on the verified claims: forms of sub, required presence, equal twins. Refuses claim_invalid. */
  readonly check?: (claims: JsonObject, iss: string) => Result<null>
  /** Leaves of which a grant must bind at least one, exactly: the immutable project or workload id (design §5). */
  readonly workloadLeaf: WidLeaf
  /** The platform has no immutable workload id: binding the reusable one is accepted with a linter warning. */
  readonly workloadReusable?: true
  /** Tells a reusable value of the workload leaf from an immutable one, where the platform may send either (a linter warning). */
  readonly isReusableWorkload?: (value: string) => boolean
  /** A grant must also bind a ref or an environment (the platform maps one, issuers.md §5.3). */
  readonly bindsRefOrEnvironment: boolean
  /** Soft and hard lines of issuers.md §3 whose absence is a linter warning: leaf and the advice. */
  readonly advice: readonly { readonly leaves: readonly WidLeaf[]; readonly says: string }[]
}

export type ProviderCatalog = Readonly<Record<ProviderName, Provider>>
