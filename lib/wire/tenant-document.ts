// The tenant document (design §5): the one strict schema it is read with, and the JSON Schema editors and the reference docs
// get. It says what a document may look like; what it may mean is in lib/wire/compile-*.ts. Nothing is transformed here, so
// that a parsed document printed as JSON is again a document, and its digest is of what was reviewed.
import * as z from 'zod'
import { LIMITS } from '../domain/limits.ts'
import type { SignatureAlgorithm } from '../domain/provider.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../domain/revocation.ts'
import { PROVIDERS, WID_LEAVES, type WidLeaf } from '../domain/wid.ts'

const LEAVES = Object.keys(WID_LEAVES) as [WidLeaf, ...WidLeaf[]]
const REVOCABLE = Object.keys(REVOCATION_KINDS) as [RevocationKind, ...RevocationKind[]]
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
ALGORITHMS satisfies readonly SignatureAlgorithm[]

/** Lines of the linter a grant may waive, each with a reason. `untrusted_source` must be waived to say `untrusted_source: allow`. */
export const WAIVABLE_RULES = ['untrusted_source', 'reusable_workload', 'advice', 'whole_tenant_introspect'] as const

const NAME = /^[a-z][a-z0-9_-]{0,62}$/
const name = (what: string) => z.string().regex(NAME, `the name of ${what} is lower case letters, digits, "-" and "_"`)
const text = z.string().min(1, 'must not be empty').max(LIMITS.patternCharsMax)
const reason = z.string().trim().min(8, 'a reason of a few words').max(500)
const url = z
  .string()
  .max(LIMITS.patternCharsMax)
  .regex(/^https?:\/\/[^\s]+$/, 'must be a URL')
const duration = z
  .string({ error: 'a length of time such as 30s, 10m or 1h' })
  .regex(/^[1-9][0-9]{0,4}[smh]$/, 'a length of time such as 30s, 10m or 1h')
const list = <T extends z.ZodType>(of: T) => z.array(of).min(1, 'must not be empty').max(LIMITS.listItemsMax)
const leaf = z.enum(LEAVES, { error: (issue) => `there is no leaf ${JSON.stringify(issue.input)} in wid/1` })
const algorithms = list(z.enum(ALGORITHMS)).describe('Signature algorithms accepted from this issuer.')

