// docs/cost.md, computed: what an exchange asks of AWS (scripts/exchange-requests.ts, measured by tests), times prices, plus
// what is paid whether anybody calls or not. `npm run docs` writes it and `npm run check` fails when it has drifted. Pure.
// Longer than 300 lines: the tables of prices and of lines are most of it.
import { alarmResources } from '../infra/alarms.ts'
import { API_THROTTLE } from '../infra/front-door.ts'
import { keyResources } from '../infra/keys.ts'
import { SERVICES } from '../infra/network.ts'
import { CONCURRENCY } from '../infra/timeouts.ts'
import { LIMITS } from '../lib/domain/limits.ts'
import { AUDIT, CHECKPOINT, COMPARE, EXCHANGE } from './exchange-requests.ts'
import { table } from './markdown-table.ts'

/** When prices were last looked up: in stored copies of pages, since the live ones were out of reach. */
const LOOKED_UP = '2026-11-26'
/** On a stored copy of AWS's own page; where that shows no figure, on the page of somebody else who copied it. */
const AWS = "AWS's page"

/** us-east-1, on demand, dollars, before free tiers. `page`: of https://aws.amazon.com/<page>/pricing/. `seen` null: nowhere. */
export const PRICES = {
  httpApiPerMillion: {
    dollars: 1,
    of: 'HTTP API, a million requests',
    page: 'api-gateway',
    seen: 'apigatewaycost.com/aws',
  },
  cloudFrontPerMillion: { dollars: 1, of: 'CloudFront, a million HTTPS requests', page: 'cloudfront', seen: null },
  wafPerMillion: {
    dollars: 0.6,
    of: 'WAF, a million requests',
    page: 'waf',
    seen: 'c3x.dev/blog/aws-waf-cost-explained',
  },
  invokePerMillion: { dollars: 0.2, of: 'Lambda, a million requests', page: 'lambda', seen: AWS },
  gigabyteSecond: {
    dollars: 0.0000133334,
    of: 'Lambda arm64, a GB-second',
    page: 'lambda',
    seen: 'cloudchipr.com/blog/aws-lambda-pricing (2024)',
  },
  writePerMillion: {
    dollars: 0.625,
    of: 'DynamoDB, a million write units',
    page: 'dynamodb',
    seen: 'airbyte.com/data-engineering-resources/dynamodb-pricing (July 2025)',
  },
  readPerMillion: {
    dollars: 0.125,
    of: 'DynamoDB, a million read units',
    page: 'dynamodb',
    seen: 'airbyte.com/data-engineering-resources/dynamodb-pricing (July 2025)',
  },
  storageMonth: { dollars: 0.25, of: 'DynamoDB, a GB stored for a month', page: 'dynamodb', seen: AWS },
  objectPutsPerMillion: { dollars: 5, of: 'S3, a million puts', page: 's3', seen: null },
  backupMonth: {
    dollars: 0.2,
    of: 'DynamoDB point-in-time recovery, a GB for a month',
    page: 'dynamodb',
    seen: 'finops.com.py/services/dynamodb/backups',
  },
  logGigabyte: {
    dollars: 0.5,
    of: 'CloudWatch Logs, a GB taken in',
    page: 'cloudwatch',
    seen: 'factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards',
  },
  tracesPerMillion: { dollars: 5, of: 'X-Ray, a million traces', page: 'xray', seen: AWS },
  kmsPerMillion: {
    dollars: 3,
    of: 'KMS, a million symmetric requests',
    page: 'kms',
    seen: 'wring.co/blog/aws-kms-pricing-guide (March 2026)',
  },
  kmsKeyMonth: { dollars: 1, of: 'KMS, a key for a month', page: 'kms', seen: AWS },
  endpointHour: {
    dollars: 0.01,
    of: 'VPC interface endpoint, an hour in a zone',
    page: 'privatelink',
    seen: 'cloudcostkit.com/calculators/aws-vpc-interface-endpoint-cost-calculator (January 2026)',
  },
  webAclMonth: {
    dollars: 5,
    of: 'WAF, a web ACL for a month',
    page: 'waf',
    seen: 'c3x.dev/blog/aws-waf-cost-explained',
  },
  wafRuleMonth: {
    dollars: 1,
    of: 'WAF, a rule or managed group for a month',
    page: 'waf',
    seen: 'c3x.dev/blog/aws-waf-cost-explained',
  },
  alarmMonth: {
    dollars: 0.1,
    of: 'CloudWatch, an alarm for a month',
    page: 'cloudwatch',
    seen: 'c3x.dev/resources/aws/aws_cloudwatch_metric_alarm',
  },
} as const
const price = (name: keyof typeof PRICES): number => PRICES[name].dollars

