// Gates over what happens when something fails or takes long: dead letters, alarms, timeouts, concurrency.
import { LIMITS } from '../../../lib/domain/limits.ts'
import type { Resource, Template } from '../../support/packaged-template.ts'
import { type Gate, ofType, planted } from './gate.ts'

const deadLetters = (template: Template): [string, Resource][] =>
  ofType(template, 'AWS::SQS::Queue').filter(([id]) => id.endsWith('Dlq'))
const isDeadLetter = (template: Template, arn: unknown): boolean =>
  deadLetters(template).some(([, { Properties }]) => String(arn).endsWith(`:${Properties.QueueName}`))
const functionOf = (name: unknown): string =>
  String(name)
    .replace(/^.*:function:/, '')
    .replace(/^mintmark-[a-z]+-/, '')
const isStream = ({ Properties }: Resource): boolean => String(Properties.EventSourceArn).includes('/stream/')

const failures: Gate = {
  name: 'every asynchronous edge ends in a dead-letter queue: queues, streams, rules, schedules, and asynchronous calls',
  findings: (template) => {
    const missing = (id: string, arn: unknown) =>
      isDeadLetter(template, arn) ? [] : [`${id} has no dead-letter queue`]
    const rules = ofType(template, 'AWS::Events::Rule')
    const called = rules.flatMap(([, { Properties }]) =>
      Properties.Targets.map((target: { Arn: string }) => target.Arn),
    )
    return [
      ...ofType(template, 'AWS::SQS::Queue')
        .filter(([id]) => !id.endsWith('Dlq'))
        .flatMap(([id, { Properties }]) => missing(id, Properties.RedrivePolicy?.deadLetterTargetArn)),
      ...ofType(template, 'AWS::Lambda::EventSourceMapping')
        .filter(([, mapping]) => isStream(mapping))
        .flatMap(([id, { Properties }]) => missing(id, Properties.DestinationConfig?.OnFailure?.Destination)),
      ...rules.flatMap(([id, { Properties }]) =>
        Properties.Targets.flatMap((target: { DeadLetterConfig?: { Arn: string } }) =>
          missing(id, target.DeadLetterConfig?.Arn),
        ),
      ),
      ...ofType(template, 'AWS::Scheduler::Schedule').flatMap(([id, { Properties }]) =>
        missing(id, Properties.Target.DeadLetterConfig?.Arn),
      ),
      ...ofType(template, 'AWS::Lambda::Function')
        .filter(([, { Properties }]) =>
          called.includes(`arn:aws:lambda:eu-west-1:111122223333:function:${Properties.FunctionName}`),
        )
        .flatMap(([id, { Properties }]) => missing(id, Properties.DeadLetterConfig?.TargetArn)),
    ]
  },
  faults: [
    ['a queue without redrive', planted('RevokeQueue.RedrivePolicy')],
    ['a stream without destination', planted('AuditEventSourceMappingDynamodbCoreTable.DestinationConfig')],
    ['a rule without', planted('TrustSchedule.Targets.0.DeadLetterConfig')],
    ['a schedule without', planted('ArchiveSchedule.Target.DeadLetterConfig')],
    ['an asynchronous function without', planted('RotateLambdaFunction.DeadLetterConfig')],
  ],
}

const alarms: Gate = {
  name: 'every dead-letter queue and every stream reader wakes somebody',
  findings: (template) => {
    const alarmed = (metric: string, dimension: string, value: unknown) =>
      ofType(template, 'AWS::CloudWatch::Alarm').some(
        ([, { Properties }]) =>
          Properties.MetricName === metric &&
          Properties.AlarmActions?.length > 0 &&
          Properties.Dimensions.some(
            (d: { Name: string; Value: unknown }) => d.Name === dimension && d.Value === value,
          ),
      )
    return [
      ...deadLetters(template)
        .filter(
          ([, { Properties }]) => !alarmed('ApproximateNumberOfMessagesVisible', 'QueueName', Properties.QueueName),
        )
        .map(([id]) => `${id} has no alarm`),
      ...ofType(template, 'AWS::Lambda::EventSourceMapping')
        .filter(([, mapping]) => isStream(mapping))
        .filter(
          ([, { Properties }]) =>
            !alarmed('IteratorAge', 'FunctionName', `mintmark-prod-${functionOf(Properties.FunctionName)}`),
        )
        .map(([id]) => `${id} has no alarm on its age`),
      ...ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) =>
        ['Errors', 'Throttles']
          .filter((metric) => !alarmed(metric, 'FunctionName', Properties.FunctionName))
          .map((metric) => `${id} has no alarm on ${metric}`),
      ),
      ...(alarmed('record_tampered', 'function', 'audit') ? [] : ['a changed grant record wakes nobody']),
    ]
  },
  faults: [
    ['a dead-letter queue without alarm', (t) => void delete t.Resources['TrustDlqAlarm']],
    ['an alarm nobody hears', planted('RevokeDlqAlarm.AlarmActions', [])],
    ['a feed that may fall behind', (t) => void delete t.Resources['AuditIteratorAgeAlarm']],
    ['mint may fail silently', (t) => void delete t.Resources['MintErrorsAlarm']],
    ['a grant may be changed silently', (t) => void delete t.Resources['RecordTamperedInAuditAlarm']],
  ],
}

