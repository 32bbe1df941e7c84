// For whoever was woken: is it up, is it slow, who is refused and why, what waits.
import { JOB } from '../observability/alerts.ts'
import { OBJECTIVES } from '../observability/objectives.ts'
import { bucket, ISSUED, series } from '../observability/series.ts'
import { type Dashboard, OF_TENANT } from './dashboard.ts'

const quantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (le) (rate(${bucket('duration', ISSUED)}[$__rate_interval])))`

const YES_OR_NO = { kind: 'stat', width: 4, goodFrom: 1 } as const

export const ON_CALL: Dashboard = {
  uid: 'mintmark-on-call',
  title: 'Mintmark: on call',
  byTenant: true,
  range: '6h',
  rows: [
    {
      title: 'Now',
      panels: [
        { ...YES_OR_NO, title: 'Broker', words: { 0: 'down', 1: 'up' }, queries: { up: `min(up{${JOB}})` } },
        {
          ...YES_OR_NO,
          title: 'Store',
          words: { 0: 'down', 1: 'up' },
          queries: { store: `min(${series('storeUp')})` },
        },
        {
          ...YES_OR_NO,
          title: 'Clock',
          words: { 0: 'not believed', 1: 'believed' },
          queries: { clock: `min(${series('clockTrusted')})` },
        },
        {
          title: 'Budget burn, 1 h',
          kind: 'stat',
          width: 4,
          decimals: 1,
          says: 'Times the rate at which the budget of failed exchanges lasts 30 days; from 14.4 on somebody is woken.',
          badFrom: 14.4,
          queries: {
            burn: `mintmark:issuance_errors:ratio_rate1h / ${Number((1 - OBJECTIVES.issuedShare).toPrecision(6))}`,
          },
        },
        {
          title: 'Dead letters',
          kind: 'stat',
          width: 4,
          badFrom: 1,
          queries: { '{{queue}}': `max by (queue) (${series('deadLetters')})` },
        },
        {
          title: 'Keys overdue',
          kind: 'stat',
          width: 4,
          badFrom: 1,
          queries: { '{{use}}': `max by (use) (${series('keysOverdue')})` },
        },
      ],
    },
    {
      title: 'Exchanges',
      panels: [
        {
          title: 'Answers a second, by outcome',
          width: 6,
          queries: { '{{outcome}}': `sum by (outcome) (rate(${series('exchanges', OF_TENANT)}[$__rate_interval]))` },
        },
        {
          title: 'Time to a token',
          unit: 's',
          width: 6,
          badFrom: OBJECTIVES.fastSeconds,
          queries: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
        },
        {
          title: 'Exchanges in flight',
          width: 6,
          queries: { 'in flight': `sum(${series('inFlight')})` },
        },
        {
          title: 'Delay of the event loop',
          unit: 's',
          width: 6,
          queries: { p99: `max(${series('eventLoopDelay', 'percentile="99"')})` },
        },
      ],
    },
    {
      title: 'Refused',
      panels: [
        {
          title: 'Denials a second, by class',
          empty: 'none',
          queries: { '{{reason}}': `sum by (reason) (rate(${series('denials', OF_TENANT)}[$__rate_interval])) > 0` },
        },
        {
          title: 'Evidence that does not verify, by provider',
          queries: {
            '{{provider}}': `sum by (provider) (rate(${series('attestationFailures', OF_TENANT)}[$__rate_interval]))`,
          },
        },
        {
          title: 'Top private reasons, 1 h',
          kind: 'bargauge',
          decimals: 0,
          empty: 'none',
          queries: { '{{kind}}': `topk(10, sum by (kind) (increase(${series('refusals')}[1h])) > 0)` },
        },
      ],
    },
    {
      title: 'What waits',
      panels: [
        {
          title: 'Feed lag',
          unit: 's',
          badFrom: 60,
          queries: { '{{topic}}': `max by (topic) (${series('feedLag')})` },
        },
        {
          title: 'Sink lag',
          unit: 's',
          badFrom: 300,
          queries: { '{{tenant}} {{sink}}': `topk(10, max by (tenant, sink) (${series('sinkLag', OF_TENANT)}))` },
        },
        {
          title: 'Oldest message',
          unit: 's',
          badFrom: 30,
          queries: { '{{queue}}': `max by (queue) (${series('queueAge')})` },
        },
      ],
    },
    {
      title: 'Keys',
      panels: [
        {
          title: 'Age of the oldest active key',
          unit: 's',
          queries: { '{{use}}': `max by (use) (${series('keyAge', 'use!="log"')})` },
        },
        {
          title: 'Moves an hour',
          empty: 'none',
          queries: { '{{move}} {{outcome}}': `sum by (move, outcome) (increase(${series('keyMoves')}[1h])) > 0` },
        },
        {
          title: 'Issuer key sets fetched an hour',
          empty: 'none',
          queries: { '{{outcome}}': `sum by (outcome) (increase(${series('issuerKeyRefreshes')}[1h])) > 0` },
        },
      ],
    },
  ],
}