/** Nothing here was measured on AWS: engines take as long as their documentation and others' measurements say. */
const ASSUMED = {
  memoryGigabytes: 0.5,
  /** attest 5 ms of its own and 10 ms to call; mint 5 ms of its own, two reads and a put of 5 ms; attest waits for it. */
  billedMs: { mint: 20, attest: 35 },
  coldShare: 0.01,
  coldMs: 250,
  /**
   * A line of the API's access log as serverless.yml has it (140 bytes with the longest address), and the 26 that CloudWatch adds. The
   * functions say nothing of what went well, and Lambda's own lines begin at WARN.
   */
  logBytes: 166,
  /** X-Ray's default rule: one a second, and of the rest this share. */
  traceShare: 0.05,
  exchangesPerTenantMonth: 10_000,
  environmentSeconds: 7_200,
} as const

const MONTH_SECONDS = 730 * 3_600

export type Line = { readonly item: string; readonly dollars: number; readonly why: string }
const sum = (lines: readonly Line[]): number => lines.reduce((total, { dollars }) => total + dollars, 0)

/** Dollars for a million exchanges up to the answer, pooled and warm. */
export const exchangeLines = (): readonly Line[] => {
  const { mint, attest } = ASSUMED.billedMs
  const gigabyteSeconds = (ms: number): number => ms * 1_000 * ASSUMED.memoryGigabytes
  const cold = EXCHANGE.invocations * ASSUMED.coldShare * ASSUMED.coldMs
  return [
    { item: 'HTTP API', dollars: price('httpApiPerMillion'), why: '1 request' },
    {
      item: 'Lambda requests',
      dollars: EXCHANGE.invocations * price('invokePerMillion'),
      why: `${EXCHANGE.invocations} invocations`,
    },
    {
      item: 'Lambda time',
      dollars: gigabyteSeconds(mint + attest) * price('gigabyteSecond'),
      why: `mint ${mint} ms, attest ${attest} ms (it waits for mint), 512 MB`,
    },
    {
      item: 'Lambda cold starts',
      dollars: gigabyteSeconds(cold) * price('gigabyteSecond'),
      why: `${ASSUMED.coldShare * 100} % of both, ${ASSUMED.coldMs} ms`,
    },
    {
      item: 'DynamoDB writes',
      dollars: EXCHANGE.writeUnits * price('writePerMillion'),
      why: `${EXCHANGE.writeUnits} units: guard, record and audit entry in one put; where a decision id finds it in another`,
    },
    {
      item: 'DynamoDB strong reads',
      dollars: EXCHANGE.readUnits * price('readPerMillion'),
      why: `${EXCHANGE.readUnits} units in ${EXCHANGE.requests.BatchGetItem} requests`,
    },
    { item: 'KMS, STS', dollars: EXCHANGE.keyAndSessionCalls, why: 'no call while warm; cold tenants are below' },
    {
      item: 'Logs',
      dollars: (ASSUMED.logBytes / 1_000) * price('logGigabyte'),
      why: `${ASSUMED.logBytes} bytes of access log`,
    },
  ]
}

