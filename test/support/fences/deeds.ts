// All that is tried with everybody's credentials: every kind of row by every operation, every use of a key, every role, queue and
// function. Rows come from the key builders, so that a new kind of row is tried without a word here. Longer than 300 lines:
// one list, in which a gap must be seen.
import { CORE_TABLE, LOG_TABLE, leadingKeys } from '../../../lib/adapters/aws/table-keys.ts'
import { arnIn, type Cloud } from '../aws/cloud.ts'
import { roleNamed } from './callers.ts'
import { ask, call, type Deed, heldKey, newKey } from './deed.ts'

const TENANT_BOUND = [
  'mint',
  'revoke',
  'feed',
  'audit',
  'checkpoint',
  'deliver',
  'erase',
  'events',
  'introspect',
  'admin',
  'discovery',
  'rotate',
  'push',
  'poll',
] as const
const FUNCTIONS = ['attest', 'trust', ...TENANT_BOUND] as const
/** Of functions that take several kinds of request, each kind. */
const REQUESTS = [
  'mint:issue',
  'mint:activate',
  'feed:page',
  'feed:sets',
  'feed:activate',
  'checkpoint:webhook',
  'checkpoint:activate',
] as const
const QUEUES = [
  'revoke',
  'denials',
  'findings',
  'push',
  'revoke-dlq',
  'denials-dlq',
  'findings-dlq',
  'audit-dlq',
  'trust-dlq',
  'rotate-dlq',
  'push-dlq',
  'checkpoint-dlq',
  'deliver-dlq',
  'erase-dlq',
  'archive-dlq',
] as const

export const KINDS = Object.keys(leadingKeys('x')) as (keyof ReturnType<typeof leadingKeys>)[]
/** Kinds of row whose partition names no tenant. */
export const SHARED_KINDS = KINDS.filter((kind) => leadingKeys('x')[kind] === leadingKeys('y')[kind])
export const TENANT_KINDS = KINDS.filter((kind) => !SHARED_KINDS.includes(kind))

const text = (S: string) => ({ S })