/** Who waits for whom: a caller must outlast all that it asks in turn. */
const CALLS = {
  attest: ['trust', 'mint'],
  events: ['trust'],
  discovery: ['feed'],
  rotate: ['mint', 'feed', 'checkpoint'],
  deliver: ['checkpoint'],
} as const
/** An HTTP API gives up after this. */
const API_SECONDS = 30

const timeouts: Gate = {
  name: 'what is called gives up before its caller, and a message is hidden for as long as its batch may take, six times over',
  findings: (template) => {
    const seconds = (fn: string): number =>
      ofType(template, 'AWS::Lambda::Function').find(
        ([, { Properties }]) => functionOf(Properties.FunctionName) === fn,
      )?.[1].Properties.Timeout
    const queueOf = (arn: unknown) =>
      ofType(template, 'AWS::SQS::Queue').find(([, { Properties }]) =>
        String(arn).endsWith(`:${Properties.QueueName}`),
      )?.[1].Properties
    return [
      ...Object.entries(CALLS)
        .filter(([caller, callees]) => seconds(caller) <= callees.reduce((sum, callee) => sum + seconds(callee), 0))
        .map(([caller]) => `${caller} gives up before what it calls`),
      ...['attest', 'discovery', 'introspect', 'admin', 'events']
        .filter((fn) => seconds(fn) >= API_SECONDS)
        .map((fn) => `${fn} outlasts the HTTP API`),
      ...ofType(template, 'AWS::Lambda::EventSourceMapping')
        .filter(([, mapping]) => !isStream(mapping))
        .filter(
          ([, { Properties }]) =>
            queueOf(Properties.EventSourceArn)?.VisibilityTimeout < 6 * seconds(functionOf(Properties.FunctionName)),
        )
        .map(([id]) => `${id}: a message comes again while it is worked on`),
    ]
  },
  faults: [
    ['mint as long as attest', planted('MintLambdaFunction.Timeout', 25)],
    ['attest longer than the API', planted('AttestLambdaFunction.Timeout', 60)],
    ['messages come again too soon', planted('DenialsQueue.VisibilityTimeout', 30)],
  ],
}

const batches: Gate = {
  name: 'a failing message fails alone, is tried a few times, and cannot use up its deliveries on throttles',
  findings: (template) =>
    ofType(template, 'AWS::Lambda::EventSourceMapping')
      .flatMap(([id, mapping]) => {
        const { Properties } = mapping
        const reserved = ofType(template, 'AWS::Lambda::Function').find(
          ([, fn]) => functionOf(fn.Properties.FunctionName) === functionOf(Properties.FunctionName),
        )?.[1].Properties.ReservedConcurrentExecutions
        return [
          ...(Properties.FunctionResponseTypes?.[0] === 'ReportBatchItemFailures' ? [] : [`${id} fails whole batches`]),
          ...(isStream(mapping) && !Properties.BisectBatchOnFunctionError ? [`${id} does not bisect`] : []),
          ...(isStream(mapping) || Properties.ScalingConfig?.MaximumConcurrency <= reserved
            ? []
            : [`${id} throttles itself`]),
        ]
      })
      .concat(
        ofType(template, 'AWS::SQS::Queue')
          .filter(
            ([, { Properties }]) =>
              Properties.RedrivePolicy !== undefined &&
              Properties.RedrivePolicy.maxReceiveCount !== LIMITS.queueReceivesMax,
          )
          .map(([id]) => `${id} does not put aside after ${LIMITS.queueReceivesMax} deliveries`),
        deadLetters(template)
          .filter(([, { Properties }]) => Properties.MessageRetentionPeriod < 1_209_600)
          .map(([id]) => `${id} forgets early`),
      ),
  faults: [
    ['a whole batch fails', planted('RevokeEventSourceMappingSQSRevokeQueue.FunctionResponseTypes')],
    [
      'more pollers than the function may run',
      planted('RevokeEventSourceMappingSQSRevokeQueue.ScalingConfig', {
        MaximumConcurrency: 500,
      }),
    ],
    ['a dead letter kept as long as its queue', planted('RevokeDlq.MessageRetentionPeriod', 345_600)],
  ],
}

export const EDGE_GATES: readonly Gate[] = [failures, alarms, timeouts, batches]
