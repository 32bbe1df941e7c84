// The part of AWS that IAM decides by: roles with their policies, tags and boundaries, resource policies, identity providers,
// functions and keys, as plain data. Written by hand in a test or read out of a packaged template (cloud-from-template.ts).

type OneOrMore = string | readonly string[]

/** operator -> context key -> values, as IAM writes it: `{ StringEquals: { 'aws:PrincipalArn': '…' } }`. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>

export type Statement = {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | Readonly<Record<string, OneOrMore>>
  readonly NotPrincipal?: Readonly<Record<string, OneOrMore>>
  readonly Action?: OneOrMore
  readonly NotAction?: OneOrMore
  readonly Resource?: OneOrMore
  readonly NotResource?: OneOrMore
  readonly Condition?: Conditions
}

export type PolicyDocument = { readonly Version: string; readonly Statement: readonly Statement[] }

export type Role = {
  readonly arn: string
  /** What CloudTrail and `aws:userid` show: stable, but another one when a role is deleted and made again. */
  readonly roleId: string
  readonly tags: Readonly<Record<string, string>>
  readonly maxSessionSeconds: number
  readonly trust: PolicyDocument
  /** Inline policies by name; `iam:PutRolePolicy` adds here. */
  readonly inline: Readonly<Record<string, PolicyDocument>>
  /** ARNs of managed policies. */
  readonly attached: readonly string[]
  /** ARN of the managed policy that is this role's permissions boundary. */
  readonly boundary?: string
}

export type KmsKeyUse = {
  readonly spec: 'SYMMETRIC_DEFAULT' | 'ECC_NIST_P256' | 'RSA_2048' | 'ECC_NIST_EDWARDS25519'
  readonly usage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY'
}

/** A table, queue, key, function or bucket, as far as decisions look at it. */
export type Resource = {
  readonly policy?: PolicyDocument
  readonly tags?: Readonly<Record<string, string>>
  /** On KMS keys. */
  readonly key?: KmsKeyUse
  /** On queues encrypted with a customer's key: its ARN. Senders and receivers need that key too. */
  readonly encryptedWith?: string
}

export type DeployedFunction = {
  /** ARN of its execution role. */
  readonly role: string
  /** In subnets without a way out: it reaches a service only through that service's endpoint. */
  readonly isIsolated: boolean
}

export type Cloud = {
  readonly account: string
  readonly region: string
  /** Every map is keyed by ARN, but for functions (by name), endpoints (by service) and aliases (`alias/…` to a key's ARN). */
  readonly roles: Readonly<Record<string, Role>>
  readonly managedPolicies: Readonly<Record<string, PolicyDocument>>
  readonly resources: Readonly<Record<string, Resource>>
  readonly identityProviders: Readonly<Record<string, { readonly url: string; readonly clientIds: readonly string[] }>>
  readonly functions: Readonly<Record<string, DeployedFunction>>
  readonly endpoints: Readonly<Record<string, PolicyDocument>>
  readonly aliases: Readonly<Record<string, string>>
}

export const emptyCloud = (account: string, region: string): Cloud => ({
  account,
  region,
  roles: {},
  managedPolicies: {},
  resources: {},
  identityProviders: {},
  functions: {},
  endpoints: {},
  aliases: {},
})

/** `arn:aws:iam::111122223333:role/mintmark/fn/mintmark-mint` -> its account, and the name without the path. */
export const accountOf = (arn: string): string => arn.split(':')[4] ?? ''
export const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1)

/** An ARN of this cloud's own account and region. */
export const arnIn = ({ account, region }: Cloud, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`

export const document = (...Statement: readonly Statement[]): PolicyDocument => ({ Version: '2012-10-17', Statement })

/** A role by its ARN, or by its name in the home account, as IAM's own API names it. */
export const findRole = (cloud: Cloud, arnOrName: string): Role | undefined =>
  cloud.roles[arnOrName] ??
  Object.values(cloud.roles).find(({ arn }) => accountOf(arn) === cloud.account && nameOf(arn) === arnOrName)

/** The entry of a table itself for its indexes, of a function for its versions, of a bucket for its objects. */
export const findResource = (cloud: Cloud, arn: string): Resource | undefined => cloud.resources[ownerArn(cloud, arn)]

/** The ARN whose entry, and so whose policy, counts for `arn`. */
export const ownerArn = (cloud: Cloud, arn: string): string =>
  arn in cloud.resources ? arn : arn.replace(PART_OF_RESOURCE, '$1$2$3')

const PART_OF_RESOURCE = /(:table\/[^/]+)\/index\/.*$|(:function:[^:]+):[^:]+$|(:s3:::[^/]+)\/.*$/
