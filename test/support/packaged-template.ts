// The CloudFormation templates as `npm run package` leaves them, and what CloudFormation would make of their intrinsics in one
// sample account. Whoever judges a policy judges it as it stands in the package.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Resource = {
  readonly Type: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation's properties differ by type; gates look into all of them
  readonly Properties: any
}
export type Template = {
  readonly Resources: Record<string, Resource>
  readonly Outputs?: Readonly<Record<string, { readonly Export?: unknown }>>
}

export type Place = { readonly account: string; readonly region: string; readonly partition: string }
export const SAMPLE: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' }

const FILE = 'cloudformation-template-update-stack.json'

export const readTemplate = (folder: string): Template => JSON.parse(readFileSync(join(folder, FILE), 'utf8'))

/** All intrinsics replaced by what they give: ARNs of the sample account, names, `<id>.<attribute>` where AWS makes it up. */
export const renderTemplate = (template: Template, place: Place = SAMPLE): Template => {
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
    'AWS::Partition': place.partition,
    'AWS::URLSuffix': 'amazonaws.com',
  }
  const render = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(render)
    if (typeof value !== 'object' || value === null) return value
    const [[name, argument] = ['', undefined], ...more] = Object.entries(value)
    if (more.length > 0) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, render(inner)]))
    switch (name) {
      case 'Ref':
        return pseudo[String(argument)] ?? refOf(String(argument))
      case 'Fn::GetAtt':
        return attributeOf([argument].flat().map(String))
      case 'Fn::Sub':
        return substitute(String(argument))
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown[]]
        return (render(parts) as unknown[]).join(separator)
      }
      default:
        return { [name]: render(argument) }
    }
  }
  const substitute = (text: string): string =>
    text.replace(/\$\{(!?)([^}]*)\}/g, (_match, isEscape: string, name: string) =>
      isEscape === '!' ? `\${${name}}` : (pseudo[name] ?? refOf(name)),
    )
  const property = (id: string, name: string): unknown => render(template.Resources[id]?.Properties?.[name])
  const refOf = (id: string): string => {
    const type = template.Resources[id]?.Type
    if (type === 'AWS::SQS::Queue')
      return `https://sqs.${place.region}.amazonaws.com/${place.account}/${property(id, 'QueueName')}`
    if (type === 'AWS::Lambda::Function') return String(property(id, 'FunctionName'))
    if (type === 'AWS::IAM::ManagedPolicy') return managedPolicyArn(id)
    return String(property(id, 'TableName') ?? property(id, 'BucketName') ?? property(id, 'RoleName') ?? id)
  }
  const managedPolicyArn = (id: string): string =>
    `arn:${place.partition}:iam::${place.account}:policy${property(id, 'Path')}${property(id, 'ManagedPolicyName')}`
  const attributeOf = ([id = '', attribute = '']: readonly string[]): string => {
    const inRegion = (service: string, resource: string): string =>
      `arn:${place.partition}:${service}:${place.region}:${place.account}:${resource}`
    const type = template.Resources[id]?.Type
    if (attribute === 'StreamArn') return inRegion('dynamodb', `table/${property(id, 'TableName')}/stream/latest`)
    if (attribute !== 'Arn') return `${id}.${attribute}`
    switch (type) {
      case 'AWS::KMS::Key':
        return inRegion('kms', `key/${id}`)
      case 'AWS::SQS::Queue':
        return inRegion('sqs', String(property(id, 'QueueName')))
      case 'AWS::DynamoDB::Table':
        return inRegion('dynamodb', `table/${property(id, 'TableName')}`)
      case 'AWS::Lambda::Function':
        return inRegion('lambda', `function:${property(id, 'FunctionName')}`)
      case 'AWS::IAM::Role':
        return `arn:${place.partition}:iam::${place.account}:role${property(id, 'Path')}${property(id, 'RoleName')}`
      default:
        return `${id}.Arn`
    }
  }
  return {
    Resources: Object.fromEntries(
      Object.entries(template.Resources).map(([id, resource]) => [id, render(resource) as Resource]),
    ),
  }
}

export type Statement = {
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Principal?: unknown
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

export type PolicyKind = 'identity' | 'trust' | 'managed' | 'resource' | 'endpoint'
export type PolicyPlace = {
  readonly kind: PolicyKind
  /** Logical id of the resource it belongs to. */
  readonly id: string
  readonly resource: Resource
  readonly statements: readonly Statement[]
}

const many = (value: unknown): string[] | undefined => (value === undefined ? undefined : [value].flat().map(String))

const statementsOf = (document: { readonly Statement: readonly Record<string, unknown>[] }): Statement[] =>
  [document.Statement].flat().map((raw, index) => ({
    ...(raw as unknown as Statement),
    Sid: String(raw['Sid'] ?? index),
    Action: many(raw['Action']) ?? [],
    ...(raw['Resource'] === undefined ? {} : { Resource: many(raw['Resource'])! }),
    ...(raw['NotResource'] === undefined ? {} : { NotResource: many(raw['NotResource'])! }),
  }))

/** Every policy document of a rendered template, wherever it stands. */
export const policiesOf = (template: Template): PolicyPlace[] =>
  Object.entries(template.Resources).flatMap(([id, resource]) => {
    const { Type, Properties: properties } = resource
    const place = (kind: PolicyKind, document: Parameters<typeof statementsOf>[0] | undefined): PolicyPlace[] =>
      document === undefined ? [] : [{ kind, id, resource, statements: statementsOf(document) }]
    switch (Type) {
      case 'AWS::IAM::Role':
        return [
          ...place('trust', properties.AssumeRolePolicyDocument),
          ...(properties.Policies ?? []).flatMap((inline: { PolicyDocument: never }) =>
            place('identity', inline.PolicyDocument),
          ),
        ]
      case 'AWS::IAM::ManagedPolicy':
        return place('managed', properties.PolicyDocument)
      case 'AWS::KMS::Key':
        return place('resource', properties.KeyPolicy)
      case 'AWS::DynamoDB::Table':
        return place('resource', properties.ResourcePolicy?.PolicyDocument)
      case 'AWS::SQS::QueuePolicy':
      case 'AWS::S3::BucketPolicy':
        return place('resource', properties.PolicyDocument)
      case 'AWS::EC2::VPCEndpoint':
        return place('endpoint', properties.PolicyDocument)
      default:
        return []
    }
  })
