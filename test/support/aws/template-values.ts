// Resolves the intrinsics of a CloudFormation template as far as ours use them: Ref, GetAtt, Sub, Join, Select, Split,
// ImportValue, If. What it cannot resolve is an error naming the place: a policy must never be read with a hole in it.
import { createHash } from 'node:crypto'

export type TemplateResource = { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }

export type Template = {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>
  readonly Conditions?: Readonly<Record<string, unknown>>
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>>
}

export type Deployment = {
  readonly account: string
  readonly region: string
  readonly stackName: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Outputs other stacks have exported. */
  readonly exports: Readonly<Record<string, unknown>>
}

type Names = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> }

export type Resolver = {
  /** Any value of the template with every intrinsic replaced. Throws for one it does not know. */
  resolve(value: unknown): unknown
  /** Its properties, each resolved when it is read: what nobody reads may use intrinsics unknown here. */
  properties(logicalId: string): Readonly<Record<string, unknown>>
  /** What Ref and GetAtt give for a resource. */
  names(logicalId: string): Names
}

export const templateResolver = (template: Template, place: Deployment): Resolver => {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': place.stackName,
    'AWS::NoValue': undefined,
  }
  const properties = (logicalId: string): Readonly<Record<string, unknown>> => {
    const resource = template.Resources[logicalId]
    if (resource === undefined) throw new Error(`the template has no resource ${logicalId}`)
    const lazy = {}
    for (const [name, value] of Object.entries(resource.Properties ?? {})) {
      Object.defineProperty(lazy, name, { enumerable: true, get: () => resolve(value) })
    }
    return lazy
  }
  const names = (logicalId: string): Names => {
    const own = properties(logicalId) as Readonly<Record<string, string | undefined>>
    return namesOf(template.Resources[logicalId]!.Type, logicalId, own, place)
  }

  const ref = (name: string): unknown => {
    if (name in pseudo) return pseudo[name]
    if (name in place.parameters) return place.parameters[name]
    const parameter = template.Parameters?.[name]
    if (parameter?.Default !== undefined) return parameter.Default
    return names(name).ref
  }
  const attribute = (logicalId: string, name: string): string => {
    const found = names(logicalId).attributes[name]
    if (found === undefined) throw new Error(`no value is known for ${logicalId}.${name}`)
    return found
  }
  const substitute = (text: string, variables: Readonly<Record<string, unknown>>): string =>
    text.replace(/\$\{([^}]+)\}/g, (_, inside: string) => {
      // `${!aws:PrincipalTag/x}` is CloudFormation's way to leave `${aws:PrincipalTag/x}` to IAM.
      if (inside.startsWith('!')) return `\${${inside.slice(1)}}`
      if (inside in variables) return String(variables[inside])
      const dot = inside.indexOf('.')
      return String(dot > 0 ? attribute(inside.slice(0, dot), inside.slice(dot + 1)) : ref(inside))
    })

  const intrinsics: Readonly<Record<string, (argument: never) => unknown>> = {
    Ref: ref as (argument: never) => unknown,
    'Fn::GetAtt': (argument: string | readonly [string, string]) => {
      const [logicalId = '', ...rest] = typeof argument === 'string' ? argument.split('.') : argument
      return attribute(logicalId, rest.join('.'))
    },
    'Fn::Sub': (argument: string | readonly [string, Readonly<Record<string, unknown>>]) =>
      typeof argument === 'string'
        ? substitute(argument, {})
        : substitute(argument[0], resolve(argument[1]) as Readonly<Record<string, unknown>>),
    'Fn::Join': ([between, parts]: readonly [string, unknown]) => (resolve(parts) as readonly unknown[]).join(between),
    'Fn::Split': ([between, text]: readonly [string, unknown]) => String(resolve(text)).split(between),
    'Fn::Select': ([index, list]: readonly [string | number, unknown]) =>
      (resolve(list) as readonly unknown[])[Number(index)],
    'Fn::ImportValue': (argument: unknown) => {
      const name = String(resolve(argument))
      if (!(name in place.exports)) throw new Error(`no stack exports ${name}`)
      return place.exports[name]
    },
    'Fn::If': ([condition, yes, no]: readonly [string, unknown, unknown]) => resolve(holds(condition) ? yes : no),
    'Fn::Equals': ([left, right]: readonly [unknown, unknown]) => resolve(left) === resolve(right),
    'Fn::Not': ([inner]: readonly [unknown]) => resolve(inner) !== true,
    Condition: (name: string) => holds(name),
  }
  const holds = (condition: string): boolean => {
    const found = template.Conditions?.[condition]
    if (found === undefined) throw new Error(`the template has no condition ${condition}`)
    return resolve(found) === true
  }

  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== undefined)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const [name, argument] = entries[0] ?? ['', undefined]
    // A policy's Condition block has more than one member or holds operators; the intrinsic holds one name.
    const isIntrinsic =
      entries.length === 1 &&
      (name === 'Ref' || name.startsWith('Fn::') || (name === 'Condition' && typeof argument === 'string'))
    if (!isIntrinsic) {
      return Object.fromEntries(
        entries.map(([key, child]) => [key, resolve(child)]).filter(([, child]) => child !== undefined),
      )
    }
    const intrinsic = intrinsics[name]
    if (intrinsic === undefined) throw new Error(`${name} is not resolved here`)
    return intrinsic(argument as never)
  }
  return { resolve, properties, names }
}