const secretFile = z
  .strictObject(
    {
      file: z
        .string()
        .regex(/^[a-z][a-z0-9]*\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be <tenant>/<name>, a file under --secrets'),
    },
    { error: 'an inline secret is refused: write { file: <tenant>/<name> }' },
  )
  .describe('Name of a secret: a file below --secrets DIR, or the Secrets Manager name on AWS.')

const jwk = z
  .looseObject({ kty: z.enum(['RSA', 'EC'], { error: 'kty must be RSA or EC' }), kid: text.optional() })
  .refine((key) => !['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((member) => member in key), {
    error: 'a private key: only public keys belong here',
  })

const jwks = z
  .union(
    [
      z.strictObject({
        inline: z
          .strictObject({
            keys: z.array(jwk).max(LIMITS.jwksKeysMax),
            spiffe_sequence: z.number().optional(),
            spiffe_refresh_hint: z.number().optional(),
          })
          .describe('A JWK Set (RFC 7517 §5) or a SPIFFE bundle.'),
      }),
      z.strictObject({ url: url.describe('Where the JWK Set is.') }),
      z.strictObject({ discovery: z.literal(true) }),
    ],
    { error: 'must be { inline: … }, { url: … } or { discovery: true }' },
  )
  .describe('Where the keys of the issuer come from. Default: what the preset says, else OpenID Connect discovery.')

const issuer = z
  .strictObject({
    provider: z
      .enum(PROVIDERS)
      .describe('The preset: issuer, algorithms, ages, claim map, replay mode and tenancy claim of a platform.'),
    issuer: z
      .string()
      .min(1)
      .max(LIMITS.patternCharsMax)
      .optional()
      .describe('`iss`, byte for byte. Default: that of the preset, where it has one.'),
    audience: text
      .optional()
      .describe(
        'What evidence must carry in `aud`: the issuer URL of the tenant (the default), or that and `/…` or `#…`.',
      ),
    org_id: z
      .union([text, list(text)], { error: 'must be an id, or a list of ids' })
      .optional()
      .describe('Value or values of the tenancy claim (wid org.id). Required where many customers share the issuer.'),
    jwks: jwks.optional(),
    algorithms: algorithms.optional(),
    claims: z
      .partialRecord(
        leaf,
        z.union([text, list(text)], {
          error: 'must be the name of a claim, or the list of names that leads to a nested one',
        }),
      )
      .optional()
      .describe('Leaf of wid/1 to claim, for leaves the preset leaves empty. A list of names leads to a nested claim.'),
    replay: z.enum(['once', 'reuse', 'proof']).optional().describe('once; reuse (until max_age); proof (needs DPoP).'),
    max_age: duration.optional().describe('Oldest `iat` accepted. Never longer than the preset says.'),
    fixed_audience: z
      .literal('accept')
      .optional()
      .describe(
        'Accepts an audience that the platform fixes and others accept too. Needs `reason`; sets replay once and max_age at most 120 s.',
      ),
    reason: reason.optional().describe('Why a fixed audience is accepted.'),
  })
  .describe('Who may sign evidence for this tenant.')

const plainMatcher = [
  z.string().min(1).max(LIMITS.patternCharsMax),
  z.boolean(),
  list(text),
  z.strictObject({ glob: text }),
] as const
const matcher = z
  .union(
    [
      ...plainMatcher,
      z.strictObject({ not: z.union(plainMatcher, { error: 'must be a value, a list or { glob: … }' }) }),
    ],
    {
      error: 'must be a value, a list of values, { glob: … } or { not: … }',
    },
  )
  .describe(
    'Exact value; list: any of; glob: anchored, `*` does not cross `/` or `:`, `**` does not cross `:`; not: anything else, but not a missing value.',
  )

const scopeToken = z
  .string()
  .max(128)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope has no spaces, quotes or backslashes')
const audience = z
  .string()
  .min(1)
  .max(LIMITS.patternCharsMax)
  .regex(/^[\x21-\x7e]+$/, 'an audience has no spaces')

const accessToken = z
  .strictObject({
    type: z.literal('access_token'),
    audience: list(audience).describe(
      'What the token is for. One token has one; a request names it where there are several.',
    ),
    scope: list(scopeToken).describe('Scopes the token may have.'),
    ttl: duration.optional().describe('Lifetime: 10m by default, 1h at most.'),
    alg: z.enum(['ES256', 'RS256']).optional().describe('ES256 by default.'),
    on_replay: z
      .enum(['alert', 'revoke'])
      .optional()
      .describe('What a second redemption of the evidence does to the first credential.'),
    introspects: list(audience)
      .optional()
      .describe('With scope introspect: audiences whose tokens the holder may ask about. Default: all of the tenant.'),
  })
  .describe('An RFC 9068 access token.')

const awsCredentials = z
  .strictObject({
    type: z.literal('aws-credentials'),
    role: z
      .string()
      .max(256)
      .regex(/^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of a role'),
    ttl: duration.optional().describe('15m by default, 1h at most, 15m at least.'),
    audience: list(audience)
      .optional()
      .describe('What a request names the role by. Default: <issuer URL>/aws/<account id>.'),
    via: z
      .enum(['web-identity', 'assume-role'])
      .optional()
      .describe(
        'web-identity (default): a token of the broker, pinned to the role, that the account verifies. assume-role: the role of the broker, with an external id; AWS target only.',
      ),
  })
  .describe('Session credentials of an AWS role.')

const waiver = z
  .strictObject({ rule: z.enum(WAIVABLE_RULES), reason })
  .describe('A line of the linter that does not apply to this grant, and why.')

const grant = z
  .strictObject({
    from: name('an issuer').describe('Name of the issuer whose evidence it takes.'),
    match: z.partialRecord(leaf, matcher).describe('Every line must hold; a missing value never matches.'),
    identity: z
      .string()
      .min(1)
      .max(LIMITS.patternCharsMax)
      .describe('Path of the SPIFFE ID; `{leaf}` stands for a value. A null segment denies.'),
    issue: list(
      z.discriminatedUnion('type', [accessToken, awsCredentials], {
        error: 'type must be access_token or aws-credentials',
      }),
    ).describe('What the grant issues.'),
    claims: z
      .array(leaf)
      .max(LIMITS.listItemsMax)
      .optional()
      .describe(
        'Leaves of wid/1 that the token carries. Default: provider, org.id, project.id, ref.full, environment.name, run.id.',
      ),
    mode: z
      .enum(['enforce', 'report'])
      .optional()
      .describe('report: decide and record, issue nothing. Default: enforce.'),
    untrusted_source: z
      .enum(['deny', 'allow'])
      .optional()
      .describe('allow: also when foreign code may be running. Needs a waiver.'),
    waivers: list(waiver).optional(),
  })
  .describe('A rule that lets a workload have a credential.')

const eventSource = z
  .strictObject({
    issuer: url,
    audience: text.optional(),
    jwks: jwks.optional(),
    algorithms: algorithms.optional(),
    on: z.record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9:/._-]{0,200}$/, 'the name of an event'),
      z.strictObject({
        subject: z
          .enum(['opaque', 'iss_sub', 'email', 'account', 'uri', 'did', 'phone_number', 'aliases'])
          .describe('RFC 9493 subject format.'),
        revoke: z.enum(REVOCABLE).describe('Kind of revocation the event becomes.'),
      }),
    ),
  })
  .describe('Who may report security events (RFC 8935). Not acted on by this version.')

