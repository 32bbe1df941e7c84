// The tenant document (design §5): the one strict schema it is read with, and the JSON Schema editors and the reference docs
// get. It says what a document may look like; what it may mean is in lib/wire/compile-*.ts. Nothing is transformed here, so
// that a parsed document printed as JSON is again a document, and its digest is of what was reviewed.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { TENANT_NAME, whole } from '../domain/names.ts'
import { PROVIDERS, WID_LEAVES, type WidLeaf } from '../domain/wid.ts'
import { algorithms, jwks, list, name, secretFile, text, url } from './document-parts.ts'
import { eventSource } from './event-document.ts'
import { sink } from './sink-document.ts'

const LEAVES = Object.keys(WID_LEAVES) as [WidLeaf, ...WidLeaf[]]

/** Lines of the linter a grant may waive, each with a reason. `untrusted_source` must be waived to say `untrusted_source: allow`. */
export const WAIVABLE_RULES = ['untrusted_source', 'reusable_workload', 'advice', 'whole_tenant_introspect'] as const

const reason = z.string().check(z.trim(), z.minLength(8, 'a reason of a few words'), z.maxLength(500))
const duration = z
  .string({ error: 'a length of time such as 30s, 10m or 1h' })
  .check(z.regex(/^[1-9][0-9]{0,4}[smh]$/, 'a length of time such as 30s, 10m or 1h'))
const leaf = z.enum(LEAVES, { error: (issue) => `there is no leaf ${JSON.stringify(issue.input)} in wid/1` })

const issuer = z
  .strictObject({
    provider: z
      .enum(PROVIDERS)
      .check(
        z.describe('The preset: issuer, algorithms, ages, claim map, replay mode and tenancy claim of a platform.'),
      ),
    issuer: z
      .optional(z.string().check(z.minLength(1), z.maxLength(LIMITS.patternCharsMax)))
      .check(z.describe('`iss`, byte for byte. Default: that of the preset, where it has one.')),
    audience: z
      .optional(text)
      .check(
        z.describe(
          'What evidence must carry in `aud`: the issuer URL of the tenant (the default), or that and `/…` or `#…`.',
        ),
      ),
    org_id: z
      .optional(z.union([text, list(text)], { error: 'must be an id, or a list of ids' }))
      .check(
        z.describe(
          'Value or values of the tenancy claim (wid org.id). Required where many customers share the issuer.',
        ),
      ),
    jwks: z.optional(jwks),
    algorithms: z.optional(algorithms),
    claims: z
      .optional(
        z.partialRecord(
          leaf,
          z.union([text, list(text)], {
            error: 'must be the name of a claim, or the list of names that leads to a nested one',
          }),
        ),
      )
      .check(
        z.describe(
          'Leaf of wid/1 to claim, for leaves the preset leaves empty. A list of names leads to a nested claim.',
        ),
      ),
    replay: z
      .optional(z.enum(['once', 'reuse', 'proof']))
      .check(z.describe('once; reuse (until max_age); proof (needs DPoP).')),
    max_age: z.optional(duration).check(z.describe('Oldest `iat` accepted. Never longer than the preset says.')),
    fixed_audience: z
      .optional(z.literal('accept'))
      .check(
        z.describe(
          'Accepts an audience that the platform fixes and others accept too. Needs `reason`; sets replay once and max_age at most 120 s.',
        ),
      ),
    reason: z.optional(reason).check(z.describe('Why a fixed audience is accepted.')),
  })
  .check(z.describe('Who may sign evidence for this tenant.'))

