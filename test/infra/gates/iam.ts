// Gates over policies: what they say, and who they say it to. Longer than 300 lines: each gate beside what it must catch.

import { SERVICE_SIDS } from '../../../infra/policies/role.ts'
import { leadingKeys } from '../../../lib/adapters/aws/table-keys.ts'
import { policiesOf, type Statement, type Template } from '../../support/packaged-template.ts'
import { at, type Gate, ofType, planted, statementsIn } from './gate.ts'

const TENANT = '${aws:PrincipalTag/mintmark-tenant}'
const VARIABLES = new Set([
  'aws:PrincipalTag/mintmark-tenant',
  'iam:ResourceTag/mintmark-tenant',
  // IAM's way to write a star and a question mark that are themselves.
  '*',
  '?',
])

const each = <T>(
  template: Template,
  look: (place: ReturnType<typeof policiesOf>[number], s: Statement) => readonly T[],
) => policiesOf(template).flatMap((place) => place.statements.flatMap((statement) => look(place, statement)))

const values = (value: unknown): string[] => [value].flat().map(String)

const guards: Gate = {
  name: 'beside every ForAllValues stands the Null guard of the same key',
  findings: (template) =>
    each(template, (place, statement) =>
      Object.entries(statement.Condition ?? {})
        .filter(([operator]) => operator.startsWith('ForAllValues:'))
        .flatMap(([, keys]) => Object.keys(keys))
        .filter((key) => statement.Condition?.['Null']?.[key] !== 'false')
        .map((key) => `${at(place, statement)}: ${key} may be absent`),
    ),
  faults: [
    ['a guard is left away', planted('AttestRole.@ReadTrust.Condition.Null')],
    [
      'a guard is of another key',
      planted('DataMintRole.@AppendRecords.Condition.Null', { 'dynamodb:Attributes': 'false' }),
    ],
  ],
}

const variables: Gate = {
  name: 'every policy variable is one we know, escaped, and none was rendered empty',
  findings: (template) =>
    each(template, (place, statement) => {
      const text = JSON.stringify(statement)
      const unknown = [...text.matchAll(/\$\{([^}]*)\}/g)]
        .map(([, name]) => name ?? '')
        .filter((name) => !VARIABLES.has(name))
      const empty = /"T##|#T#"|"[^"]*\/\/|"#|"\.\*"|: ?""/.exec(text.replaceAll('://', ''))
      return [
        ...unknown.map((name) => `${at(place, statement)}: \${${name}}`),
        ...(empty === null ? [] : [`${at(place, statement)}: ${empty[0]} looks like an empty variable`]),
        ...(text.includes('\\\\$') ? [`${at(place, statement)}: a backslash was left`] : []),
      ]
    }),
  faults: [
    [
      'a variable is rendered empty',
      planted('DataMintRole.@AppendRecords.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys', ['T##G#*']),
    ],
    [
      'a variable is misspelt',
      planted('DataMintRole.@AppendRecords.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys', [
        'T#${aws:PrincipalTag/tenant}#G#*',
      ]),
    ],
  ],
}

const fences: Gate = {
  name: 'whatever a tenant session is allowed is written in the tenant of that session',
  findings: (template) =>
    each(template, (place, statement) => {
      if (place.kind !== 'identity' || !String(place.resource.Properties.Path).startsWith('/mintmark/data/')) return []
      if (statement.Effect !== 'Allow') return []
      const fenced = Object.entries(statement.Condition ?? {})
        .filter(([operator]) => !operator.startsWith('Null'))
        .flatMap(([, keys]) => Object.entries(keys))
        .filter(([key]) => /LeadingKeys|EncryptionContext:tenant|(Request|Resource)Tag\/mintmark-tenant/.test(key))
      const isOfTenant = fenced.every(([, value]) => values(value).every((text) => text.includes(TENANT)))
      // What has names of its own is fenced by them: a role, a deny text.
      const resources = statement.Resource ?? []
      const isNamed = resources.length > 0 && resources.every((arn) => arn.includes(TENANT))
      return isOfTenant && (fenced.length > 0 || isNamed) ? [] : [`${at(place, statement)} reaches beyond its tenant`]
    }),
  faults: [
    [
      'one prefix of many is of all tenants',
      planted('DataMintRole.@ReadTenantRows.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys', [
        `T#${TENANT}#G#*`,
        'T#*',
      ]),
    ],
    [
      'a key is opened for anybody',
      planted('DataMintRole.@OpenTenantKeys.Condition', {
        StringEquals: { 'kms:EncryptionContext:use': 'token' },
      }),
    ],
  ],
}

