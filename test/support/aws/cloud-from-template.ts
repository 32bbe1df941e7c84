// Reads packaged CloudFormation templates into a cloud: every role, managed policy, boundary, trust, key, table and queue policy
// exactly as it would be deployed. Stacks are read in order; a later one may import what an earlier one exports.
import {
  arnIn,
  type Cloud,
  document,
  emptyCloud,
  findRole,
  type KmsKeyUse,
  type PolicyDocument,
  type Resource,
  type Role,
} from './cloud.ts'
import { type Deployment, type Resolver, roleId, type Template, templateResolver } from './template-values.ts'

export type Stack = {
  readonly template: Template
  readonly name: string
  /** Account it is deployed to, if another than the broker's: a tenant's own. */
  readonly account?: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

type Place = { readonly account: string; readonly region: string }
type Properties = Readonly<Record<string, unknown>>

export const cloudFromTemplates = (stacks: readonly Stack[], { account, region }: Place): Cloud => {
  let cloud = emptyCloud(account, region)
  // Each resolved when it is imported: most exports are of no role or key.
  const exports: Record<string, unknown> = {}
  for (const { template, name, account: own = account, parameters = {} } of stacks) {
    const place: Deployment = { account: own, region, stackName: name, parameters, exports }
    const resolver = templateResolver(template, place)
    // Policies name roles and attach to them, so roles come first whatever the order in the template.
    for (const pass of [readIdentity, readResource, attachPolicies]) {
      for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
        const properties = (): Properties => resolver.properties(logicalId)
        cloud = pass(cloud, { Type, logicalId, properties, resolver })
      }
    }
    for (const { Value, Export } of Object.values(template.Outputs ?? {})) {
      if (Export === undefined) continue
      const name = String(resolver.resolve(Export.Name))
      Object.defineProperty(exports, name, { get: () => resolver.resolve(Value) })
    }
  }
  return cloud
}

type Item = {
  readonly Type: string
  readonly logicalId: string
  readonly properties: () => Properties
  readonly resolver: Resolver
}

const readIdentity = (cloud: Cloud, { Type, logicalId, properties, resolver }: Item): Cloud => {
  if (Type === 'AWS::IAM::Role') {
    const role = readRole(resolver.names(logicalId).attributes['Arn']!, properties())
    return { ...cloud, roles: { ...cloud.roles, [role.arn]: role } }
  }
  if (Type === 'AWS::IAM::ManagedPolicy') {
    const arn = resolver.names(logicalId).ref
    const policy = properties()['PolicyDocument'] as PolicyDocument
    return { ...cloud, managedPolicies: { ...cloud.managedPolicies, [arn]: policy } }
  }
  if (Type === 'AWS::IAM::OIDCProvider') {
    const { Url, ClientIdList = [] } = properties() as { Url: string; ClientIdList?: readonly string[] }
    const provider = { url: Url, clientIds: ClientIdList }
    return { ...cloud, identityProviders: { ...cloud.identityProviders, [resolver.names(logicalId).ref]: provider } }
  }
  return cloud
}

const readRole = (arn: string, properties: Properties): Role => {
  const {
    RoleName,
    AssumeRolePolicyDocument,
    Policies = [],
    ManagedPolicyArns = [],
    Tags = [],
    MaxSessionDuration,
    PermissionsBoundary,
  } = properties as {
    RoleName?: string
    AssumeRolePolicyDocument: PolicyDocument
    Policies?: readonly { PolicyName: string; PolicyDocument: PolicyDocument }[]
    ManagedPolicyArns?: readonly string[]
    Tags?: readonly Tag[]
    MaxSessionDuration?: number | string
    PermissionsBoundary?: string
  }
  return {
    arn,
    roleId: roleId(RoleName ?? arn),
    tags: tagsOf(Tags),
    maxSessionSeconds: Number(MaxSessionDuration ?? 3600),
    trust: AssumeRolePolicyDocument,
    inline: Object.fromEntries(Policies.map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument])),
    attached: ManagedPolicyArns,
    ...(PermissionsBoundary === undefined ? {} : { boundary: PermissionsBoundary }),
  }
}

