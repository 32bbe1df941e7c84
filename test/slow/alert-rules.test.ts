// The alert rules under promtool: each fires on what it is for, and is silent beside it. Longer than 300 lines: one table of
// cases.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALERTS } from '../../infra/observability/alerts.ts'
import { HAS_NO_PROMETHEUS, promtool } from '../support/prometheus.ts'

const RULES = resolve('infra/observability/mintmark.rules.yml')

type Case = {
  /** What fires, with these of its labels; null: nothing does. */
  readonly fires: string | null
  readonly labels?: Readonly<Record<string, string>>
  readonly says: string
  /** Series by minute, in promtool's notation. */
  readonly series: Readonly<Record<string, string>>
  readonly at: string
  /** Between samples and evaluations; a minute, but for windows of days, which would take promtool minutes. */
  readonly interval?: string
}

const UP = { 'up{job="mintmark"}': '1x10000' }
const outcomes = (issued: string, unavailable: string) => ({
  'mintmark_exchanges_total{tenant="acme",outcome="issued"}': issued,
  'mintmark_exchanges_total{tenant="acme",outcome="unavailable"}': unavailable,
  'mintmark_exchanges_total{tenant="acme",outcome="failed"}': '0x10000',
})
const latency = (within: string, all: string) => ({
  'http_server_request_duration_seconds_bucket{http_response_status_code="200",le="0.3"}': within,
  'http_server_request_duration_seconds_count{http_response_status_code="200"}': all,
})
const denied = (name: string, step: number) => ({
  ...outcomes('0+1000x500', '0x500'),
  [name]: `0+${step}x500`,
})

