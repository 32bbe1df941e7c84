// What wakes somebody: anything in a dead-letter queue, a feed that falls behind, failing or throttled functions, replays, objectives that
// are missed, and whatever the functions themselves count as an alarm (lib/domain/alarm.ts).

import { CORE_TABLE, LOG_TABLE } from '../lib/adapters/aws/table-keys.ts'
import type { AlarmKind } from '../lib/domain/alarm.ts'
import { METRICS } from '../lib/domain/metrics.ts'
import { cloudWatchName } from '../lib/wire/metrics-emf.ts'
import { LOG_KEY } from './keys.ts'
import { DEAD_LETTERS, FUNCTIONS, type FunctionName, functionName, type Place, queueName } from './names.ts'
import { objectiveAlarms } from './objective-alarms.ts'
import { deadLetterId } from './queues.ts'

type Metric = {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, unknown>>
  readonly statistic?: 'Sum' | 'Maximum'
}

type Limit = { readonly says: string; readonly above: number; readonly periodSeconds?: number }

const alarm = ({ namespace, name, dimensions, statistic = 'Sum' }: Metric, limit: Limit) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    AlarmDescription: limit.says,
    Namespace: namespace,
    MetricName: name,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    Statistic: statistic,
    Period: limit.periodSeconds ?? 60,
    EvaluationPeriods: 1,
    Threshold: limit.above,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
    AlarmActions: [{ Ref: 'AlarmTopic' }],
    OKActions: [{ Ref: 'AlarmTopic' }],
  },
})

const pascal = (name: string): string =>
  name.replace(/(^|[-_])([a-z])/g, (_match, _sign, letter: string) => letter.toUpperCase())

const ofDeadLetters = (place: Place) =>
  DEAD_LETTERS.map((name) => [
    `${deadLetterId(name)}Alarm`,
    alarm(
      {
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: queueName(place, name) },
        statistic: 'Maximum',
      },
      { says: `something was put aside in ${name}: docs/runbooks/dead-letters.md`, above: 0 },
    ),
  ])

const ofFunction = (place: Place, fn: FunctionName) => {
  const metric = (name: string, statistic: 'Sum' | 'Maximum' = 'Sum'): Metric => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: functionName(place, fn) },
    statistic,
  })
  return [
    // Refusals and outages are answers; an error is a crash, a timeout or a bug.
    [`${pascal(fn)}ErrorsAlarm`, alarm(metric('Errors'), { says: `${fn} fails`, above: 0 })],
    [`${pascal(fn)}ThrottlesAlarm`, alarm(metric('Throttles'), { says: `${fn} is at its concurrency`, above: 0 })],
  ]
}

/** The functions that count each kind. */
const COUNTED = {
  record_tampered: ['audit'],
  record_unreadable: ['audit'],
  record_unlogged: ['audit'],
  message_quarantined: ['revoke', 'audit', 'events', 'push'],
  role_shut: ['revoke'],
  sessions_out_of_reach: ['revoke'],
  denials_not_sent: ['attest', 'introspect', 'admin', 'poll'],
  event_not_carried_out: ['events'],
  event_selects_nothing: ['events'],
  event_stream_ending: ['events'],
  keys_not_rotated: ['rotate'],
  log_not_signed: ['checkpoint'],
  receiver_stuck: ['push'],
  receiver_full: ['push'],
  sink_behind: ['deliver'],
  sink_dead_letter: ['deliver'],
  log_budget_reached: [],
  checkpoint_not_anchored: ['checkpoint'],
  anchor_disagrees: ['checkpoint'],
} as const satisfies Record<AlarmKind, readonly FunctionName[]>

const ofKinds = () =>
  Object.entries(COUNTED).flatMap(([kind, functions]) =>
    functions.map((fn) => [
      `${pascal(kind)}In${pascal(fn)}Alarm`,
      alarm(
        { namespace: 'Mintmark', name: kind, dimensions: { function: fn } },
        { says: `${fn} counted ${kind}: docs/runbooks/alarm.md`, above: 0 },
      ),
    ]),
  )

const ofTables = () =>
  [CORE_TABLE, LOG_TABLE].flatMap((table) =>
    ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => [
      `${pascal(table.replace('mintmark-', ''))}${name}Alarm`,
      alarm(
        { namespace: 'AWS/DynamoDB', name, dimensions: { TableName: table } },
        { says: `${table} throttles`, above: 0 },
      ),
    ]),
  )

export const alarmResources = (place: Place) => ({
  AlarmTopic: {
    Type: 'AWS::SNS::Topic',
    Properties: { TopicName: `mintmark-${place.stage}-alarms`, KmsMasterKeyId: LOG_KEY },
  },
  AuditIteratorAgeAlarm: alarm(
    {
      namespace: 'AWS/Lambda',
      name: 'IteratorAge',
      dimensions: { FunctionName: functionName(place, 'audit') },
      statistic: 'Maximum',
    },
    // A stream keeps a day; a minute behind is when a person still has all of it.
    { says: 'the audit feed is more than a minute behind: docs/runbooks/feed-lag.md', above: 60_000 },
  ),
  RevokeQueueAgeAlarm: alarm(
    {
      namespace: 'AWS/SQS',
      name: 'ApproximateAgeOfOldestMessage',
      dimensions: { QueueName: queueName(place, 'revoke') },
      statistic: 'Maximum',
    },
    { says: 'page: a revocation order waits: docs/runbooks/revocation-stuck.md', above: 30 },
  ),
  ReplayAlarm: alarm(
    { namespace: 'Mintmark', name: cloudWatchName(METRICS.replays), dimensions: { function: 'attest' } },
    // None is tolerated, and a job that retries badly is a few; a stolen assertion that is tried everywhere is many.
    { says: 'evidence that was spent is tried again: docs/runbooks/replay.md', above: 0, periodSeconds: 300 },
  ),
  ReplaySurgeAlarm: alarm(
    { namespace: 'Mintmark', name: cloudWatchName(METRICS.replays), dimensions: { function: 'attest' } },
    { says: 'page: many replays: docs/runbooks/compromised-runner.md', above: 20, periodSeconds: 300 },
  ),
  ...objectiveAlarms(place),
  ApiErrorsAlarm: alarm(
    { namespace: 'AWS/ApiGateway', name: '5xx', dimensions: { ApiId: { Ref: 'HttpApi' } } },
    { says: 'callers get 5xx', above: 5, periodSeconds: 300 },
  ),
  ...Object.fromEntries([
    ...ofDeadLetters(place),
    ...FUNCTIONS.flatMap((fn) => ofFunction(place, fn)),
    ...ofKinds(),
    ...ofTables(),
  ]),
})