/** Everything that can be done to rows of one kind; a transaction's put is a put, but one IAM can tell from others. */
const rowDeeds = (kind: (typeof KINDS)[number], tenant: string, of: string): Deed[] => {
  const pk = text(leadingKeys(tenant)[kind].replace('*', '0'))
  const TableName = /^(?:L|K)/.test(pk.S) ? LOG_TABLE : CORE_TABLE
  const Key = { pk, sk: text('s') }
  const says = (verb: string): string => `${verb} ${kind}${of}`
  const query = { KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': pk } }
  const deed = (verb: string, operation: string, input: object): Deed => ({
    says: says(verb),
    does: call('dynamodb', operation, { TableName, ...input }),
  })
  return [
    deed('get', 'GetItem', { Key }),
    deed('query', 'Query', query),
    {
      says: says('batch get'),
      does: call('dynamodb', 'BatchGetItem', { RequestItems: { [TableName]: { Keys: [Key] } } }),
    },
    deed('put', 'PutItem', { Item: Key }),
    deed('update', 'UpdateItem', { Key }),
    {
      says: says('update, in a transaction,'),
      does: call('dynamodb', 'TransactWriteItems', { TransactItems: [{ Update: { TableName, Key } }] }),
    },
    deed('delete', 'DeleteItem', { Key }),
    {
      says: says('batch put'),
      does: call('dynamodb', 'BatchWriteItem', { RequestItems: { [TableName]: [{ PutRequest: { Item: Key } }] } }),
    },
  ]
}

export const USES = ['token', 'signal', 'log', 'feed-secret'] as const

const tagged = (tenant: string) => ({
  'aws:RequestTag/mintmark-tenant': tenant,
  'aws:RequestTag/mintmark-use': 'token',
  'aws:TagKeys': ['mintmark-tenant', 'mintmark-use'],
})

const keyDeeds = (cloud: Cloud, { tenant, claimant }: WorkloadRole, of: string): Deed[] => {
  const pool = poolKey(cloud)
  const kms = (says: string, operation: string, KeyId: string, more: object = {}): Deed => ({
    says: `${says}${of}`,
    does: call('kms', operation, { KeyId, ...more }),
  })
  const wrapped = USES.flatMap((use) => {
    const EncryptionContext = { tenant, use, alg: 'ES256' }
    return [
      kms(`decrypt ${use}`, 'Decrypt', pool, { EncryptionContext }),
      kms(`encrypt ${use}`, 'Encrypt', pool, { EncryptionContext }),
      kms(`make unseen ${use} pair`, 'GenerateDataKeyPairWithoutPlaintext', pool, { EncryptionContext }),
      kms(`make seen ${use} pair`, 'GenerateDataKeyPair', pool, { EncryptionContext }),
      kms(`make data key for ${use}`, 'GenerateDataKey', pool, { EncryptionContext }),
    ]
  })
  const EncryptionContext = { tenant, use: 'token', alg: 'ES256', more: 'x' }
  const tags = [
    { TagKey: 'mintmark-tenant', TagValue: tenant },
    { TagKey: 'mintmark-use', TagValue: 'token' },
  ]
  const signing = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }
  const held = heldKey(cloud, tenant)
  return [
    ...wrapped,
    kms('decrypt under a wider context', 'Decrypt', pool, { EncryptionContext }),
    kms('sign with held key', 'Sign', held, { SigningAlgorithm: 'ECDSA_SHA_256' }),
    kms('sign with held signal key', 'Sign', heldKey(cloud, tenant, 'signal'), { SigningAlgorithm: 'ECDSA_SHA_256' }),
    kms('sign with held log key', 'Sign', heldKey(cloud, tenant, 'log'), { SigningAlgorithm: 'ED25519_SHA_512' }),
    kms('read public half of held log key', 'GetPublicKey', heldKey(cloud, tenant, 'log')),
    kms('read public half of held signal key', 'GetPublicKey', heldKey(cloud, tenant, 'signal')),
    kms('read public half of held key', 'GetPublicKey', held),
    kms('destroy held key', 'ScheduleKeyDeletion', held),
    kms('rewrite policy of held key', 'PutKeyPolicy', held),
    kms('pass on held key', 'CreateGrant', held),
    { says: `make held key${of}`, does: call('kms', 'CreateKey', { ...signing, Tags: tags }) },
    { says: `make untagged key${of}`, does: call('kms', 'CreateKey', signing) },
    // What CreateKey asks as well for the tags it is given.
    { says: `tag new key${of}`, does: ask('kms:TagResource', newKey(cloud), tagged(tenant)) },
    // Whose tags a key bears is who may sign with it.
    { says: `claim held key${of}`, does: ask('kms:TagResource', held, tagged(claimant)) },
  ]
}

export const assume = (
  says: string,
  cloud: Cloud,
  roleName: string,
  tags: Record<string, string>,
  more = {},
): Deed => ({
  says,
  does: call('sts', 'AssumeRole', {
    RoleArn: roleNamed(cloud, roleName),
    RoleSessionName: 'mintmark-01JQ8W',
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    ...more,
  }),
})

/** A role of a tenant; `claimant`: the tenant that would like what belongs to this one. */
export type WorkloadRole = { readonly tenant: string; readonly role: string; readonly claimant: string }

/** The external id that the role's own trust policy asks for. */
export const externalIdOfRole = (cloud: Cloud, roleName: string): string => {
  const [, id] = /"sts:ExternalId":"([^"]+)"/.exec(JSON.stringify(cloud.roles[roleNamed(cloud, roleName)]?.trust)) ?? []
  if (id === undefined) throw new Error(`${roleName} asks for no external id`)
  return id
}

export const workloadRequest = (cloud: Cloud, { tenant, role }: Omit<WorkloadRole, 'claimant'>) => ({
  ExternalId: externalIdOfRole(cloud, role),
  SourceIdentity: `${tenant}.01JQ8W`,
  TransitiveTagKeys: ['mintmark-tenant'],
})

