// A small typed vocabulary of IAM policies. Text with `${…}` becomes Fn::Sub, so that a policy variable is written
// `${!aws:PrincipalTag/x}`: osls leaves that alone, CloudFormation renders it `${aws:PrincipalTag/x}`. Unescaped, osls
// would abort or, worse, render it empty; test/infra holds the packaged text to it.
import { TENANT_TAG } from '../names.ts'

/** A value in the template: text, or the intrinsic that gives it. */
export type Text =
  | string
  | { readonly 'Fn::Sub': string }
  | { readonly 'Fn::GetAtt': readonly [logicalId: string, attribute: string] }

export type Action = '*' | `${string}:${string}`

type Operator =
  | 'StringEquals'
  | 'StringNotEquals'
  | 'StringLike'
  | 'StringNotLike'
  | 'ArnEquals'
  | 'ArnLike'
  | 'ArnNotEquals'
  | 'ArnNotLike'
  | 'Bool'
  | 'Null'
  | 'NumericLessThan'
  | 'ForAllValues:StringEquals'
  | 'ForAllValues:StringLike'
  | 'ForAnyValue:StringEquals'
  | 'ForAnyValue:StringLike'

/** Operators are joined by AND, so are keys; the values of one key by OR. */
export type Condition = { readonly [operator in Operator]?: Readonly<Record<string, Text | readonly Text[]>> }

export type Principal =
  | '*'
  | { readonly AWS: Text | readonly Text[] }
  | { readonly Service: Text | readonly Text[] }
  | { readonly Federated: Text }

export type Statement = {
  /** Unique in its document: tests and docs name statements by it. */
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: readonly Action[]
  readonly Resource?: readonly Text[]
  readonly NotResource?: readonly Text[]
  readonly Principal?: Principal
  readonly Condition?: Condition
}

export type PolicyDocument = { readonly Version: '2012-10-17'; readonly Statement: readonly Statement[] }

type Terms = {
  readonly actions: readonly Action[]
  readonly resources?: readonly string[]
  /** Deny only: everything but these. */
  readonly notResources?: readonly string[]
  readonly principal?: Principal
  readonly when?: Condition
}

export const text = (template: string): Text => (template.includes('${') ? { 'Fn::Sub': template } : template)

const statement = (Effect: Statement['Effect'], Sid: string, terms: Terms): Statement => ({
  Sid,
  Effect,
  ...(terms.principal === undefined ? {} : { Principal: terms.principal }),
  Action: terms.actions,
  ...(terms.resources === undefined ? {} : { Resource: terms.resources.map(text) }),
  ...(terms.notResources === undefined ? {} : { NotResource: terms.notResources.map(text) }),
  ...(terms.when === undefined ? {} : { Condition: terms.when }),
})

export const allow = (sid: string, terms: Omit<Terms, 'notResources'>): Statement => statement('Allow', sid, terms)
export const deny = (sid: string, terms: Terms): Statement => statement('Deny', sid, terms)
export const policy = (statements: readonly Statement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
})

/** The tenant of the caller's session, as a policy variable. */
export const SESSION_TENANT = `\${!aws:PrincipalTag/${TENANT_TAG}}`

/** All conditions together; two that use one operator on different keys are merged, never overwritten. */
export const all = (...conditions: readonly Condition[]): Condition => {
  const merged: Record<string, Record<string, Text | readonly Text[]>> = {}
  for (const condition of conditions)
    for (const [operator, keys] of Object.entries(condition))
      for (const [key, value] of Object.entries(keys)) {
        if (merged[operator]?.[key] !== undefined) throw new Error(`${operator} ${key} is said twice`)
        merged[operator] = { ...merged[operator], [key]: value }
      }
  return merged
}

/** ForAllValues holds of a key that is absent: without the Null guard a Scan would see every row of every tenant. */
const everyValue = (kind: 'StringEquals' | 'StringLike', key: string, values: readonly string[]): Condition => ({
  [`ForAllValues:${kind}`]: { [key]: values.map(text) },
  Null: { [key]: 'false' },
})

/** Only rows whose partition keys match; `*` is any text. */
export const onRows = (...partitions: readonly string[]): Condition =>
  everyValue('StringLike', 'dynamodb:LeadingKeys', partitions)
/** Any row among those asked for matches: for denials. */
export const touchingRows = (...partitions: readonly string[]): Condition => ({
  'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': partitions.map(text) },
})
/** Only these attributes, those of the row's key among them: to write, to compare, or to be handed back. */
export const onlyAttributes = (...names: readonly string[]): Condition =>
  everyValue('StringEquals', 'dynamodb:Attributes', names)
/** Likewise of what is asked for: a query that does not say so gives whole rows back, and names no attribute of theirs. */
export const onlySelected = (...names: readonly string[]): Condition =>
  all(onlyAttributes(...names), { StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' } })
export const onlyTags = (...tags: readonly string[]): Condition => everyValue('StringEquals', 'aws:TagKeys', tags)

/** A non-exportable signing key of the session's tenant (silo): an asymmetric key takes no context, its tags say whose it is. */
export const ownSiloKey = (...uses: readonly string[]): Condition => ({
  StringEquals: {
    'aws:ResourceTag/mintmark-use': uses,
    [`aws:ResourceTag/${TENANT_TAG}`]: text(SESSION_TENANT),
  },
})

/**
 * Associated data of what is wrapped (design §2): tenant, use and alg, these and nothing else. A kid is the thumbprint of the
 * public key and is not known before the pair is made; mint derives it from what it unwrapped.
 */
export const keyContext = (tenant: string, use: Text | readonly Text[]): Condition =>
  all(
    { StringEquals: { 'kms:EncryptionContext:tenant': text(tenant), 'kms:EncryptionContext:use': use } },
    everyValue('StringEquals', 'kms:EncryptionContextKeys', ['tenant', 'use', 'alg']),
  )