const CASES: readonly Case[] = [
  { says: 'a scrape that fails', fires: 'MintmarkDown', series: { 'up{job="mintmark"}': '0x10' }, at: '5m' },
  { says: 'no broker at all', fires: 'MintmarkDown', series: { 'up{job="other"}': '1x10' }, at: '5m' },
  { says: 'a broker that is up', fires: null, series: UP, at: '5m' },
  {
    says: 'a store that cannot be read',
    fires: 'MintmarkStoreDown',
    series: { ...UP, mintmark_store_up: '0x10' },
    at: '5m',
  },
  { says: 'one scrape without store', fires: null, series: { ...UP, mintmark_store_up: '1x4 0 1x5' }, at: '5m' },
  {
    says: 'a clock that is not trusted',
    fires: 'MintmarkClockUntrusted',
    series: { ...UP, mintmark_clock_trusted: '0x10' },
    at: '5m',
  },
  {
    says: '2 % of failures for an hour and more: woken by the fast window',
    fires: 'MintmarkIssuanceBurn',
    labels: { severity: 'page', window: '1h' },
    series: { ...UP, ...outcomes('0+980x90', '0+20x90') },
    at: '75m',
  },
  {
    says: '0.4 % for six hours: woken by the slow window',
    fires: 'MintmarkIssuanceBurn',
    labels: { severity: 'page', window: '6h' },
    series: { ...UP, ...outcomes('0+9960x400', '0+40x400') },
    at: '390m',
  },
  {
    says: '0.2 % for a day: a ticket',
    fires: 'MintmarkIssuanceBurn',
    labels: { severity: 'ticket', window: '1d' },
    series: { ...UP, ...outcomes('0+9980x150', '0+20x150') },
    at: '1450m',
    interval: '10m',
  },
  {
    says: '0.1 % for three days: a ticket',
    fires: 'MintmarkIssuanceBurn',
    labels: { severity: 'ticket', window: '3d' },
    series: { ...UP, ...outcomes('0+9990x150', '0+10x150') },
    at: '4410m',
    interval: '30m',
  },
  {
    says: '0.04 % for three days',
    fires: null,
    series: { ...UP, ...outcomes('0+9996x150', '0+4x150') },
    at: '4410m',
    interval: '30m',
  },
  {
    says: 'failures that ended three quarters of an hour ago wake nobody',
    fires: null,
    labels: { severity: 'page' },
    series: { ...UP, ...outcomes('0+900x10 9000+1000x80', '0+4x10 40x80') },
    at: '60m',
  },
  {
    says: 'every token slower than 300 ms',
    fires: 'MintmarkLatencyBurn',
    labels: { severity: 'page', window: '1h' },
    series: { ...UP, ...latency('0x90', '0+100x90') },
    at: '75m',
  },
  {
    says: 'a third slower than 300 ms for six hours',
    fires: 'MintmarkLatencyBurn',
    labels: { severity: 'page', window: '6h' },
    series: { ...UP, ...latency('0+65x400', '0+100x400') },
    at: '390m',
  },
  {
    says: 'four in a hundred slower than 300 ms',
    fires: null,
    series: { ...UP, ...latency('0+96x400', '0+100x400') },
    at: '390m',
  },
  {
    says: 'one in a hundred refused for its target',
    fires: 'MintmarkRejections',
    labels: { reason: 'target' },
    series: { ...UP, ...denied('mintmark_denials_total{tenant="acme",reason="target"}', 10) },
    at: '120m',
  },
  {
    says: 'one in a thousand refused for its target',
    fires: null,
    series: { ...UP, ...denied('mintmark_denials_total{tenant="acme",reason="target"}', 1) },
    at: '120m',
  },
  {
    says: 'evidence of a provider that does not verify',
    fires: 'MintmarkAttestationFailures',
    labels: { provider: 'gitlab' },
    series: { ...UP, ...denied('mintmark_attestation_failures_total{tenant="acme",provider="gitlab"}', 10) },
    at: '120m',
  },
  {
    says: 'three of a thousand that do not verify',
    fires: null,
    series: { ...UP, ...denied('mintmark_attestation_failures_total{tenant="acme",provider="gitlab"}', 3) },
    at: '120m',
  },
  {
    says: 'evidence that has expired',
    fires: 'MintmarkExpiredEvidence',
    series: { ...UP, ...denied('mintmark_refusals_total{kind="expired"}', 3) },
    at: '120m',
  },
  {
    says: 'a single replay: a ticket, and nobody woken',
    fires: 'MintmarkReplay',
    labels: { severity: 'ticket', tenant: 'acme' },
    series: { ...UP, 'mintmark_replays_total{tenant="acme"}': '0 0 1x20' },
    at: '5m',
  },
  {
    says: 'a surge of replays',
    fires: 'MintmarkReplaySurge',
    labels: { severity: 'page', tenant: 'acme' },
    series: { ...UP, 'mintmark_replays_total{tenant="acme"}': '0+10x20' },
    at: '10m',
  },
  {
    says: 'replays of yesterday',
    fires: null,
    series: { ...UP, 'mintmark_replays_total{tenant="acme"}': '0+10x5 50x60' },
    at: '40m',
  },
  {
    says: 'a token found in public',
    fires: 'MintmarkLeakReported',
    labels: { tenant: 'acme' },
    series: {
      ...UP,
      'mintmark_security_events_total{tenant="acme",event="token_leaked",outcome="ordered"}': '_ _ 1x20',
    },
    at: '10m',
  },
  {
    says: 'an ordinary security event',
    fires: null,
    series: {
      ...UP,
      'mintmark_security_events_total{tenant="acme",event="session-revoked",outcome="ordered"}': '_ _ 1x20',
    },
    at: '10m',
  },
  {
    says: 'a feed that stands',
    fires: 'MintmarkFeedLag',
    labels: { topic: 'grant' },
    series: { ...UP, 'mintmark_feed_lag_seconds{topic="grant"}': '0+60x20' },
    at: '10m',
  },
  {
    says: 'a feed that catches up',
    fires: null,
    series: { ...UP, 'mintmark_feed_lag_seconds{topic="grant"}': '90 0x20' },
    at: '10m',
  },
  {
    says: 'leaves nobody signs',
    fires: 'MintmarkLogUnsigned',
    series: { ...UP, mintmark_log_unsigned: '5x30' },
    at: '15m',
  },
  { says: 'no anchor', fires: 'MintmarkNoAnchor', series: { ...UP, mintmark_log_anchors: '0x90' }, at: '75m' },
  { says: 'an anchor', fires: null, series: { ...UP, mintmark_log_anchors: '1x90' }, at: '75m' },
  {
    says: 'one of two sinks that is down',
    fires: 'MintmarkSinkLag',
    labels: { tenant: 'acme', sink: 'siem' },
    series: {
      ...UP,
      'mintmark_sink_lag_seconds{tenant="acme",sink="siem"}': '0+60x30',
      'mintmark_sink_lag_seconds{tenant="acme",sink="local"}': '0x30',
    },
    at: '20m',
  },
  {
    says: 'one of two receivers that takes nothing',
    fires: 'MintmarkReceiverLag',
    labels: { tenant: 'acme', receiver: 'edge' },
    series: {
      ...UP,
      'mintmark_receiver_lag_seconds{tenant="acme",receiver="edge"}': '0+60x30',
      'mintmark_receiver_lag_seconds{tenant="acme",receiver="inner"}': '0x30',
    },
    at: '10m',
  },
  {
    says: 'a dead letter',
    fires: 'MintmarkDeadLetters',
    labels: { queue: 'revoke' },
    series: { ...UP, 'mintmark_dead_letters{queue="revoke"}': '0 1x10' },
    at: '5m',
  },
  {
    says: 'an order that waits',
    fires: 'MintmarkRevocationStuck',
    series: { ...UP, 'mintmark_queue_oldest_age_seconds{queue="revoke"}': '0+60x10' },
    at: '5m',
  },
  {
    says: 'an order that waited a moment',
    fires: null,
    series: { ...UP, 'mintmark_queue_oldest_age_seconds{queue="revoke"}': '0 2 0x10' },
    at: '5m',
  },
  {
    says: 'a key that is overdue',
    fires: 'MintmarkRotationOverdue',
    labels: { use: 'token' },
    series: { ...UP, 'mintmark_keys_overdue{use="token"}': '1x20' },
    at: '10m',
  },
  {
    says: 'rotation that fails round after round',
    fires: 'MintmarkRotationOverdue',
    series: { ...UP, 'mintmark_key_moves_total{move="round",outcome="failed"}': '0+2x30' },
    at: '25m',
  },
  {
    says: 'an issuer whose keys cannot be had',
    fires: 'MintmarkIssuerKeys',
    labels: { outcome: 'kept' },
    series: { ...UP, 'mintmark_issuer_key_refreshes_total{outcome="kept"}': '0+1x60' },
    at: '45m',
  },
  {
    says: 'a record that was changed',
    fires: 'MintmarkRecordTampered',
    labels: { severity: 'page' },
    series: { ...UP, 'mintmark_alarms_total{kind="record_tampered"}': '0 1x10' },
    at: '5m',
  },
  {
    says: 'another alarm: a ticket',
    fires: 'MintmarkAlarm',
    labels: { severity: 'ticket', kind: 'log_not_signed' },
    series: { ...UP, 'mintmark_alarms_total{kind="log_not_signed"}': '0 1x10' },
    at: '5m',
  },
  {
    says: 'no alarm',
    fires: null,
    series: { ...UP, 'mintmark_alarms_total{kind="log_not_signed"}': '3x60' },
    at: '50m',
  },
]