const sessionDeeds = (cloud: Cloud, { tenant, role }: WorkloadRole, of: string): Deed[] => [
  ...TENANT_BOUND.map((fn) =>
    assume(`open ${fn}'s session${of}`, cloud, `mintmark-data-${fn}`, { 'mintmark-tenant': tenant }),
  ),
  assume(
    `use workload role${of}`,
    cloud,
    role,
    { 'mintmark-tenant': tenant },
    workloadRequest(cloud, { tenant, role }),
  ),
  assume(
    `use workload role, tagged for a stranger,${of}`,
    cloud,
    role,
    { 'mintmark-tenant': 'stranger' },
    {
      ...workloadRequest(cloud, { tenant, role }),
      SourceIdentity: 'stranger.01JQ8W',
    },
  ),
]

const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess'
export const denyText = (cloud: Cloud): string => `arn:aws:iam::${cloud.account}:policy/mintmark/deny/mintmark-deny-all`
/** One that revoke made for a tenant. */
export const denyTextOf = (cloud: Cloud, tenant: string): string =>
  `arn:aws:iam::${cloud.account}:policy/mintmark/deny/${tenant}/mintmark-x`
export const boundary = (cloud: Cloud): string =>
  `arn:aws:iam::${cloud.account}:policy/mintmark/boundary/mintmark-workload`

const roleDeeds = (cloud: Cloud, { tenant, role }: WorkloadRole, of: string): Deed[] => {
  const iam = (says: string, operation: string, input: object = {}): Deed => ({
    says: `${says}${of}`,
    does: call('iam', operation, { RoleName: role, ...input }),
  })
  const made = { RoleName: 'made', Path: `/mintmark/t/${tenant}/` }
  return [
    iam('attach deny text to role', 'AttachRolePolicy', { PolicyArn: denyTextOf(cloud, tenant) }),
    iam('attach deny text of a stranger to role', 'AttachRolePolicy', { PolicyArn: denyTextOf(cloud, 'stranger') }),
    iam('attach what denies all to role', 'AttachRolePolicy', { PolicyArn: denyText(cloud) }),
    iam('count policies of role', 'ListAttachedRolePolicies'),
    {
      says: `make deny text${of}`,
      does: call('iam', 'CreatePolicy', { Path: `/mintmark/deny/${tenant}/`, PolicyName: 'mintmark-x' }),
    },
    {
      says: `rewrite deny text${of}`,
      does: call('iam', 'CreatePolicyVersion', { PolicyArn: denyTextOf(cloud, tenant) }),
    },
    {
      says: `delete deny text${of}`,
      does: call('iam', 'DeletePolicy', { PolicyArn: denyTextOf(cloud, tenant) }),
    },
    iam('attach administrator to role', 'AttachRolePolicy', { PolicyArn: ADMIN }),
    iam('detach deny text from role', 'DetachRolePolicy', { PolicyArn: denyTextOf(cloud, tenant) }),
    iam('detach what denies all from role', 'DetachRolePolicy', { PolicyArn: denyText(cloud) }),
    iam('detach policy from role', 'DetachRolePolicy', { PolicyArn: ADMIN }),
    iam('write policy into role', 'PutRolePolicy', { PolicyName: 'p' }),
    iam('delete policy from role', 'DeleteRolePolicy', { PolicyName: 'p' }),
    iam('delete role', 'DeleteRole'),
    iam('rewrite trust of role', 'UpdateAssumeRolePolicy'),
    iam('unbound role', 'DeleteRolePermissionsBoundary'),
    iam('bound role', 'PutRolePermissionsBoundary', { PermissionsBoundary: boundary(cloud) }),
    iam('bound role by administrator', 'PutRolePermissionsBoundary', { PermissionsBoundary: ADMIN }),
    iam('retag role', 'TagRole', { Tags: [{ Key: 'mintmark-tenant', Value: 'stranger' }] }),
    iam('tag role as it is', 'TagRole', { Tags: [{ Key: 'mintmark-tenant', Value: tenant }] }),
    iam('untag role', 'UntagRole'),
    iam('read role', 'GetRole'),
    iam('make role, bounded,', 'CreateRole', { ...made, PermissionsBoundary: boundary(cloud) }),
    iam('make role, unbounded,', 'CreateRole', made),
    iam('pass role', 'PassRole'),
  ]
}

