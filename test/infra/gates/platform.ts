// Gates over functions, the way in, the way out, and what is stored.
import { ENVIRONMENT_NAMES } from '../../../lib/config/environment.ts'
import type { Template } from '../../support/packaged-template.ts'
import { added, type Gate, ofType, planted } from './gate.ts'

const mintHasNoRoute: Gate = {
  name: 'mint has no route in: no trigger, no permission and no URL leads to it',
  findings: (template) =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) =>
        /^AWS::(ApiGatewayV2::Integration|Lambda::(Permission|Url|EventSourceMapping)|Events::Rule|Scheduler::Schedule)$/.test(
          Type,
        ),
      )
      .filter(([, { Properties }]) => JSON.stringify(Properties).includes('mintmark-prod-mint'))
      .map(([id]) => `${id} leads to mint`),
  faults: [
    [
      'an integration',
      planted(
        'HttpApiIntegrationAttest.IntegrationUri',
        'arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-mint',
      ),
    ],
    [
      'a function URL',
      added({
        Type: 'AWS::Lambda::Url',
        Properties: { TargetFunctionArn: 'mintmark-prod-mint', AuthType: 'NONE' },
      }),
    ],
  ],
}

const ROUTES = [
  'ANY /t/{tenant}/admin/{path+} HttpApiIntegrationAdmin',
  'ANY /t/{tenant}/events HttpApiIntegrationEvents',
  'ANY /t/{tenant}/introspect HttpApiIntegrationIntrospect',
  'ANY /t/{tenant}/receivers/{name}/poll HttpApiIntegrationPoll',
  'ANY /t/{tenant}/revoke HttpApiIntegrationIntrospect',
  'ANY /t/{tenant}/token HttpApiIntegrationAttest',
  'GET /.well-known/oauth-authorization-server/t/{tenant} HttpApiIntegrationDiscovery',
  'GET /.well-known/oauth-protected-resource/t/{tenant} HttpApiIntegrationDiscovery',
  'GET /t/{tenant}/.well-known/openid-configuration HttpApiIntegrationDiscovery',
  'GET /t/{tenant}/jwks.json HttpApiIntegrationDiscovery',
  'GET /t/{tenant}/log/{path+} HttpApiIntegrationDiscovery',
  'GET /t/{tenant}/revocations HttpApiIntegrationDiscovery',
  'GET /t/{tenant}/signal-jwks.json HttpApiIntegrationDiscovery',
]

const frontDoor: Gate = {
  name: 'there are these routes and no more, behind a throttle, an access log and a domain that asks for CloudFront’s certificate',
  findings: (template) => {
    const routes = ofType(template, 'AWS::ApiGatewayV2::Route')
      .map(([, { Properties }]) => `${Properties.RouteKey} ${String(Properties.Target).split('/').at(-1)}`)
      .sort()
    const [, api] = ofType(template, 'AWS::ApiGatewayV2::Api')[0] ?? []
    const [, stage] = ofType(template, 'AWS::ApiGatewayV2::Stage')[0] ?? []
    const [, domain] = ofType(template, 'AWS::ApiGatewayV2::DomainName')[0] ?? []
    return [
      ...(JSON.stringify(routes) === JSON.stringify(ROUTES) ? [] : [`routes are ${routes.join('; ')}`]),
      ...(api?.Properties.DisableExecuteApiEndpoint === true ? [] : ['the API has a second way in']),
      ...(stage?.Properties.DefaultRouteSettings?.ThrottlingRateLimit > 0 ? [] : ['the API has no throttle']),
      ...(stage?.Properties.AccessLogSettings ? [] : ['the API has no access log']),
      ...(/authorization|path|query|body/i.test(stage?.Properties.AccessLogSettings?.Format ?? '')
        ? ['the access log holds what callers send']
        : []),
      ...(domain?.Properties.MutualTlsAuthentication?.TruststoreUri ? [] : ['the WAF can be gone around']),
    ]
  },
  faults: [
    [
      'a route more',
      added({
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: { RouteKey: 'POST /t/{tenant}/admin', Target: 'integrations/HttpApiIntegrationAttest' },
      }),
    ],
    ['the default endpoint', planted('HttpApi.DisableExecuteApiEndpoint', false)],
    ['no throttle', planted('HttpApiStage.DefaultRouteSettings')],
    ['paths in the log', planted('HttpApiStage.AccessLogSettings', { Format: '$context.path' })],
    ['an origin for everybody', planted('OriginDomain.MutualTlsAuthentication')],
  ],
}