/** Dollars for a million exchanges, in front of the API and behind the answer. `perBatch`: records of one tenant in a batch. */
export const aroundLines = (perBatch: keyof typeof AUDIT.writeUnits = 1): readonly Line[] => {
  const writes = AUDIT.writeUnits[perBatch] + AUDIT.writeUnitsOfList / perBatch
  const reads = AUDIT.readUnitsOfRecord + COMPARE.readUnits + AUDIT.readUnitsOfHead / perBatch
  const signed = CHECKPOINT.writeUnits * price('writePerMillion') + CHECKPOINT.anchors * price('objectPutsPerMillion')
  return [
    {
      item: 'Audit log, writes',
      dollars: writes * price('writePerMillion'),
      why: `${writes.toFixed(1)} units a record: events, commitments, the head, and where each event is found, in a transaction`,
    },
    {
      item: 'Audit log, reads',
      dollars: reads * price('readPerMillion'),
      why: `${reads.toFixed(1)} units a record: the head, whether its events are there, and once more when the hour is over, beside the record`,
    },
    {
      item: 'Checkpoints and anchors',
      dollars: signed / perBatch,
      why: `a minute in which a tenant's log has grown: ${CHECKPOINT.writeUnits} write units and a put into the locked bucket`,
    },
    { item: 'CloudFront', dollars: price('cloudFrontPerMillion'), why: '1 request' },
    { item: 'WAF', dollars: price('wafPerMillion'), why: '1 request' },
    {
      item: 'X-Ray',
      dollars: ASSUMED.traceShare * price('tracesPerMillion'),
      why: `${ASSUMED.traceShare * 100} % of requests`,
    },
    {
      item: 'Log rows, each month they are kept',
      dollars: 1.5 * (price('storageMonth') + price('backupMonth')),
      why: '1.5 KB a record that comes alone, stored and backed up; they never expire by themselves',
    },
  ]
}

/** Dollars a month, whatever the load. */
export const fixedLines = (): readonly Line[] => {
  const alarms = Object.keys(alarmResources({ stage: 'prod' })).filter((id) => id.endsWith('Alarm')).length
  const keys = Object.keys(keyResources('')).length
  return [
    {
      item: 'VPC interface endpoints',
      dollars: SERVICES.length * 2 * 730 * price('endpointHour'),
      why: 'Lambda, SQS, STS, KMS, Secrets Manager in two zones; DynamoDB and S3 have gateways, which are free',
    },
    { item: 'WAF', dollars: price('webAclMonth') + 4 * price('wafRuleMonth'), why: '1 ACL, 1 rule, 3 managed groups' },
    { item: 'Alarms', dollars: alarms * price('alarmMonth'), why: `${alarms} alarms` },
    {
      item: 'KMS keys',
      dollars: keys * price('kmsKeyMonth'),
      why: 'pool, core, log; up to $2 more each once rotated twice',
    },
  ]
}

export type Scale = {
  readonly tenants: number
  readonly perSecond: number
  /** mint environments that are busy on average. */
  readonly environments: number
  /** Share of exchanges that find no session of their tenant, or no unwrapped key, in their environment. */
  readonly sessionMisses: number
  readonly keyMisses: number
  readonly exchangeDollars: number
  readonly coldDollars: number
  readonly aroundDollars: number
  readonly fixedDollars: number
}

/** Exchanges of a tenant that come one by one, evenly over the month: the worst case for caches. Jobs come in bursts. */
export const scaleOf = (tenants: number): Scale => {
  const exchanges = tenants * ASSUMED.exchangesPerTenantMonth
  const perSecond = exchanges / MONTH_SECONDS
  const environments = Math.max(1, Math.ceil((perSecond * ASSUMED.billedMs.mint) / 1_000))
  const gapSeconds = (MONTH_SECONDS / ASSUMED.exchangesPerTenantMonth) * environments
  const misses = (keptSeconds: number): number => 1 / (1 + keptSeconds / gapSeconds)
  // An environment keeps this many sessions; the longest unused goes first.
  const sessionSeconds = Math.min(LIMITS.tenantSessionSeconds, (LIMITS.tenantSessionsMax / perSecond) * environments)
  const keyMisses = misses(ASSUMED.environmentSeconds)
  return {
    tenants,
    perSecond,
    environments,
    sessionMisses: misses(sessionSeconds),
    keyMisses,
    exchangeDollars: (sum(exchangeLines()) * exchanges) / 1e6,
    // The signing key and the secret of revocation handles.
    coldDollars: (2 * keyMisses * price('kmsPerMillion') * exchanges) / 1e6,
    aroundDollars: (sum(aroundLines()) * exchanges) / 1e6,
    fixedDollars: sum(fixedLines()),
  }
}

const money = (dollars: number): string =>
  dollars >= 100 ? `$${Math.round(dollars).toLocaleString('en')}` : `$${dollars.toFixed(2)}`
const linesTable = (lines: readonly Line[]): string =>
  table(
    ['item', 'dollars', 'why'],
    [...lines.map(({ item, dollars, why }) => [item, money(dollars), why]), ['**together**', money(sum(lines)), '']],
  )
