// A session of an AWS role: its names, its tags, and the token of ours that asks for it (tenancy-and-aws.md §2; AWS IAM user
// guide, "Creating a role for web identity"). Whatever AWS later logs of the session leads back to the decision. Pure.

/** How STS is asked: with a token of ours pinned to the role, or with the broker's own credentials and an external id. */
export type SessionWay = 'web-identity' | 'assume-role'

export const accountOf = (role: string): string => role.split(':')[4] ?? ''

/**
 * `aud` of the token, registered with the tenant's identity provider in that account: of one tenant and one account, and below
 * the issuer URL, where no access token may have an audience.
 */
export const federationAudience = (issuerUrl: string, account: string): string => `${issuerUrl}/aws/${account}`

/** AWS reads the key set of an https issuer only, and takes no port in its name. */
export const isFederationIssuer = (issuerUrl: string): boolean => /^https:\/\/[^/:?#@]+(?:\/|$)/.test(issuerUrl)

/**
 * `<tenant>.<decision id>`, the id without its hyphens: at most 31 + 1 + 32 of the 64 characters AWS allows. It stays with the
 * session through every role it goes on to assume, stands in CloudTrail, and is what `mintmark revoke --session` names.
 */
export const sourceIdentityOf = (tenant: string, decisionId: string): string =>
  `${tenant}.${decisionId.replaceAll('-', '')}`

/** What AWS takes as a source identity: nothing that would be a pattern or a variable in a policy. */
export const isSourceIdentity = (text: string): boolean => /^[\w+=,.@-]{2,64}$/.test(text)

/** Where the texts lie that deny on roles: those of one tenant below its name, and the one that denies everything. */
export const DENY_PATH = '/mintmark/deny/'
export const DENY_ALL_NAME = 'mintmark-deny-all'

export const sessionNameOf = (decisionId: string): string => `mintmark-${decisionId}`

/** Who the session speaks for, as the role's trust policy and the resources' policies see it. */
export type SessionFacts = {
  readonly tenant: string
  /** SPIFFE ID. */
  readonly subject: string
  readonly run: string | null
}

const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u
export const isTagValue = (text: string): boolean => TAG_VALUE.test(text)

/** A value AWS would not take is left out, never changed: a policy that asks for the tag then denies. */
export const sessionTags = ({ tenant, subject, run }: SessionFacts): Readonly<Record<string, string>> => ({
  'mintmark-tenant': tenant,
  ...(run !== null && isTagValue(run) ? { 'mintmark-run': run } : {}),
  ...(isTagValue(subject) ? { 'mintmark-sub': subject } : {}),
})

/** No role further down the chain can be given another tenant. */
export const TRANSITIVE_TAGS = ['mintmark-tenant'] as const

export type FederationClaims = SessionFacts & {
  readonly issuerUrl: string
  readonly role: string
  readonly decisionId: string
  readonly issuedAtSeconds: number
  readonly lifetimeSeconds: number
}

/**
 * The payload as text. It opens one role for a minute: `roles` has STS refuse it for any other, whatever that one trusts. No
 * `nbf`: `iat` says the same, and STS counts by its own clock.
 */
export const federationPayload = (c: FederationClaims): string => {
  const tags: Record<string, readonly string[]> = {}
  for (const [name, value] of Object.entries(sessionTags(c))) tags[name] = [value]
  return JSON.stringify({
    iss: c.issuerUrl,
    sub: c.subject,
    aud: federationAudience(c.issuerUrl, accountOf(c.role)),
    iat: c.issuedAtSeconds,
    exp: c.issuedAtSeconds + c.lifetimeSeconds,
    jti: c.decisionId,
    'https://aws.amazon.com/roles': c.role,
    'https://aws.amazon.com/source_identity': sourceIdentityOf(c.tenant, c.decisionId),
    'https://aws.amazon.com/tags': { principal_tags: tags, transitive_tag_keys: TRANSITIVE_TAGS },
  })
}

/** `typ: JWT`: no resource server of ours takes it for an access token. */
export const federationHeader = (kid: string): string => JSON.stringify({ typ: 'JWT', alg: 'ES256', kid })

/**
 * The external id of a tenant in an account: made by the broker, never chosen by the tenant, another one for each tenant, account
 * and broker. AWS counts it as no secret; what matters is that nobody else's requests carry it. `sha256` gives base64url.
 */
export const externalIdOf = (
  { tenant, issuerUrl, role }: { readonly tenant: string; readonly issuerUrl: string; readonly role: string },
  sha256: (text: string) => string,
): string => `mintmark-${tenant}-${sha256(`mintmark external id 1\0${issuerUrl}\0${accountOf(role)}`).slice(0, 22)}`

export type CloudSession = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtSeconds: number
  /** The same as AWS writes it: 2026-11-22T13:00:00Z. */
  readonly expiration: string
}

/** What a `credential_process` prints (AWS SDKs and tools reference guide, "Process credential provider"). */
export const credentialProcessDocument = (session: CloudSession, role: string): string =>
  JSON.stringify({
    Version: 1,
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: session.expiration,
    AccountId: accountOf(role),
  })

/** What STS says when it refuses for good: the role, its trust or what was asked is wrong. Anything else may pass. */
const REFUSED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'IDPRejectedClaim',
  'InvalidIdentityToken',
  'MalformedPolicyDocument',
  'PackedPolicyTooLarge',
  'RegionDisabled',
  'ValidationError',
])

/** The code of a lasting refusal, from STS's name for it or the SDK's; null where STS could not tell or asks for patience. */
export const refusedBySts = (code: string): string | null => {
  const plain = code.replace(/Exception$/, '')
  return REFUSED.has(plain) ? plain : null
}

/** The ARN the caller is then known by: what STS answers must be this and no other. */
export const assumedRoleArn = (role: string, sessionName: string): string => {
  const partition = role.split(':')[1] ?? ''
  return `arn:${partition}:sts::${accountOf(role)}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/${sessionName}`
}