const secretDeeds = (_cloud: Cloud, { tenant }: WorkloadRole, of: string): Deed[] => [
  {
    says: `read a transmitter's secret${of}`,
    does: call('secretsmanager', 'GetSecretValue', { SecretId: `mintmark/${tenant}/github` }),
    context: { 'aws:ResourceTag/mintmark-use': 'events' },
  },
  {
    says: `read what is shown at a receiver${of}`,
    does: call('secretsmanager', 'GetSecretValue', { SecretId: `mintmark/${tenant}/edge` }),
    context: { 'aws:ResourceTag/mintmark-use': 'receivers' },
  },
  {
    says: `read a sink's secret${of}`,
    does: call('secretsmanager', 'GetSecretValue', { SecretId: `mintmark/${tenant}/siem` }),
    context: { 'aws:ResourceTag/mintmark-use': 'sinks' },
  },
  {
    says: `read another secret${of}`,
    does: call('secretsmanager', 'GetSecretValue', { SecretId: `mintmark/${tenant}/other` }),
  },
  {
    says: `write a transmitter's secret${of}`,
    does: call('secretsmanager', 'PutSecretValue', { SecretId: `mintmark/${tenant}/github` }),
  },
]

const anchorDeeds = (cloud: Cloud, { tenant }: WorkloadRole, of: string): Deed[] => {
  const object = `arn:aws:s3:::mintmark-archive-${cloud.account}-${cloud.region}/checkpoints/${tenant}/000000000001`
  const bucket = object.slice(0, object.indexOf('/'))
  const once = { 's3:if-none-match': '*' }
  return [
    { says: `anchor a checkpoint${of}`, does: ask('s3:PutObject', object, once) },
    { says: `anchor a checkpoint over another${of}`, does: ask('s3:PutObject', object) },
    { says: `read an anchored checkpoint${of}`, does: ask('s3:GetObject', object) },
    {
      says: `list anchored checkpoints${of}`,
      does: ask('s3:ListBucket', bucket, { 's3:prefix': `checkpoints/${tenant}/` }),
    },
    { says: `delete an anchored checkpoint${of}`, does: ask('s3:DeleteObject', object) },
  ]
}

/** What a key's row says, one attribute at a time. */
const keyRowDeeds = ({ tenant }: WorkloadRole, of: string): Deed[] => [
  ...['provenAt', 'state', 'use', 'publicJwk'].map((name) => ({
    says: `write ${name} of an own key${of}`,
    does: call('dynamodb', 'UpdateItem', {
      TableName: CORE_TABLE,
      Key: { pk: text(leadingKeys(tenant).signingKeys), sk: text('KID#x') },
      UpdateExpression: 'SET #a = :a, w = :w',
      ExpressionAttributeNames: { '#a': name },
    }),
  })),
  {
    says: `read when keys moved${of}`,
    does: call('dynamodb', 'Query', {
      TableName: CORE_TABLE,
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': text(leadingKeys(tenant).signingKeys) },
      Select: 'SPECIFIC_ATTRIBUTES',
      ProjectionExpression: 'sk, alg, #use, createdAt, activatedAt, retiringAt, retiredAt, taintedAt',
      ExpressionAttributeNames: { '#use': 'use' },
    }),
  },
]

/** What can be tried on what belongs to one tenant. `of`: ` of own`. */
export const tenantDeeds = (cloud: Cloud, role: WorkloadRole, of: string): Deed[] => [
  ...secretDeeds(cloud, role, of),
  ...anchorDeeds(cloud, role, of),
  ...TENANT_KINDS.flatMap((kind) => rowDeeds(kind, role.tenant, of)),
  ...keyRowDeeds(role, of),
  ...keyDeeds(cloud, role, of),
  ...sessionDeeds(cloud, role, of),
  ...roleDeeds(cloud, role, of),
]