const percent = (share: number): string => `${Math.round(share * 100)} %`

const scaleRow = (scale: Scale): readonly string[] => [
  scale.tenants.toLocaleString('en'),
  scale.perSecond < 10 ? scale.perSecond.toFixed(2) : scale.perSecond.toFixed(0),
  money(scale.fixedDollars),
  money(scale.exchangeDollars),
  money(scale.coldDollars),
  money(scale.aroundDollars),
  money(scale.fixedDollars + scale.exchangeDollars + scale.coldDollars + scale.aroundDollars),
  `${percent(scale.sessionMisses)}, ${percent(scale.keyMisses)}`,
]

/** Dollars a month to compare the logs of so many tenants, beside what is counted by the record. */
const comparing = (tenants: number): number =>
  (tenants *
    730 *
    (COMPARE.tenantHour.readUnits * price('readPerMillion') +
      COMPARE.tenantHour.writeUnits * price('writePerMillion'))) /
  1e6

export const costDocument = (): string => {
  const largest = scaleOf(100_000)
  const stsPerSecond = largest.sessionMisses * largest.perSecond
  return `<!-- generated by \`npm run docs\` from scripts/cost.ts; do not edit -->
# What it costs on AWS

Counts are measured: \`test/aws/dynamo-requests.test.ts\` and \`test/aws/lambda-e2e.test.ts\` fail where an exchange asks for more than
\`scripts/exchange-requests.ts\` says. Prices are of us-east-1 (listed below with where they were seen), on demand and before free tiers; times are assumed
(\`ASSUMED\` in \`scripts/cost.ts\`). Nothing was measured on a bill: compare the first month's.

## A million exchanges, pooled and warm, HTTP API in front
Up to the answer (goal: at most $3.50):

${linesTable(exchangeLines())}

The goal is missed by the second write: introspection must find a token in the moment it is in somebody's hands, which no index promises.

In front of the API and behind the answer, where a batch brings one record of a tenant:

${linesTable(aroundLines())}

The audit log costs more than the exchange: a transaction is billed twice, and each event has a row it is found by. This is the worst case, a
record alone in its batch and in its minute. Where ten records of a tenant come together, writes of the log are ${money(aroundLines(10)[0]!.dollars)}, checkpoints and anchors
${money(aroundLines(10)[2]!.dollars)}.

## Each month, whatever the load
${linesTable(fixedLines())}

Schedules, dead-letter queues, secrets and the weekly export are cents; so is a receiver of revocations, which is looked at every minute
(six reads) and told of each by a message, a reading of six units and two writes. So is a sink: four read units a minute ($0.02), and with events
every minute three write units and one read of its secret more ($0.30, from memory for the secret). Where events expire (\`audit.keep_days\`) their rows are
read and written once more when they go, and what finds them by their id stays. A **silo** is a deployment of its own: all of this once more, and two
signing keys held in KMS ($2 a month, $15 a million ECC signatures). What audit looks for each hour in the log of a tenant, whatever happened in it,
is ${COMPARE.tenantHour.readUnits} read units and ${COMPARE.tenantHour.writeUnits} write unit: ${money(comparing(1_000))} a month for a thousand tenants, and for each change of revocations a unit more, once.

## By number of tenants, ${ASSUMED.exchangesPerTenantMonth.toLocaleString('en')} exchanges a tenant and month
${table(
  ['tenants', 'exchanges/s', 'fixed', 'exchanges', 'cold keys (KMS)', 'around', 'a month', 'misses: session, key'],
  [10, 1_000, 100_000].map((tenants) => scaleRow(scaleOf(tenants))),
)}

"Misses" is the share of exchanges whose environment holds no session, or no opened key, of their tenant: exchanges evenly over the month,
a session kept ${LIMITS.tenantSessionSeconds / 60} minutes and ${LIMITS.tenantSessionsMax} of them in an environment, which lives ${ASSUMED.environmentSeconds / 3_600} hours. Jobs come in bursts, and then there are fewer. A cold tenant
also reads its keys and configuration again: a few read units, cents a million.

## What binds first, and what to do then
${table(
  ['tenants', 'binds', 'at', 'then'],
  [
    ['10', 'nothing', '', ''],
    [
      '1,000',
      'IAM roles of an account',
      '1,000, to 5,000 on request',
      'workload roles into the accounts of tenants (`account-<id>` stacks); the broker then holds no IAM object for a tenant',
    ],
    ['1,000', 'CloudFormation, a stack', '500 resources', 'tenant stacks are sharded already; add shards'],
    [
      '100,000',
      'STS, credential-signed calls of an account and Region',
      `600/s; sessions of tenants need ${stsPerSecond.toFixed(0)}/s on average, and as much as exchanges at a peak`,
      `raise \`tenantSessionsMax\` and send a tenant to the same environments (a \`mint\` for each group of tenants); several accounts, tenants split among them`,
    ],
    [
      '100,000',
      'HTTP API throttle',
      `${API_THROTTLE.rate}/s, burst ${API_THROTTLE.burst} (ours); 10,000/s (the account's)`,
      '`API_THROTTLE` in `infra/front-door.ts`',
    ],
    [
      '100,000',
      'Lambda concurrency',
      `${CONCURRENCY.attest} of attest (ours), 1,000 (the account's): ${Math.round(CONCURRENCY.attest / (ASSUMED.billedMs.attest / 1_000)).toLocaleString('en')} exchanges/s while DynamoDB is quick`,
      'raise both; the reserve of revoke and audit stays',
    ],
    [
      'one loud tenant',
      'DynamoDB, a partition key',
      `1,000 writes/s, 3,000 reads/s: its revocation version and configuration take ${EXCHANGE.readUnits - 1} reads an exchange, the head of its log one write a batch`,
      `its rate limit is ${LIMITS.tenantRate[0]}/s, well below`,
    ],
    ['silo', 'KMS ECC signatures', '1,000/s of an account and Region, shared', 'a silo has an account of its own'],
    ['silo', 'KMS keys', 'CreateKey 5/s, 100,000 keys', 'onboard slowly'],
  ],
)}

