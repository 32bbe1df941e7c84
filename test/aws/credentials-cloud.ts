// The part of AWS that keys and sessions meet: key and trust policies as tenancy-and-aws.md §2 has them, written by hand. What is
// deployed is proved from the packaged template; here it is the adapters that are tried.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { roleTrusts } from '../../lib/wire/role-trust.ts'
import {
  type Cloud,
  document,
  emptyCloud,
  type PolicyDocument,
  type Role,
  type Statement,
} from '../support/aws/cloud.ts'
import { loadTexts } from '../support/tenant-documents.ts'
import { githubTenant } from '../support/tenants.ts'

const ACCOUNT = '111122223333'
const TENANT_ACCOUNT = '444455556666'
const REGION = 'eu-west-1'
export const POOL_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-4333-8444-555555555555`
export const MINT_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/fn/mintmark-mint`
export const DATA_MINT = `arn:aws:iam::${ACCOUNT}:role/mintmark/data/mintmark-data-mint`
export const DATA_ROTATE = `arn:aws:iam::${ACCOUNT}:role/mintmark/data/mintmark-data-rotate`
export const DEPLOYER = `arn:aws:iam::${TENANT_ACCOUNT}:role/mintmark/t/acme/deployer`
/** Trusts the same identity provider, for the same workload. */
export const OTHER = `arn:aws:iam::${TENANT_ACCOUNT}:role/mintmark/t/acme/other`
export const FALLBACK = `arn:aws:iam::${TENANT_ACCOUNT}:role/mintmark/t/acme/fallback`
/** Trusts the broker without asking for an external id: a confused deputy. */
export const OPEN = `arn:aws:iam::${TENANT_ACCOUNT}:role/mintmark/t/acme/open`

const TENANT = `\${aws:PrincipalTag/mintmark-tenant}`
const BY_LAMBDA = document({
  Effect: 'Allow',
  Principal: { Service: 'lambda.amazonaws.com' },
  Action: 'sts:AssumeRole',
})

const role = (arn: string, trust: PolicyDocument, ...statements: Statement[]): Record<string, Role> => ({
  [arn]: {
    arn,
    roleId: `AROA${arn.slice(arn.lastIndexOf('/') + 1).toUpperCase()}`,
    tags: arn.includes('/mintmark/t/') ? { 'mintmark-tenant': 'acme' } : {},
    maxSessionSeconds: 3600,
    trust,
    inline: statements.length === 0 ? {} : { own: document(...statements) },
    attached: [],
  },
})

const withContext = (...uses: string[]) => ({
  StringEquals: { 'kms:EncryptionContext:tenant': TENANT, 'kms:EncryptionContext:use': uses },
})

/** As `mintmark aws-trust` prints them: what users paste is what is tried here. */
const trustOf = (issuerUrl: string, role: string, via: 'web-identity' | 'assume-role'): PolicyDocument => {
  const grants = `
  deploy-prod:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /ci/{project.id}/{environment.name}
    issue: [{ type: aws-credentials, role: "${role}", via: ${via} }]
`
  const baseUrl = issuerUrl.replace(/\/t\/acme$/, '')
  const { tenants, problems } = loadTexts([githubTenant('acme', { keys: [], grants })], { baseUrl })
  if (tenants[0] === undefined) throw new Error(JSON.stringify(problems))
  return roleTrusts(tenants[0].config, { brokerRole: MINT_ROLE, sha256: nodeDigest.sha256 })[0]!.trust
}

/** A role whose owner left the external id out. */
const withoutExternalId = (trust: PolicyDocument): PolicyDocument =>
  JSON.parse(JSON.stringify(trust).replace(/"sts:ExternalId":"[^"]+",/, ''))

export const credentialsCloud = (issuer: string): Cloud => {
  const heldKeys = {
    StringEquals: { 'aws:ResourceTag/mintmark-tenant': TENANT, 'aws:ResourceTag/mintmark-use': 'token' },
  }
  return {
    ...emptyCloud(ACCOUNT, REGION),
    functions: { 'mintmark-prod-mint': { role: MINT_ROLE, isIsolated: false } },
    roles: {
      ...role(MINT_ROLE, BY_LAMBDA, {
        Effect: 'Allow',
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Resource: 'arn:aws:iam::*:role/mintmark/t/*',
      }),
      ...role(DATA_MINT, BY_LAMBDA, {
        Effect: 'Allow',
        Action: ['kms:Sign', 'kms:GetPublicKey'],
        Resource: '*',
        Condition: heldKeys,
      }),
      ...role(
        DATA_ROTATE,
        BY_LAMBDA,
        {
          Effect: 'Allow',
          Action: ['kms:CreateKey', 'kms:TagResource'],
          Resource: '*',
          Condition: { StringEquals: { 'aws:RequestTag/mintmark-tenant': TENANT } },
        },
        { Effect: 'Allow', Action: 'kms:GetPublicKey', Resource: '*', Condition: heldKeys },
      ),
      ...role(DEPLOYER, trustOf(issuer, DEPLOYER, 'web-identity')),
      ...role(OTHER, trustOf(issuer, OTHER, 'web-identity')),
      ...role(FALLBACK, trustOf(issuer, FALLBACK, 'assume-role')),
      ...role(OPEN, withoutExternalId(trustOf(issuer, OPEN, 'assume-role'))),
    },
    identityProviders: {
      [`arn:aws:iam::${TENANT_ACCOUNT}:oidc-provider/${issuer.replace('https://', '')}`]: {
        url: issuer,
        clientIds: [`${issuer}/aws/${TENANT_ACCOUNT}`],
      },
    },
    resources: {
      [POOL_KEY]: {
        key: { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' },
        // The key policy alone decides: there is no statement for the account.
        policy: document(
          {
            Effect: 'Allow',
            Principal: { AWS: DATA_ROTATE },
            Action: 'kms:GenerateDataKeyPairWithoutPlaintext',
            Resource: '*',
            Condition: withContext('token'),
          },
          {
            Effect: 'Allow',
            Principal: { AWS: DATA_MINT },
            Action: 'kms:Decrypt',
            Resource: '*',
            Condition: withContext('token', 'feed-secret'),
          },
          {
            Effect: 'Allow',
            Principal: { AWS: DATA_MINT },
            Action: 'kms:Encrypt',
            Resource: '*',
            Condition: withContext('feed-secret'),
          },
        ),
      },
    },
  }
}