/** Allow statements with a star where a name could stand, each with its reason. */
const STARS: Readonly<Record<string, string>> = {
  SendTraces: 'X-Ray has no resources',
  AttachToNetwork: 'EC2 names no resource when interfaces are made and listed; denied to code',
  MakeSiloKey: 'a key has no ARN before it is made; its tags are the fence',
  OwnTaggedResources: 'a boundary: it grants nothing, and the tag is the fence',
  OwnResourcesOnly: 'an endpoint: it grants nothing, and the account is the fence',
  SessionsOnly: 'an endpoint: it grants nothing, and tenants keep roles in their own accounts',
  AssumeWorkloadRole: 'tenants keep roles in their own accounts; path, tags and external id are the fence',
  TagWorkloadSession: 'the same',
  NameSource: 'the same',
}

const stars: Gate = {
  name: 'no Allow has a star for its action or its resource, but for those with a reason',
  findings: (template) => {
    const found = each(template, (place, statement) => {
      // The resource of a policy that hangs on a resource is that resource.
      const isOnResource = place.kind === 'resource'
      const wide =
        statement.Effect === 'Allow' &&
        (statement.Action.some((action) => action.includes('*')) ||
          (!isOnResource && (statement.Resource ?? []).some((arn) => arn === '*' || arn.includes('::*:'))) ||
          statement.NotResource !== undefined)
      return wide ? [{ sid: statement.Sid, where: at(place, statement) }] : []
    })
    return found.filter(({ sid }) => STARS[sid] === undefined).map(({ where }) => `${where} has a star`)
  },
  faults: [
    ['an action is a star', planted('TrustRole.@ReadSources.Action', ['dynamodb:*'])],
    ['a resource is a star', planted('AttestRole.@AskMintAndTrust.Resource', ['*'])],
  ],
}

const CONFIGURATION = [leadingKeys('acme').config, 'TENANTS#3']
const toPattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/\$\{[^}]*\}/g, 'acme')
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')}$`,
  )

const configuration: Gate = {
  name: 'no role of a function may write configuration, and the table itself says so again',
  findings: (template) => [
    ...each(template, (place, statement) => {
      const path = String(place.resource.Properties.Path ?? '')
      const isFunction = path.startsWith('/mintmark/fn/') || path.startsWith('/mintmark/data/')
      if (!isFunction || place.kind !== 'identity' || statement.Effect !== 'Allow') return []
      if (!statement.Action.some((action) => /^dynamodb:(Put|Update|Delete|BatchWrite|PartiQL|\*)/.test(action)))
        return []
      const rows = statement.Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']
      const reaches =
        rows === undefined || values(rows).some((row) => CONFIGURATION.some((key) => toPattern(row).test(key)))
      return reaches ? [`${at(place, statement)} writes configuration`] : []
    }),
    ...(policiesOf(template)
      .filter(({ id }) => id === 'CoreTable')
      .flatMap(({ statements }) => statements)
      .some(
        ({ Sid, Effect, Condition }) =>
          Sid === 'WriteConfiguration' &&
          Effect === 'Deny' &&
          JSON.stringify(Condition?.['ArnNotEquals']) ===
            '{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/mintmark/mintmark-apply"]}',
      )
      ? []
      : ['CoreTable lets others than mintmark-apply write configuration']),
  ],
  faults: [
    [
      'trust may write all of a tenant',
      planted('TrustRole.@WriteKeySets.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys', ['T#*']),
    ],
    [
      'a session may write all of its tenant',
      planted('DataMintRole.@AppendRecords.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys', [`T#${TENANT}#*`]),
    ],
    [
      'the table policy names one writer more',
      (t) => {
        const deny = policiesOf(t)
          .find(({ id }) => id === 'CoreTable')!
          .resource.Properties.ResourcePolicy.PolicyDocument.Statement.find(
            ({ Sid }: Statement) => Sid === 'WriteConfiguration',
          )
        deny.Condition.ArnNotEquals['aws:PrincipalArn'].push(
          'arn:aws:iam::111122223333:role/mintmark/fn/mintmark-trust',
        )
      },
    ],
  ],
}