type Tag = { readonly Key: string; readonly Value: string }
const tagsOf = (tags: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(((tags ?? []) as readonly Tag[]).map(({ Key, Value }) => [Key, Value]))

/** What an endpoint lets through when nobody wrote a policy for it. */
const OPEN = document({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' })

const readResource = (cloud: Cloud, { Type, logicalId, properties, resolver }: Item): Cloud => {
  const put = (resource: Resource): Cloud => {
    const arn = resolver.names(logicalId).attributes['Arn']!
    return { ...cloud, resources: { ...cloud.resources, [arn]: { ...cloud.resources[arn], ...resource } } }
  }
  switch (Type) {
    case 'AWS::KMS::Key': {
      const { KeyPolicy, Tags, KeySpec = 'SYMMETRIC_DEFAULT', KeyUsage = 'ENCRYPT_DECRYPT' } = properties()
      const key = { spec: KeySpec, usage: KeyUsage } as KmsKeyUse
      return put({ policy: KeyPolicy as PolicyDocument, tags: tagsOf(Tags), key })
    }
    case 'AWS::KMS::Alias': {
      const { AliasName, TargetKeyId } = properties() as { AliasName: string; TargetKeyId: string }
      const target = TargetKeyId.startsWith('arn:') ? TargetKeyId : arnIn(cloud, 'kms', `key/${TargetKeyId}`)
      return { ...cloud, aliases: { ...cloud.aliases, [AliasName]: target } }
    }
    case 'AWS::DynamoDB::Table': {
      const { ResourcePolicy, Tags, SSESpecification } = properties() as {
        ResourcePolicy?: { PolicyDocument: PolicyDocument }
        Tags?: readonly Tag[]
        SSESpecification?: { KMSMasterKeyId?: string }
      }
      const policy = ResourcePolicy === undefined ? {} : { policy: ResourcePolicy.PolicyDocument }
      return put({ ...policy, tags: tagsOf(Tags), ...encryption(cloud, SSESpecification?.KMSMasterKeyId) })
    }
    case 'AWS::SQS::Queue': {
      const { Tags, KmsMasterKeyId } = properties() as { Tags?: readonly Tag[]; KmsMasterKeyId?: string }
      return put({ tags: tagsOf(Tags), ...encryption(cloud, KmsMasterKeyId) })
    }
    case 'AWS::Lambda::Function': {
      const own = properties()
      const deployed = { role: own['Role'] as string, isIsolated: 'VpcConfig' in own }
      return { ...put({}), functions: { ...cloud.functions, [resolver.names(logicalId).ref]: deployed } }
    }
    case 'AWS::EC2::VPCEndpoint': {
      const { ServiceName, PolicyDocument = OPEN } = properties() as {
        ServiceName: string
        PolicyDocument?: PolicyDocument
      }
      return { ...cloud, endpoints: { ...cloud.endpoints, [ServiceName.split('.').at(-1)!]: PolicyDocument } }
    }
    default:
      return cloud
  }
}

/** Keys of AWS itself (`alias/aws/sqs`) need nothing from the caller. */
const encryption = (cloud: Cloud, key: string | undefined): Pick<Resource, 'encryptedWith'> => {
  if (key === undefined || key.includes('alias/aws/')) return {}
  return { encryptedWith: key.startsWith('arn:') ? key : arnIn(cloud, 'kms', `key/${key}`) }
}

/** Policies written beside what they belong to. */
const attachPolicies = (cloud: Cloud, { Type, logicalId, properties, resolver }: Item): Cloud => {
  const withPolicy = (arns: readonly string[], policy: PolicyDocument): Cloud => {
    const changed = Object.fromEntries(arns.map((arn) => [arn, { ...cloud.resources[arn], policy }]))
    return { ...cloud, resources: { ...cloud.resources, ...changed } }
  }
  switch (Type) {
    case 'AWS::SQS::QueuePolicy': {
      const { Queues, PolicyDocument } = properties() as { Queues: readonly string[]; PolicyDocument: PolicyDocument }
      return withPolicy(
        Queues.map((url) => arnIn(cloud, 'sqs', url.split('/').at(-1)!)),
        PolicyDocument,
      )
    }
    case 'AWS::S3::BucketPolicy': {
      const { Bucket, PolicyDocument } = properties() as { Bucket: string; PolicyDocument: PolicyDocument }
      return withPolicy([`arn:aws:s3:::${Bucket}`], PolicyDocument)
    }
    case 'AWS::IAM::Policy':
    case 'AWS::IAM::RolePolicy': {
      const { PolicyName, PolicyDocument, Roles, RoleName } = properties() as {
        PolicyName: string
        PolicyDocument: PolicyDocument
        Roles?: readonly string[]
        RoleName?: string
      }
      return changeRoles(cloud, Roles ?? [RoleName!], (role) => ({
        ...role,
        inline: { ...role.inline, [PolicyName]: PolicyDocument },
      }))
    }
    case 'AWS::IAM::ManagedPolicy': {
      const { Roles = [] } = properties() as { Roles?: readonly string[] }
      const { ref } = resolver.names(logicalId)
      return changeRoles(cloud, Roles, (role) => ({ ...role, attached: [...role.attached, ref] }))
    }
    default:
      return cloud
  }
}

const changeRoles = (cloud: Cloud, names: readonly string[], change: (role: Role) => Role): Cloud => {
  const roles: Record<string, Role> = { ...cloud.roles }
  for (const name of names) {
    const role = findRole(cloud, name)
    if (role === undefined) throw new Error(`a policy is attached to ${name}, which no stack before it makes`)
    roles[role.arn] = change(role)
  }
  return { ...cloud, roles }
}
