// For whoever was woken: is it up, is it slow, who is refused and why, what waits.
import { JOB } from '../observability/alerts.ts'
import { OBJECTIVES } from '../observability/objectives.ts'
import { bucket, ISSUED, series } from '../observability/series.ts'
import { type Dashboard, OF_TENANT } from './dashboard.ts'

const quantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (le) (rate(${bucket('duration', ISSUED)}[$__rate_interval])))`

export const ON_CALL: Dashboard = {
  uid: 'mintmark-on-call',
  title: 'Mintmark: on call',
  byTenant: true,
  range: '6h',
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Up', kind: 'stat', width: 4, goodFrom: 1, queries: { up: `min(up{${JOB}})` } },
        { title: 'Store', kind: 'stat', width: 4, goodFrom: 1, queries: { store: `min(${series('storeUp')})` } },
        { title: 'Clock', kind: 'stat', width: 4, goodFrom: 1, queries: { clock: `min(${series('clockTrusted')})` } },
        {
          title: 'Budget burnt, 1 h (times the rate allowed)',
          kind: 'stat',
          width: 4,
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
          queries: { '{{outcome}}': `sum by (outcome) (rate(${series('exchanges', OF_TENANT)}[$__rate_interval]))` },
        },
        {
          title: 'Time to a token',
          unit: 's',
          badFrom: OBJECTIVES.fastSeconds,
          queries: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
        },
        {
          title: 'In flight, and delay of the event loop',
          queries: {
            'in flight': `sum(${series('inFlight')})`,
            'loop p99, ms': `1000 * max(${series('eventLoopDelay', 'percentile="99"')})`,
          },
        },
      ],
    },
    {
      title: 'Refused',
      panels: [
        {
          title: 'Denials a second, by class',
          queries: { '{{reason}}': `sum by (reason) (rate(${series('denials', OF_TENANT)}[$__rate_interval]))` },
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
          queries: { '{{move}} {{outcome}}': `sum by (move, outcome) (increase(${series('keyMoves')}[1h]))` },
        },
        {
          title: 'Issuer key sets fetched an hour',
          queries: { '{{outcome}}': `sum by (outcome) (increase(${series('issuerKeyRefreshes')}[1h]))` },
        },
      ],
    },
  ],
}