const names: Gate = {
  name: 'every role has a name of ours, and no function shares its role',
  findings: (template) => {
    const used = ofType(template, 'AWS::Lambda::Function').map(([, { Properties }]) => String(Properties.Role))
    return [
      ...ofType(template, 'AWS::IAM::Role')
        .filter(([, { Properties }]) => !Properties.RoleName || !String(Properties.Path).startsWith('/mintmark/'))
        .map(([id]) => `${id} has no name or path of ours`),
      ...used.filter((role, index) => used.indexOf(role) !== index).map((role) => `${role} is shared`),
    ]
  },
  faults: [
    ['a role without a name', planted('TrustRole.RoleName')],
    [
      'two functions with one role',
      planted('AttestLambdaFunction.Role', 'arn:aws:iam::111122223333:role/mintmark/fn/mintmark-mint'),
    ],
  ],
}

const aliases: Gate = {
  name: 'each kind of request that a function is told to ask by has its alias, of the code that is deployed, and no other is there',
  findings: (template) => {
    const there = ofType(template, 'AWS::Lambda::Alias').map(
      ([, { Properties }]) => `${Properties.FunctionName}:${Properties.Name} of ${Properties.FunctionVersion}`,
    )
    const told = ofType(template, 'AWS::Lambda::Function')
      .flatMap(([, { Properties }]) => Object.values<unknown>(Properties.Environment?.Variables ?? {}))
      .filter((value): value is string => /^mintmark-[a-z]+-[a-z]+:[a-z]+$/.test(String(value)))
      .map((name) => `${name} of $LATEST`)
    return [
      ...told.filter((name) => !there.includes(name)).map((name) => `${name} is missing`),
      ...there.filter((name) => !told.includes(name)).map((name) => `${name} is asked by nobody`),
    ]
  },
  faults: [
    ['an alias that is missing', (t) => void delete t.Resources['FeedPageAlias']],
    ['an alias nobody asks by', planted('FeedPageAlias.Name', 'all')],
    ['an alias of old code', planted('MintIssueAlias.FunctionVersion', '7')],
  ],
}

const trusts: Gate = {
  name: 'whoever a role trusts is named: a service, or an account with the one principal in it',
  findings: (template) =>
    each(template, (place, statement) => {
      if (place.kind !== 'trust' || statement.Effect !== 'Allow') return []
      const principal = statement.Principal as { AWS?: unknown; Service?: unknown; Federated?: unknown }
      if (principal.Service !== undefined || principal.Federated !== undefined) return []
      const condition = statement.Condition ?? {}
      const named = { ...condition['ArnEquals'], ...condition['ArnLike'] }['aws:PrincipalArn']
      const isNamed = named !== undefined && !values(named).some((arn) => /^\*$|role\/\*$|:\*$/.test(arn))
      return isNamed && values(principal.AWS).every((arn) => arn.endsWith(':root'))
        ? []
        : [`${at(place, statement)} trusts too many`]
    }),
  faults: [
    [
      'a data role trusts its whole account',
      planted('DataMintRole.AssumeRolePolicyDocument.Statement.0.Condition', {}),
    ],
    ['a role trusts everybody', planted('ApplyRole.AssumeRolePolicyDocument.Statement.0.Principal', { AWS: '*' })],
  ],
}