/** promtool compares whole label sets and annotations: ALERTS is asked instead, of what fires now. */
const testOf = ({ fires, labels = {}, series, at, interval = '1m' }: Case) => {
  const wanted = Object.entries({ ...(fires === null ? {} : { alertname: fires }), ...labels }).map(
    ([name, value]) => `,${name}="${value}"`,
  )
  const firing = `ALERTS{alertstate="firing"${wanted.join('')}}`
  return {
    rule_files: [RULES],
    evaluation_interval: interval,
    // promtool's own order is that of a Go map, so random: with steps beyond the look-back of five minutes an alert that
    // goes before its recorded ratios sees none.
    group_eval_order: ['mintmark-objectives', 'mintmark-alerts'],
    tests: [
      {
        interval,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count(${firing}) or vector(0)`,
            eval_time: at,
            exp_samples: [{ labels: '{}', value: fires === null ? 0 : 1 }],
          },
        ],
      },
    ],
  }
}

const verdict = (document: unknown) => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-rules-'))
  try {
    writeFileSync(join(dir, 'test.yml'), JSON.stringify(document))
    return promtool(['test', 'rules', join(dir, 'test.yml')])
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('every alert has a case in which it fires', () => {
  expect(new Set(ALERTS.map(({ name }) => name))).toEqual(new Set(CASES.flatMap(({ fires }) => fires ?? [])))
})

describe.skipIf(HAS_NO_PROMETHEUS)('promtool (needs prometheus and promtool on PATH)', () => {
  test('promtool takes the rules: an expression that does not parse would be no alert at all', () => {
    expect(promtool(['check', 'rules', RULES])).toMatchObject({ status: 0 })
  })

  test.each(CASES.map((each): [string, Case] => [`${each.says}: ${each.fires ?? 'silence'}`, each]))(
    '%s',
    (_, each) => {
      const { status, text } = verdict(testOf(each))
      expect(text).toContain('SUCCESS')
      expect(status).toBe(0)
    },
  )

  test('an expectation that does not hold fails', () => {
    expect(verdict(testOf({ ...CASES[0]!, fires: 'MintmarkReplay' })).status).not.toBe(0)
  })
})