/** Of the 1,000 of an account; AWS keeps 100 unreserved. */
const RESERVED_MAX = 900

const functions: Gate = {
  name: 'functions are Node 24 on arm64, traced, logged as JSON for a time under our key, and have their share of concurrency',
  findings: (template) => {
    const all = ofType(template, 'AWS::Lambda::Function')
    const logs = ofType(template, 'AWS::Logs::LogGroup')
    return [
      ...all.flatMap(([id, { Properties: p }]) => [
        ...(p.Runtime === 'nodejs24.x' && p.Architectures?.[0] === 'arm64' ? [] : [`${id} runs on ${p.Runtime}`]),
        ...(p.TracingConfig?.Mode === 'Active' ? [] : [`${id} is not traced`]),
        ...(p.LoggingConfig?.LogFormat === 'JSON' ? [] : [`${id} does not log JSON`]),
        ...(p.ReservedConcurrentExecutions > 0 ? [] : [`${id} has no share of concurrency`]),
        ...(logs.some(([, log]) => log.Properties.LogGroupName === `/aws/lambda/${p.FunctionName}`)
          ? []
          : [`${id} has no log group`]),
      ]),
      ...logs.flatMap(([id, { Properties: p }]) => [
        ...(p.RetentionInDays > 0 ? [] : [`${id} is kept forever`]),
        ...(p.KmsKeyId ? [] : [`${id} is not under our key`]),
      ]),
      ...(all.reduce((sum, [, { Properties }]) => sum + Properties.ReservedConcurrentExecutions, 0) > RESERVED_MAX
        ? ['more concurrency is reserved than an account has']
        : []),
    ]
  },
  faults: [
    ['another runtime', planted('MintLambdaFunction.Runtime', 'nodejs20.x')],
    ['no tracing', planted('MintLambdaFunction.TracingConfig')],
    ['no concurrency', planted('RevokeLambdaFunction.ReservedConcurrentExecutions')],
    ['too much of it', planted('DiscoveryLambdaFunction.ReservedConcurrentExecutions', 500)],
    ['logs for ever', planted('MintLogGroup.RetentionInDays')],
  ],
}

/** They call hosts that documents name, or IAM, which has no endpoint. */
const OUTSIDE = ['trust', 'revoke', 'push', 'deliver']

const noWayOut: Gate = {
  name: 'all functions but those that must call outside run where no route leads out, and endpoints reach this account’s resources alone',
  findings: (template) => {
    const outside = ofType(
      template,
      'AWS::EC2::InternetGateway',
      'AWS::EC2::NatGateway',
      'AWS::EC2::Route',
      'AWS::EC2::EgressOnlyInternetGateway',
      'AWS::EC2::TransitGatewayAttachment',
      'AWS::EC2::VPCPeeringConnection',
    )
    return [
      ...outside.map(([id]) => `${id} is a way out`),
      ...ofType(template, 'AWS::Lambda::Function')
        .filter(([, { Properties }]) => !OUTSIDE.includes(String(Properties.FunctionName).split('-').at(-1)!))
        .filter(
          ([, { Properties }]) =>
            Properties.VpcConfig?.SubnetIds?.some((subnet: string) => !subnet.startsWith('IsolatedSubnet')) ?? true,
        )
        .map(([id]) => `${id} is not in the isolated subnets`),
      ...ofType(template, 'AWS::EC2::Subnet')
        .filter(([, { Properties }]) => Properties.MapPublicIpOnLaunch !== false)
        .map(([id]) => `${id} gives public addresses`),
      ...ofType(template, 'AWS::EC2::VPCEndpoint')
        .filter(([id, { Properties }]) => {
          const text = JSON.stringify(Properties.PolicyDocument ?? {})
          return id === 'StsEndpoint'
            ? !text.includes('role/mintmark/*')
            : !text.includes('"aws:ResourceAccount":"111122223333"')
        })
        .map(([id]) => `${id} carries to other accounts`),
    ]
  },
  faults: [
    ['a NAT gateway', added({ Type: 'AWS::EC2::NatGateway', Properties: {} })],
    ['attest outside', planted('AttestLambdaFunction.VpcConfig')],
    ['audit outside', planted('AuditLambdaFunction.VpcConfig')],
    ['an endpoint to any table', planted('DynamoEndpoint.PolicyDocument')],
  ],
}