/** Ref and GetAtt of the types whose names appear in policies. A name CloudFormation would make up is made up the same each time. */
const namesOf = (
  type: string,
  logicalId: string,
  properties: Readonly<Record<string, string | undefined>>,
  { account, region, stackName }: Deployment,
): Names => {
  const own = (property: string): string => properties[property] ?? `${stackName}-${logicalId}`
  const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`
  const iam = (kind: string, name: string): string =>
    `arn:aws:iam::${account}:${kind}${properties['Path'] ?? '/'}${name}`
  const named = (ref: string, Arn: string, more: Readonly<Record<string, string>> = {}): Names => ({
    ref,
    attributes: { Arn, ...more },
  })
  switch (type) {
    case 'AWS::IAM::Role':
      return named(own('RoleName'), iam('role', own('RoleName')), { RoleId: roleId(own('RoleName')) })
    case 'AWS::IAM::ManagedPolicy': {
      const policyArn = iam('policy', own('ManagedPolicyName'))
      return named(policyArn, policyArn, { PolicyArn: policyArn })
    }
    case 'AWS::IAM::OIDCProvider': {
      const provider = `arn:aws:iam::${account}:oidc-provider/${properties['Url']?.replace(/^https:\/\//, '')}`
      return named(provider, provider)
    }
    case 'AWS::DynamoDB::Table': {
      const table = arn('dynamodb', `table/${own('TableName')}`)
      return named(own('TableName'), table, { StreamArn: `${table}/stream/2026-01-01T00:00:00.000` })
    }
    case 'AWS::SQS::Queue': {
      const url = `https://sqs.${region}.amazonaws.com/${account}/${own('QueueName')}`
      return named(url, arn('sqs', own('QueueName')), { QueueName: own('QueueName'), QueueUrl: url })
    }
    case 'AWS::KMS::Key': {
      const id = uuid(`${stackName}/${logicalId}`)
      return named(id, arn('kms', `key/${id}`), { KeyId: id })
    }
    case 'AWS::KMS::Alias':
      return named(own('AliasName'), arn('kms', own('AliasName')))
    case 'AWS::Lambda::Function':
      return named(own('FunctionName'), arn('lambda', `function:${own('FunctionName')}`))
    case 'AWS::S3::Bucket':
      return named(own('BucketName').toLowerCase(), `arn:aws:s3:::${own('BucketName').toLowerCase()}`)
    case 'AWS::Events::EventBus':
      return named(own('Name'), arn('events', `event-bus/${own('Name')}`), { Name: own('Name') })
    case 'AWS::Events::Rule':
      return named(own('Name'), arn('events', `rule/${own('Name')}`))
    case 'AWS::Logs::LogGroup':
      return named(own('LogGroupName'), `${arn('logs', `log-group:${own('LogGroupName')}`)}:*`)
    case 'AWS::SNS::Topic':
      return named(arn('sns', own('TopicName')), arn('sns', own('TopicName')))
    default:
      throw new Error(`no names are known for ${logicalId}, a ${type}`)
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
export const roleId = (roleName: string): string => `AROA${digest(roleName).slice(0, 17).toUpperCase()}`
const uuid = (text: string): string => digest(text).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