/** The key that wraps all pooled tenants' keys; which one it is, its policy says. */
export const poolKey = (cloud: Cloud): string => keyWith(cloud, 'MakePairUnseen')
export const storageKeys = (cloud: Cloud): readonly string[] =>
  Object.entries(cloud.resources)
    .filter(([, { policy }]) => policy?.Statement.some(({ Sid }) => Sid === 'ThroughStorage'))
    .map(([arn]) => arn)
const keyWith = (cloud: Cloud, sid: string): string => {
  const [found] = Object.entries(cloud.resources).find(([, { policy }]) =>
    policy?.Statement.some(({ Sid }) => Sid === sid),
  ) ?? [undefined]
  if (found === undefined) throw new Error(`no key has ${sid}`)
  return found
}

const queueDeeds = (cloud: Cloud): Deed[] =>
  QUEUES.flatMap((queue) => {
    const QueueUrl = `https://sqs.${cloud.region}.amazonaws.com/${cloud.account}/mintmark-prod-${queue}`
    return ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'PurgeQueue', 'SetQueueAttributes'].map((operation) => ({
      says: `${operation} ${queue}`,
      does: call('sqs', operation, { QueueUrl }),
    }))
  })

const tableDeeds = (cloud: Cloud): Deed[] =>
  [CORE_TABLE, LOG_TABLE, 'mintmark-app-orders'].flatMap((TableName) => {
    const arn = arnIn(cloud, 'dynamodb', `table/${TableName}`)
    const partiql = ['SELECT * FROM', 'UPDATE', 'DELETE FROM', 'INSERT INTO'].map((verb) => ({
      says: `PartiQL ${verb} ${TableName}`,
      does: call('dynamodb', 'ExecuteStatement', { Statement: `${verb} "${TableName}" x` }),
    }))
    return [
      ...partiql,
      { says: `scan ${TableName}`, does: call('dynamodb', 'Scan', { TableName }) },
      { says: `query ${TableName} without a key`, does: call('dynamodb', 'Query', { TableName }) },
      { says: `put into ${TableName} without a key`, does: call('dynamodb', 'PutItem', { TableName, Item: {} }) },
      ...[
        'DeleteItem',
        'BatchWriteItem',
        'DeleteTable',
        'UpdateTable',
        'PutResourcePolicy',
        'ExportTableToPointInTime',
      ].map((action) => ({
        says: `${action} on ${TableName}`,
        does: ask(`dynamodb:${action}`, arn),
      })),
    ]
  })

const SERVICE_DEEDS = (cloud: Cloud, fn: string): Deed[] => [
  {
    says: 'write its process log',
    does: ask('logs:PutLogEvents', arnIn(cloud, 'logs', `log-group:/aws/lambda/mintmark-prod-${fn}:log-stream:s`)),
  },
  { says: 'send a trace', does: ask('xray:PutTraceSegments', '*') },
  { says: 'attach to a network', does: ask('ec2:CreateNetworkInterface', arnIn(cloud, 'ec2', 'subnet/s')) },
]