/** Of the runtime, not of our code. */
const RUNTIME: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--use-openssl-ca',
  SSL_CERT_FILE: '/var/task/amazon-roots.pem',
}
const VALUE =
  /^(?:[A-Za-z]+Role\.RoleId,?)+$|^(https:\/\/[a-z0-9./-]+|mintmark-[a-z-]+(?::[a-z]+)?|mintmark-archive-\d{12}-[a-z0-9-]+|\d+\.\d+\.\d+\.\d+\/\d+|arn:aws:[a-z]+:[a-z0-9-]*:\d{12}:[A-Za-z0-9/-]+)$/

const environment: Gate = {
  name: 'the environment of a function is names, ARNs and ranges under names we know, and no secret',
  findings: (template) =>
    ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) =>
      Object.entries<string>(Properties.Environment?.Variables ?? {})
        .filter(
          ([name, value]) =>
            !(
              RUNTIME[name] === value ||
              ((ENVIRONMENT_NAMES as readonly string[]).includes(name) && VALUE.test(value))
            ),
        )
        .map(([name]) => `${id}: ${name}`),
    ),
  faults: [
    ['a secret', planted('MintLambdaFunction.Environment.Variables.MINTMARK_POOL_KEY', 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=')],
    ['a name nobody reads', planted('MintLambdaFunction.Environment.Variables.TOKEN', 'mintmark-x')],
  ],
}

const retained = (template: Template, ...types: string[]): string[] =>
  ofType(template, ...types)
    .filter(
      ([id, r]) =>
        id !== 'ServerlessDeploymentBucket' && (r.DeletionPolicy !== 'Retain' || r.UpdateReplacePolicy !== 'Retain'),
    )
    .map(([id]) => `${id} goes with the stack`)

const storage: Gate = {
  name: 'what is stored is encrypted, restorable, protected, and stays when the stack goes',
  findings: (template) => [
    ...retained(
      template,
      'AWS::DynamoDB::Table',
      'AWS::S3::Bucket',
      'AWS::KMS::Key',
      'AWS::SQS::Queue',
      'AWS::Logs::LogGroup',
    ),
    ...ofType(template, 'AWS::DynamoDB::Table').flatMap(([id, { Properties: p }]) => [
      ...(p.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled
        ? []
        : [`${id} has no point-in-time recovery`]),
      ...(p.DeletionProtectionEnabled ? [] : [`${id} can be deleted`]),
      ...(p.SSESpecification?.KMSMasterKeyId ? [] : [`${id} is not under our key`]),
      ...(p.GlobalSecondaryIndexes ? [`${id} has an index, which is never strongly consistent`] : []),
    ]),
    ...(template.Resources['CoreTable']?.Properties.StreamSpecification ? [] : ['the core table has no feed']),
    ...ofType(template, 'AWS::KMS::Key')
      .filter(([, { Properties }]) => !Properties.EnableKeyRotation)
      .map(([id]) => `${id} is not rotated`),
    ...ofType(template, 'AWS::SQS::Queue').flatMap(([id, { Properties }]) => [
      ...(Properties.SqsManagedSseEnabled ? [] : [`${id} is not encrypted`]),
      ...(JSON.stringify(template.Resources[`${id}Policy`] ?? {}).includes('"aws:SecureTransport":"false"')
        ? []
        : [`${id} can be reached without TLS`]),
    ]),
    ...(template.Resources['ArchiveBucket']?.Properties.ObjectLockConfiguration?.Rule?.DefaultRetention?.Mode ===
    'COMPLIANCE'
      ? []
      : ['the archive can be taken back']),
  ],
  faults: [
    ['no recovery', planted('CoreTable.PointInTimeRecoverySpecification', {})],
    ['no protection', planted('LogTable.DeletionProtectionEnabled', false)],
    ['a key that goes', (t) => Object.assign(t.Resources['PoolKey']!, { DeletionPolicy: 'Delete' })],
    ['a queue without TLS', (t) => void delete t.Resources['RevokeQueuePolicy']],
    [
      'a lock the owner opens',
      planted('ArchiveBucket.ObjectLockConfiguration.Rule', {
        DefaultRetention: { Mode: 'GOVERNANCE', Days: 396 },
      }),
    ],
  ],
}

export const PLATFORM_GATES: readonly Gate[] = [mintHasNoRoute, frontDoor, functions, noWayOut, environment, storage]
