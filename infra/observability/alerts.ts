// Who is woken, and by what. Each alert has a runbook; infra/observability/rules.ts makes Prometheus rules of this table.
import { BURNS, OBJECTIVES, type Severity, type Window } from './objectives.ts'
import { increaseFromFirst, LEAKS, series } from './series.ts'

export type Alert = {
  readonly name: string
  readonly expression: string
  readonly for?: string
  readonly severity: Severity
  readonly says: string
  /** The long window, of alerts that are there for several. */
  readonly window?: Window
  /** docs/runbooks/<name>.md */
  readonly runbook: string
}

/** Prometheus' job of the scrape of --ops-port. */
export const JOB = 'job="mintmark"'

const sumBy = (labels: string, expression: string): string => `sum by (${labels}) (${expression})`
const exchangesIn = (window: string): string => `sum(increase(${series('exchanges')}[${window}]))`

const burns = (name: string, ratio: string, budget: number, says: string, runbook: string): Alert[] =>
  BURNS.map(({ factor, long, short, severity }) => ({
    name,
    expression: `mintmark:${ratio}:ratio_rate${long} > ${limit(factor, budget)} and mintmark:${ratio}:ratio_rate${short} > ${limit(factor, budget)}`,
    severity,
    window: long,
    says: `${says}, ${factor} times as fast as the budget allows over ${long} and ${short}.`,
    runbook,
  }))
const limit = (factor: number, budget: number): number => Number((factor * budget).toPrecision(6))