const receiver = z
  .strictObject({ type: z.literal('webhook'), url, secret: secretFile.optional() })
  .describe('Who is told of revocations. Not acted on by this version.')

const sink = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('splunk-hec'), url, token: secretFile, index: text.optional() }),
      z.strictObject({ type: z.literal('webhook'), url, token: secretFile.optional() }),
      z.strictObject({ type: z.literal('jsonl'), path: z.string().max(100).describe('<tenant>-*.jsonl, in --data.') }),
    ],
    { error: 'type must be splunk-hec, webhook or jsonl' },
  )
  .describe('Where audit events go.')

export const tenantDocumentSchema = z
  .strictObject({
    tenant: z
      .string()
      .regex(/^[a-z][a-z0-9]{2,30}$/, 'a tenant is 3 to 31 lower case letters and digits, a letter first')
      .describe('Name of the tenant: the path segment of its issuer URL.'),
    trust_domain: z
      .string()
      .max(255)
      .regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/, 'a trust domain is lower case letters, digits, ".", "-" and "_"')
      .describe('SPIFFE trust domain of the identities issued here.'),
    tier: z.enum(['pooled', 'silo']).optional().describe('Only the AWS target reads it.'),
    issuers: z.record(name('an issuer'), issuer),
    grants: z.record(name('a grant'), grant),
    events: z.record(name('an event source'), eventSource).optional(),
    receivers: z.record(name('a receiver'), receiver).optional(),
    sinks: z.record(name('a sink'), sink).optional(),
  })
  .describe('One tenant of Mintmark.')

export type TenantDocument = z.infer<typeof tenantDocumentSchema>
export type IssuerDocument = z.infer<typeof issuer>
export type GrantDocument = z.infer<typeof grant>
export type IssueDocument = GrantDocument['issue'][number]
export type MatcherDocument = z.infer<typeof matcher>

/** JSON Schema (2020-12) of the document, for editors: `# yaml-language-server: $schema=…`. */
export const tenantDocumentJsonSchema = () => z.toJSONSchema(tenantDocumentSchema, { unrepresentable: 'any' })
