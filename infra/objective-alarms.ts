// The objectives as CloudWatch alarms: what attest counts (lib/wire/metrics-emf.ts), by metric math over a long window and a
// short one, and an alarm that rings where both do.
import { METRICS, type MetricKey } from '../lib/domain/metrics.ts'
import { cloudWatchName } from '../lib/wire/metrics-emf.ts'
import { functionName, type Place } from './names.ts'
import { BURNS, type Burn, OBJECTIVES, type Window } from './observability/objectives.ts'

/** CloudWatch looks back one day at most. */
const SECONDS: Readonly<Partial<Record<Window, number>>> = {
  '5m': 300,
  '30m': 1_800,
  '1h': 3_600,
  '2h': 7_200,
  '6h': 21_600,
  '1d': 86_400,
}

type Dimensions = Readonly<Record<string, string>>
type Metric = { readonly namespace: string; readonly name: string; readonly dimensions: Dimensions }

const counted = (metric: MetricKey, dimensions: Dimensions): Metric => ({
  namespace: 'Mintmark',
  name: cloudWatchName(METRICS[metric]),
  dimensions: { function: 'attest', ...dimensions },
})

const dimensionList = (dimensions: Dimensions) => Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }))

const operand = (Id: string, { namespace, name, dimensions }: Metric, Period: number) => ({
  Id,
  MetricStat: {
    Metric: { Namespace: namespace, MetricName: name, Dimensions: dimensionList(dimensions) },
    Period,
    Stat: 'Sum',
  },
  ReturnData: false,
})

const COMMON = { EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' }

/** Failures of exchanges that deserved a token; an invocation that crashed has counted nothing, and Lambda counts it. */
const failedShare = (place: Place, periodSeconds: number, above: number, says: string) => {
  const outcome = (name: string) => operand(name, counted('exchanges', { outcome: name }), periodSeconds)
  const crashed: Metric = {
    namespace: 'AWS/Lambda',
    name: 'Errors',
    dimensions: { FunctionName: functionName(place, 'attest') },
  }
  const failures = 'FILL(unavailable, 0) + FILL(failed, 0) + FILL(crashed, 0)'
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: says,
      Metrics: [
        ...['issued', 'unavailable', 'failed'].map(outcome),
        operand('crashed', crashed, periodSeconds),
        { Id: 'share', Expression: `(${failures}) / (FILL(issued, 0) + ${failures})`, ReturnData: true },
      ],
      Threshold: above,
      ...COMMON,
    },
  }
}

const slow = (periodSeconds: number, says: string) => {
  const { namespace, name, dimensions } = counted('duration', {
    http_request_method: 'POST',
    http_route: '/t/{tenant}/token',
    http_response_status_code: '200',
  })
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: says,
      Namespace: namespace,
      MetricName: name,
      Dimensions: dimensionList(dimensions),
      ExtendedStatistic: `p${OBJECTIVES.fastShare * 100}`,
      Period: periodSeconds,
      Threshold: OBJECTIVES.fastSeconds,
      ...COMMON,
    },
  }
}

/** Rings where all of `parts` do; they themselves tell nobody. */
const together = (parts: readonly string[], says: string) => ({
  Type: 'AWS::CloudWatch::CompositeAlarm',
  Properties: {
    AlarmDescription: says,
    AlarmRule: {
      'Fn::Join': [
        ' AND ',
        parts.map((id) => ({ 'Fn::Join': ['', ['ALARM("', { 'Fn::GetAtt': [id, 'Arn'] }, '")']] })),
      ],
    },
    AlarmActions: [{ Ref: 'AlarmTopic' }],
    OKActions: [{ Ref: 'AlarmTopic' }],
  },
})

const burnAlarms = (place: Place, { factor, long, short, severity }: Burn) => {
  const above = Number((factor * (1 - OBJECTIVES.issuedShare)).toPrecision(6))
  const [longSeconds, shortSeconds] = [SECONDS[long], SECONDS[short]]
  if (longSeconds === undefined || shortSeconds === undefined) return []
  const says = `${severity}: exchanges end in 5xx ${factor} times as fast as 99.95 % allows: docs/runbooks/issuance-burn.md`
  const parts = [`IssuanceBurn${long}Long`, `IssuanceBurn${long}Short`] as const
  return [
    [`${parts[0]}Alarm`, failedShare(place, longSeconds, above, says)],
    [`${parts[1]}Alarm`, failedShare(place, shortSeconds, above, says)],
    [`IssuanceBurn${long}CompositeAlarm`, together([`${parts[0]}Alarm`, `${parts[1]}Alarm`], says)],
  ] as const
}

export const objectiveAlarms = (place: Place): Readonly<Record<string, unknown>> => {
  const says = 'page: tokens take longer than 300 ms: docs/runbooks/latency-burn.md'
  return {
    ...Object.fromEntries(BURNS.flatMap((burn) => burnAlarms(place, burn))),
    SlowHourAlarm: slow(3_600, says),
    SlowNowAlarm: slow(300, says),
    SlowCompositeAlarm: together(['SlowHourAlarm', 'SlowNowAlarm'], says),
  }
}