const FORBIDDEN: Readonly<Record<string, RegExp>> = {
  AttestRole: /^(sts:|kms:|iam:|dynamodb:(Put|Delete|Batch|Query|Scan))/,
  TrustRole: /^(sts:|kms:|iam:|lambda:)/,
  MintRole: /^(kms:|iam:|lambda:|dynamodb:(Put|Delete|Query|Scan))/,
  RevokeRole: /^(kms:|lambda:|iam:)/,
  // It asks the list of logs which are to be compared with their records; what is a tenant's, only its session reads.
  AuditRole: /^(kms:|lambda:|iam:|dynamodb:(Put|Delete|GetItem|Scan))/,
  DataAuditRole: /^(kms:|dynamodb:(Delete|BatchWrite))/,
  CheckpointRole: /^(kms:|lambda:|iam:|s3:|dynamodb:(Put|Delete|GetItem|Scan))/,
  DataCheckpointRole:
    /^(kms:(?!Decrypt$|Sign$|GetPublicKey$)|sts:|s3:(?!PutObject$|GetObject$)|dynamodb:(Delete|BatchWrite))/,
  // It asks feed for pages.
  DiscoveryRole: /^(kms:|lambda:(?!InvokeFunction$)|iam:|dynamodb:|sqs:)/,
  // It asks checkpoint for signatures.
  DeliverRole: /^(kms:|lambda:(?!InvokeFunction$)|iam:|dynamodb:(Put|Update|Delete|Scan)|secretsmanager:)/,
  DataDeliverRole: /^(kms:|sts:|lambda:|iam:|dynamodb:(Scan|BatchWrite))/,
  DataDiscoveryRole: /^(kms:|dynamodb:(Put|Update|Delete|Batch))/,
  DataRevokeRole: /^(kms:|sts:|iam:(?!(?:CreatePolicy|AttachRolePolicy|ListAttachedRolePolicies)$))/,
  DataRotateRole: /^kms:(Decrypt|Sign|GenerateDataKeyPair$)/,
  ProvisionerRole: /^(sts:|kms:|dynamodb:|iam:(Delete|Detach).*(Policy|Boundary))/,
  OperatorRole: /^(sts:|kms:|iam:|dynamodb:(Put|Delete))/,
}

const limits: Gate = {
  name: 'no role is allowed what design §2 says it may not do',
  findings: (template) =>
    each(template, (place, statement) =>
      place.kind === 'identity' && statement.Effect === 'Allow'
        ? statement.Action.filter(
            (action) =>
              FORBIDDEN[place.id]?.test(action) &&
              // The one session a function may open is of its own data role.
              !(statement.Sid === 'OpenTenantSession'),
          ).map((action) => `${at(place, statement)} may ${action}`)
        : [],
    ),
  faults: [
    [
      'attest may sign',
      (t) =>
        void statementsIn(t, 'AttestRole').push({
          Sid: 'X',
          Effect: 'Allow',
          Action: ['kms:Sign'],
          Resource: ['arn:aws:kms:eu-west-1:111122223333:key/x'],
        }),
    ],
    [
      "revoke's session of a tenant may rewrite a text",
      (t) =>
        void statementsIn(t, 'DataRevokeRole').push({
          Sid: 'X',
          Effect: 'Allow',
          Action: ['iam:CreatePolicyVersion'],
          Resource: ['arn:aws:iam::111122223333:policy/mintmark/deny/x/y'],
        }),
    ],
    [
      'revoke may delete a policy',
      (t) =>
        void statementsIn(t, 'RevokeRole').push({
          Sid: 'X',
          Effect: 'Allow',
          Action: ['iam:DeleteRolePolicy'],
          Resource: ['arn:aws:iam::111122223333:role/mintmark/t/x/y'],
        }),
    ],
  ],
}

/** `dynamodb:*` covers `dynamodb:GetRecords`. */
const covers = (pattern: string, action: string): boolean => toPattern(pattern).test(action)

const services: Gate = {
  name: 'what Lambda itself does with a role is not among what only the code inside may do',
  findings: (template) =>
    policiesOf(template)
      .filter(({ kind }) => kind === 'identity')
      .flatMap((place) => {
        const inside = place.statements.find(({ Sid }) => Sid === 'OnlyFromThisFunction')?.Action ?? []
        return place.statements
          .filter(({ Sid, Effect }) => Effect === 'Allow' && SERVICE_SIDS.has(Sid))
          .filter(({ Action }) => Action.some((action) => inside.some((pattern) => covers(pattern, action))))
          .map((statement) => `${at(place, statement)}: Lambda could not`)
      }),
  faults: [
    ['polling only from inside', planted('RevokeRole.@OnlyFromThisFunction.Action', ['sqs:*'])],
    ['dead letters only from inside', planted('TrustRole.@OnlyFromThisFunction.Action', ['dynamodb:*', 'sqs:*'])],
  ],
}

export const IAM_GATES: readonly Gate[] = [
  guards,
  variables,
  fences,
  stars,
  configuration,
  names,
  aliases,
  trusts,
  limits,
  services,
]