## More than one Region
Redeeming once is a conditional put. It holds as far as the put sees every other.

${table(
  ['choice', 'replay', 'costs', 'fits'],
  [
    [
      '**One Region** (as deployed)',
      'once',
      'a Region that fails takes the broker along; restore from backup elsewhere, with new keys, after the longest evidence has expired',
      'most',
    ],
    [
      'Global table, **MRSC**',
      'once: conditional puts see the latest version in all three Regions',
      'three Regions of one set (US, EU or AP; two and a witness will do), writes and strong reads pay the way between them, writes are billed in each replica; no transactions and no TTL, so the grant table only: the log stays a table in a Region, and a sweeper removes what expired; chosen when the table is empty',
      'active-active on one continent',
    ],
    [
      'Global table, **MREC**',
      "**a hole**: the condition is judged on the Region's own copy, about a second old, and the last writer wins. The same evidence is good once in each Region. Revocations arrive late as well",
      'replicated writes',
      'configuration, caches, logs; never grants or revocations',
    ],
    [
      "**Home Region**: a tenant's puts go to the Region its configuration names",
      'once; while home is away nothing is issued (fail closed)',
      'a round trip between continents for the others',
      'several continents',
    ],
    [
      'Home Region, and a tenant that chooses to go on without it',
      'once in each Region, for evidence of at most 60 s; a documented decision of that tenant',
      '',
      'those who prefer answers',
    ],
  ],
)}

Whatever is chosen: signing keys of a Region have key ids of their own in one key set, so that a Region lost is one key revoked; only the wrapping
key may be a multi-Region key. The stream of a global table fires in every Region, so audit takes only the records of its own. None of this is built:
\`infra/\` deploys one Region.

## Prices
${table(
  ['of', 'dollars', 'page', 'seen on'],
  Object.values(PRICES).map(({ of, dollars, page, seen }) => [
    of,
    String(dollars),
    page,
    seen ?? 'nothing: from memory',
  ]),
)}

us-east-1, looked up ${LOOKED_UP} in stored copies of pages; none differed from what was here. A page is \`https://aws.amazon.com/<page>/pricing/\`:
most show their figures to a browser only, and then another's page is named. eu-west-1: no figure was found but for alarms ($0.10, on a bill)
and the WAF, which AWS's own blog says costs the same everywhere; expect up to a third more for the rest. Look prices up again before you rely on them.
`
}
