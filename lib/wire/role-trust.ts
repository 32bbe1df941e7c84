// What the account of a tenant must trust for its roles to be issued: the identity provider and the trust policy of each role, as
// IAM writes them (tenancy-and-aws.md §2). Three statements, because each of the permissions knows its own condition keys only, and
// a condition on a key that is not there denies. Pure.
import { accountOf, externalIdOf, federationAudience, type SessionWay } from '../domain/aws-session.ts'
import type { AwsCredentialsEntry, GrantRule, TenantConfig } from '../domain/tenant-config.ts'

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

type TrustStatement = {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Principal: Readonly<Record<string, string>>
  readonly Action: string
  readonly Condition: Conditions
}

export type RoleTrust = {
  readonly role: string
  readonly via: SessionWay
  /** To be registered with IAM in the account of the role; null where the broker comes with its own role. */
  readonly provider: { readonly url: string; readonly clientId: string } | null
  readonly trust: { readonly Version: '2012-10-17'; readonly Statement: readonly TrustStatement[] }
}

export type TrustOptions = {
  /** ARN of mint's role, for roles with `via: assume-role`. */
  readonly brokerRole: string
  /** SHA-256 of text, base64url. */
  readonly sha256: (text: string) => string
}

/** One for each role and way the document names, in its order. A role of several grants is for the workloads of all of them. */
export const roleTrusts = (config: TenantConfig, options: TrustOptions): readonly RoleTrust[] => {
  const uses = config.grants.flatMap((grant) =>
    grant.issue.flatMap((entry) => (entry.type === 'aws-credentials' ? [{ grant, entry }] : [])),
  )
  const first = uses.filter(({ entry }, index) => uses.findIndex((use) => isSame(use.entry, entry)) === index)
  return first.map(({ entry }) => {
    const grants = uses.filter((use) => isSame(use.entry, entry)).map(({ grant }) => grant)
    return entry.via === 'web-identity' ? byWebIdentity(config, entry, grants) : byBroker(config, entry, options)
  })
}

const isSame = (a: AwsCredentialsEntry, b: AwsCredentialsEntry): boolean => a.role === b.role && a.via === b.via

const byWebIdentity = (
  config: TenantConfig,
  { role, via }: AwsCredentialsEntry,
  grants: readonly GrantRule[],
): RoleTrust => {
  const place = config.issuerUrl.replace(/^https?:\/\//, '')
  const [, partition = 'aws'] = role.split(':')
  const clientId = federationAudience(config.issuerUrl, accountOf(role))
  return {
    role,
    via,
    provider: { url: config.issuerUrl, clientId },
    trust: threeStatements(
      { Federated: `arn:${partition}:iam::${accountOf(role)}:oidc-provider/${place}` },
      'sts:AssumeRoleWithWebIdentity',
      {
        // The token names the role; without this a role would also take one that names none.
        Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
        StringEquals: { [`${place}:aud`]: clientId },
        StringLike: { [`${place}:sub`]: [...new Set(grants.map((grant) => subjectPattern(config, grant)))] },
      },
      config.tenant,
    ),
  }
}

const byBroker = (config: TenantConfig, { role, via }: AwsCredentialsEntry, options: TrustOptions): RoleTrust => {
  const [, partition = 'aws'] = role.split(':')
  const { tenant, issuerUrl } = config
  // The account with the role as a condition: a role named as the principal turns into an id when it is deleted, and its
  // successor of the same name is locked out.
  const account = `arn:${partition}:iam::${accountOf(options.brokerRole)}:root`
  return {
    role,
    via,
    provider: null,
    trust: threeStatements(
      { AWS: account },
      'sts:AssumeRole',
      {
        ArnEquals: { 'aws:PrincipalArn': options.brokerRole },
        StringEquals: { 'sts:ExternalId': externalIdOf({ tenant, issuerUrl, role }, options.sha256) },
        StringLike: { 'sts:RoleSessionName': 'mintmark-*' },
      },
      tenant,
    ),
  }
}

const threeStatements = (
  principal: Readonly<Record<string, string>>,
  action: string,
  condition: Conditions,
  tenant: string,
): RoleTrust['trust'] => {
  const tagged = { 'aws:RequestTag/mintmark-tenant': tenant }
  const decided = { 'sts:SourceIdentity': `${tenant}.*` }
  const ours: Conditions = condition['ArnEquals'] === undefined ? {} : { ArnEquals: condition['ArnEquals'] }
  const statement = (Sid: string, Action: string, Condition: Conditions): TrustStatement => ({
    Sid,
    Effect: 'Allow',
    Principal: principal,
    Action,
    Condition,
  })
  return {
    Version: '2012-10-17',
    Statement: [
      statement('Assume', action, {
        ...condition,
        StringEquals: { ...condition['StringEquals'], ...tagged },
        StringLike: { ...condition['StringLike'], ...decided },
      }),
      statement('Tag', 'sts:TagSession', { ...ours, StringEquals: tagged }),
      statement('NameSource', 'sts:SetSourceIdentity', { ...ours, StringLike: decided }),
    ],
  }
}

/** The SPIFFE IDs a grant can give: what it binds to one value stands, any other leaf is `*`. */
const subjectPattern = ({ trustDomain }: TenantConfig, { identity, conditions }: GrantRule): string => {
  const path = identity.map((segment) =>
    segment
      .map((part) => {
        if ('literal' in part) return part.literal
        const bound = conditions.find(({ leaf }) => leaf === part.leaf)?.matcher
        return bound?.kind === 'equals' ? String(bound.value) : '*'
      })
      .join(''),
  )
  return `spiffe://${trustDomain}/${path.join('/')}`
}
