// Who may open a session of a workload's role: the tenant's own issuer, by a token that names this one role; or, as the
// fallback, mint, with the tenant's external id. Both must tag the session with the tenant and say whose decision it was.
import { TENANT_TAG } from '../names.ts'
import { SESSION_TAGS } from './mint.ts'
import { all, allow, deny, onlyTags, type PolicyDocument, policy, text } from './statement.ts'

export type Federation = {
  readonly tenant: string
  readonly trustDomain: string
  /** Issuer URL without its scheme: how IAM names the provider and its claims. */
  readonly provider: string
  readonly audience: string
  readonly externalId: string
  /** Account of the broker, whose mint may use the fallback. */
  readonly brokerAccount: string
}

const ofTenant = (tenant: string) => ({ [`aws:RequestTag/${TENANT_TAG}`]: tenant })

export const workloadTrust = (f: Federation): PolicyDocument => {
  const broker = { AWS: text(`arn:\${AWS::Partition}:iam::${f.brokerAccount}:root`) }
  const isMint = {
    ArnEquals: {
      'aws:PrincipalArn': text(`arn:\${AWS::Partition}:iam::${f.brokerAccount}:role/mintmark/fn/mintmark-mint`),
    },
  }
  const source = { 'sts:SourceIdentity': `${f.tenant}.*` }
  const issuer = {
    Federated: text(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:oidc-provider/${f.provider}`),
  }
  return policy([
    allow('ByToken', {
      principal: issuer,
      actions: ['sts:AssumeRoleWithWebIdentity'],
      when: {
        // The token names the role: one that was made for another role of the tenant opens nothing here.
        Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
        StringEquals: { [`${f.provider}:aud`]: f.audience, ...ofTenant(f.tenant) },
        StringLike: { [`${f.provider}:sub`]: `spiffe://${f.trustDomain}/*`, ...source },
      },
    }),
    // Statements of their own: these actions are not shown what the token says of role, audience and subject.
    allow('TokenMayTag', {
      principal: issuer,
      actions: ['sts:TagSession'],
      when: { StringEquals: ofTenant(f.tenant) },
    }),
    allow('TokenMayNameSource', {
      principal: issuer,
      actions: ['sts:SetSourceIdentity'],
      when: { StringLike: source },
    }),
    allow('ByMint', {
      principal: broker,
      actions: ['sts:AssumeRole'],
      when: all(isMint, onlyTags(...SESSION_TAGS), {
        StringEquals: { 'sts:ExternalId': f.externalId, ...ofTenant(f.tenant) },
        StringLike: { 'sts:RoleSessionName': 'mintmark-*', ...source },
        'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': TENANT_TAG },
      }),
    }),
    allow('MintMayTag', {
      principal: broker,
      actions: ['sts:TagSession'],
      when: all(isMint, onlyTags(...SESSION_TAGS), { StringEquals: ofTenant(f.tenant) }),
    }),
    allow('MintMayNameSource', {
      principal: broker,
      actions: ['sts:SetSourceIdentity'],
      when: all(isMint, { StringLike: source }),
    }),
  ])
}

/** Of a removed tenant: nobody, whatever else is said. */
export const closedTrust: PolicyDocument = policy([
  deny('Removed', {
    principal: '*',
    actions: ['sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
  }),
])