export const ALERTS: readonly Alert[] = [
  {
    name: 'MintmarkDown',
    expression: `up{${JOB}} == 0 or absent(up{${JOB}})`,
    for: '1m',
    severity: 'page',
    says: 'The broker does not answer a scrape.',
    runbook: 'broker-down',
  },
  {
    name: 'MintmarkStoreDown',
    expression: `${series('storeUp')} == 0`,
    for: '1m',
    severity: 'page',
    says: 'The record store cannot be read: every exchange is 503.',
    runbook: 'store-down',
  },
  {
    name: 'MintmarkClockUntrusted',
    expression: `${series('clockTrusted')} == 0`,
    for: '2m',
    severity: 'page',
    says: 'mint does not believe its clock: every exchange is 503.',
    runbook: 'clock-untrusted',
  },
  ...burns(
    'MintmarkIssuanceBurn',
    'issuance_errors',
    1 - OBJECTIVES.issuedShare,
    'Exchanges that deserved a token end in 5xx',
    'issuance-burn',
  ),
  ...burns(
    'MintmarkLatencyBurn',
    'slow_issuance',
    1 - OBJECTIVES.fastShare,
    `Tokens take longer than ${OBJECTIVES.fastSeconds} s`,
    'latency-burn',
  ),
  {
    name: 'MintmarkRejections',
    expression: `sum by (reason) (increase(${series('denials', 'reason!="unavailable"')}[1h])) / scalar(${exchangesIn('1h')}) > 0.005 and sum by (reason) (increase(${series('denials')}[1h])) > 20`,
    for: '15m',
    severity: 'ticket',
    says: 'More than 0.5 % of exchanges are refused for {{ $labels.reason }}.',
    runbook: 'rejections',
  },
  {
    name: 'MintmarkAttestationFailures',
    expression: `sum by (provider) (increase(${series('attestationFailures')}[1h])) / scalar(${exchangesIn('1h')}) > 0.005 and sum by (provider) (increase(${series('attestationFailures')}[1h])) > 20`,
    for: '15m',
    severity: 'ticket',
    says: 'Evidence of {{ $labels.provider }} does not verify.',
    runbook: 'attestation-failures',
  },
  {
    name: 'MintmarkExpiredEvidence',
    expression: `sum(increase(${series('refusals', 'kind="expired"')}[1h])) / ${exchangesIn('1h')} > 0.001 and sum(increase(${series('refusals', 'kind="expired"')}[1h])) > 5`,
    for: '15m',
    severity: 'ticket',
    says: 'Jobs present evidence that has expired: slow jobs, or a clock.',
    runbook: 'expired-evidence',
  },
  {
    name: 'MintmarkReplay',
    expression: `${sumBy('tenant', `increase(${series('replays')}[10m])`)} > 0`,
    severity: 'ticket',
    says: 'Evidence of {{ $labels.tenant }} was presented twice.',
    runbook: 'replay',
  },
  {
    name: 'MintmarkReplaySurge',
    expression: `${sumBy('tenant', `increase(${series('replays')}[5m])`)} > 20`,
    severity: 'page',
    says: 'Spent evidence of {{ $labels.tenant }} is tried again and again: it may be stolen.',
    runbook: 'compromised-runner',
  },
  {
    name: 'MintmarkLeakReported',
    expression: `${sumBy('tenant', increaseFromFirst(series('securityEvents', LEAKS), '15m'))} > 0`,
    severity: 'page',
    says: 'A token of {{ $labels.tenant }} was found where it should not be.',
    runbook: 'leak-reported',
  },
  {
    name: 'MintmarkFeedLag',
    expression: `max by (topic) (${series('feedLag')}) > 60`,
    for: '2m',
    severity: 'ticket',
    says: 'Records of {{ $labels.topic }} wait for the audit log.',
    runbook: 'feed-lag',
  },
  {
    name: 'MintmarkLogUnsigned',
    expression: `max(${series('logUnsigned')}) > 0`,
    for: '10m',
    severity: 'ticket',
    says: 'Leaves of a log are covered by no checkpoint.',
    runbook: 'log-unsigned',
  },
  {
    name: 'MintmarkNoAnchor',
    expression: `max(${series('anchors')}) == 0`,
    for: '1h',
    severity: 'ticket',
    says: 'Checkpoints are kept nowhere but with the broker: whoever rules it can rewrite its logs.',
    runbook: 'no-anchor',
  },
  {
    name: 'MintmarkSinkLag',
    expression: `max by (tenant, sink) (${series('sinkLag')}) > 300`,
    for: '5m',
    severity: 'ticket',
    says: 'Sink {{ $labels.sink }} of {{ $labels.tenant }} does not take its events.',
    runbook: 'sink-down',
  },
  {
    name: 'MintmarkReceiverLag',
    expression: `max by (tenant, receiver) (${series('receiverLag')}) > 300`,
    severity: 'page',
    says: 'Receiver {{ $labels.receiver }} of {{ $labels.tenant }} does not take revocations.',
    runbook: 'receiver-stuck',
  },
  {
    name: 'MintmarkDeadLetters',
    expression: `max by (queue) (${series('deadLetters')}) > 0`,
    severity: 'ticket',
    says: 'Something in queue {{ $labels.queue }} could not be done and was put aside.',
    runbook: 'dead-letters',
  },
  {
    name: 'MintmarkRevocationStuck',
    expression: `max(${series('queueAge', 'queue="revoke"')}) > 30`,
    for: '1m',
    severity: 'page',
    says: 'A revocation order is not carried out.',
    runbook: 'revocation-stuck',
  },
  {
    name: 'MintmarkRotationOverdue',
    expression: `max by (use) (${series('keysOverdue')}) > 0 or sum(increase(${series('keyMoves', 'outcome="failed"')}[15m])) > 3`,
    for: '5m',
    severity: 'page',
    says: 'Signing keys are not rotated.',
    runbook: 'key-rotation',
  },
  {
    name: 'MintmarkIssuerKeys',
    expression: `sum by (outcome) (increase(${series('issuerKeyRefreshes', 'outcome!="refreshed"')}[30m])) > 5`,
    for: '5m',
    severity: 'ticket',
    says: 'Key sets of an issuer cannot be fetched.',
    runbook: 'issuer-key-change',
  },
  {
    name: 'MintmarkRecordTampered',
    expression: `sum(increase(${series('alarms', 'kind=~"record_tampered|anchor_disagrees"')}[1h])) > 0`,
    severity: 'page',
    says: 'A grant record was changed or removed, or an anchor has seen another log.',
    runbook: 'record-tampered',
  },
  {
    name: 'MintmarkAlarm',
    expression: `${sumBy('kind', `increase(${series('alarms', 'kind!~"record_tampered|anchor_disagrees"')}[1h])`)} > 0`,
    severity: 'ticket',
    says: 'The broker raised {{ $labels.kind }}.',
    runbook: 'alarm',
  },
]