const plainMatcher = [
  z.string().check(z.minLength(1), z.maxLength(LIMITS.patternCharsMax)),
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
  .check(
    z.describe(
      'Exact value; list: any of; glob: anchored, `*` does not cross `/` or `:`, `**` does not cross `:`; not: anything else, but not a missing value.',
    ),
  )

const scopeToken = z
  .string()
  .check(z.maxLength(128), z.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope has no spaces, quotes or backslashes'))
const audience = z
  .string()
  .check(z.minLength(1), z.maxLength(LIMITS.patternCharsMax), z.regex(/^[\x21-\x7e]+$/, 'an audience has no spaces'))

const accessToken = z
  .strictObject({
    type: z.literal('access_token'),
    audience: list(audience).check(
      z.describe('What the token is for. One token has one; a request names it where there are several.'),
    ),
    scope: list(scopeToken).check(z.describe('Scopes the token may have.')),
    ttl: z.optional(duration).check(z.describe('Lifetime: 10m by default, 1h at most.')),
    alg: z.optional(z.enum(['ES256', 'RS256'])).check(z.describe('ES256 by default.')),
    on_replay: z
      .optional(z.enum(['alert', 'revoke']))
      .check(z.describe('What a second redemption of the evidence does to the first credential.')),
    introspects: z
      .optional(list(audience))
      .check(
        z.describe(
          'With scope introspect: audiences whose tokens the holder may ask about. Default: all of the tenant.',
        ),
      ),
  })
  .check(z.describe('An RFC 9068 access token.'))

const awsCredentials = z
  .strictObject({
    type: z.literal('aws-credentials'),
    role: z
      .string()
      .check(
        z.maxLength(256),
        z.regex(/^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of a role'),
      ),
    ttl: z.optional(duration).check(z.describe('15m by default, 1h at most, 15m at least.')),
    audience: z
      .optional(list(audience))
      .check(z.describe('What a request names the role by. Default: <issuer URL>/aws/<account id>.')),
    via: z
      .optional(z.enum(['web-identity', 'assume-role']))
      .check(
        z.describe(
          'web-identity (default): a token of the broker, pinned to the role, that the account verifies. assume-role: the role of the broker, with an external id; AWS target only.',
        ),
      ),
  })
  .check(z.describe('Session credentials of an AWS role.'))

const waiver = z
  .strictObject({ rule: z.enum(WAIVABLE_RULES), reason })
  .check(z.describe('A line of the linter that does not apply to this grant, and why.'))

const grant = z
  .strictObject({
    from: name('an issuer').check(z.describe('Name of the issuer whose evidence it takes.')),
    match: z.partialRecord(leaf, matcher).check(z.describe('Every line must hold; a missing value never matches.')),
    identity: z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(LIMITS.patternCharsMax),
        z.describe('Path of the SPIFFE ID; `{leaf}` stands for a value. A null segment denies.'),
      ),
    issue: list(
      z.discriminatedUnion('type', [accessToken, awsCredentials], {
        error: 'type must be access_token or aws-credentials',
      }),
    ).check(z.describe('What the grant issues.')),
    claims: z
      .optional(z.array(leaf).check(z.maxLength(LIMITS.listItemsMax)))
      .check(
        z.describe(
          'Leaves of wid/1 that the token carries. Default: provider, org.id, project.id, ref.full, environment.name, run.id.',
        ),
      ),
    mode: z
      .optional(z.enum(['enforce', 'report']))
      .check(z.describe('report: decide and record, issue nothing. Default: enforce.')),
    untrusted_source: z
      .optional(z.enum(['deny', 'allow']))
      .check(z.describe('allow: also when foreign code may be running. Needs a waiver.')),
    waivers: z.optional(list(waiver)),
  })
  .check(z.describe('A rule that lets a workload have a credential.'))

const receiver = z
  .discriminatedUnion(
    'type',
    [
      z
        .strictObject({
          type: z.literal('webhook'),
          url: url.check(z.describe('Where SETs are sent (RFC 8935), and their `aud`.')),
          authorization: z
            .optional(secretFile)
            .check(z.describe('What requests show in the header Authorization, whole.')),
        })
        .check(z.describe('Is sent every revocation.')),
      z
        .strictObject({ type: z.literal('poll') })
        .check(
          z.describe(
            'Fetches its SETs at <issuer URL>/receivers/<name>/poll (RFC 8936), with a token of scope receive:<name>.',
          ),
        ),
    ],
    { error: 'type must be webhook or poll' },
  )
  .check(z.describe('Who is told of revocations.'))

const audit = z
  .strictObject({
    keep_days: z
      .int()
      .check(
        z.minimum(LIMITS.auditKeepDaysMin),
        z.maximum(LIMITS.auditKeepDaysMax),
        z.describe('Days after which events are dropped from the log; their commitments stay. Default: never.'),
      ),
  })
  .check(z.describe('The audit log of the tenant.'))

export const tenantDocumentSchema = z
  .strictObject({
    tenant: z
      .string()
      .check(
        z.regex(whole(TENANT_NAME), 'a tenant is 3 to 31 lower case letters and digits, a letter first'),
        z.describe('Name of the tenant: the path segment of its issuer URL.'),
      ),
    trust_domain: z
      .string()
      .check(
        z.maxLength(255),
        z.regex(
          /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/,
          'a trust domain is lower case letters, digits, ".", "-" and "_"',
        ),
        z.describe('SPIFFE trust domain of the identities issued here.'),
      ),
    tier: z.optional(z.enum(['pooled', 'silo'])).check(z.describe('Only the AWS target reads it.')),
    issuers: z.record(name('an issuer'), issuer),
    grants: z.record(name('a grant'), grant),
    events: z.optional(z.record(name('an event source'), eventSource)),
    receivers: z
      .optional(
        z
          .record(name('a receiver'), receiver)
          .check(
            z.refine(
              (all) => Object.keys(all).length <= LIMITS.receiversMax,
              `at most ${LIMITS.receiversMax} receivers`,
            ),
          ),
      )
      .check(z.describe('Who is told of revocations, each by itself, until it has them.')),
    sinks: z.optional(
      z
        .record(name('a sink'), sink)
        .check(z.refine((all) => Object.keys(all).length <= LIMITS.sinksMax, `at most ${LIMITS.sinksMax} sinks`)),
    ),
    audit: z.optional(audit),
  })
  .check(z.describe('One tenant of Mintmark.'))

export type TenantDocument = z.infer<typeof tenantDocumentSchema>
export type IssuerDocument = z.infer<typeof issuer>
export type GrantDocument = z.infer<typeof grant>
export type IssueDocument = GrantDocument['issue'][number]
export type MatcherDocument = z.infer<typeof matcher>

/** JSON Schema (2020-12) of the document, for editors: `# yaml-language-server: $schema=…`. */
export const tenantDocumentJsonSchema = () => z.toJSONSchema(tenantDocumentSchema, { unrepresentable: 'any' })