/** What can be tried on what all tenants share. `fn`: whose process log is its own. */
export const sharedDeeds = (cloud: Cloud, fn: string): Deed[] => {
  const arn = (service: string, resource: string): string => arnIn(cloud, service, resource)
  const archive = `arn:aws:s3:::mintmark-archive-${cloud.account}-${cloud.region}/logs/x`
  const encryption = { 'kms:CallerAccount': cloud.account }
  return [
    ...SHARED_KINDS.flatMap((kind) => rowDeeds(kind, 'x', '')),
    ...tableDeeds(cloud),
    { says: 'read the change feed', does: ask('dynamodb:GetRecords', arn('dynamodb', `table/${CORE_TABLE}/stream/s`)) },
    ...queueDeeds(cloud),
    ...REQUESTS.map((name) => ({
      says: `invoke ${name}`,
      does: call('lambda', 'Invoke', { FunctionName: `mintmark-prod-${name}` }),
    })),
    ...FUNCTIONS.flatMap((name) => [
      { says: `invoke ${name}`, does: call('lambda', 'Invoke', { FunctionName: `mintmark-prod-${name}` }) },
      {
        says: `replace code of ${name}`,
        does: ask('lambda:UpdateFunctionCode', arn('lambda', `function:mintmark-prod-${name}`)),
      },
      {
        says: `open ${name} to others`,
        does: ask('lambda:AddPermission', arn('lambda', `function:mintmark-prod-${name}`)),
      },
      { says: `write policy into ${name}`, does: call('iam', 'PutRolePolicy', { RoleName: `mintmark-${name}` }) },
      {
        says: `attach administrator to ${name}`,
        does: call('iam', 'AttachRolePolicy', { RoleName: `mintmark-${name}`, PolicyArn: ADMIN }),
      },
    ]),
    ...TENANT_BOUND.flatMap((name) => [
      assume(`open ${name}'s session of no tenant`, cloud, `mintmark-data-${name}`, {}),
      assume(`open ${name}'s session of every tenant`, cloud, `mintmark-data-${name}`, { 'mintmark-tenant': '*' }),
      assume(`open ${name}'s session with a tag more`, cloud, `mintmark-data-${name}`, {
        'mintmark-tenant': 'x',
        more: 'y',
      }),
    ]),
    ...['apply', 'operator', 'provisioner', 'archive'].map((name) =>
      assume(`become ${name}`, cloud, `mintmark-${name}`, {}, { SourceIdentity: 'someone' }),
    ),
    {
      says: 'get a federation token',
      does: ask('sts:GetFederationToken', `arn:aws:sts::${cloud.account}:federated-user/x`),
    },
    ...storageKeys(cloud).flatMap((key, index) => [
      { says: `decrypt under storage key ${index}`, does: ask('kms:Decrypt', key, encryption) },
      { says: `make data key under storage key ${index}`, does: ask('kms:GenerateDataKey', key, encryption) },
    ]),
    ...['ReEncryptFrom', 'CreateGrant', 'PutKeyPolicy', 'ScheduleKeyDeletion', 'Decrypt', 'Encrypt'].map((action) => ({
      says: `${action} on the pool key without a context`,
      does: ask(`kms:${action}`, poolKey(cloud), encryption),
    })),
    { says: 'rewrite the boundary', does: call('iam', 'CreatePolicyVersion', { PolicyArn: boundary(cloud) }) },
    {
      says: 'go back to an older boundary',
      does: call('iam', 'SetDefaultPolicyVersion', { PolicyArn: boundary(cloud) }),
    },
    { says: 'rewrite the deny text', does: call('iam', 'CreatePolicyVersion', { PolicyArn: denyText(cloud) }) },
    {
      says: 'make a deny text of no tenant',
      does: call('iam', 'CreatePolicy', { Path: '/mintmark/deny/', PolicyName: 'mintmark-x' }),
    },
    { says: 'make a policy elsewhere', does: call('iam', 'CreatePolicy', { Path: '/', PolicyName: 'mintmark-x' }) },
    { says: 'delete the deny text', does: call('iam', 'DeletePolicy', { PolicyArn: denyText(cloud) }) },
    { says: 'make a role of its own', does: call('iam', 'CreateRole', { RoleName: 'own' }) },
    { says: 'read a secret', does: ask('secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:x-AbCdEf')) },
    ...['PutObject', 'GetObject', 'DeleteObject', 'PutObjectRetention'].map((action) => ({
      says: `${action} in the archive`,
      does: ask(`s3:${action}`, archive),
    })),
    ...[{}, { 's3:prefix': '' }, { 's3:prefix': 'logs/' }, { 's3:prefix': 'checkpoints/' }].map((context, index) => ({
      says: `list what else is in the archive, ${index}`,
      does: ask('s3:ListBucket', archive.slice(0, archive.indexOf('/')), context),
    })),
    ...SERVICE_DEEDS(cloud, fn),
  ]
}
