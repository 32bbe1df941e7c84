// For whoever looks for one thing: what a tenant does, what the stores hold, what the process uses. One exchange by its id is
// `mintmark decision ID`; its trace is under the trace id which that shows.
import { JOB } from '../observability/alerts.ts'
import { bucket, count, increaseFromFirst, series } from '../observability/series.ts'
import { type Dashboard, OF_TENANT } from './dashboard.ts'

export const DEBUG: Dashboard = {
  uid: 'mintmark-debug',
  title: 'Mintmark: debug',
  byTenant: true,
  range: '1h',
  rows: [
    {
      title: 'A tenant',
      panels: [
        {
          title: 'Issued a second, by provider, grant and kind',
          queries: {
            '{{provider}} {{grant_type}} {{credential_type}}': `sum by (provider, grant_type, credential_type) (rate(${series('issued', OF_TENANT)}[$__rate_interval]))`,
          },
        },
        {
          title: 'Answers a second, by status',
          empty: 'none',
          queries: {
            '{{http_response_status_code}}': `sum by (http_response_status_code) (rate(${count('duration')}[$__rate_interval])) > 0`,
          },
        },
        {
          title: 'Time to an answer, by status',
          unit: 's',
          queries: {
            'p95 {{http_response_status_code}}': `histogram_quantile(0.95, sum by (le, http_response_status_code) (rate(${bucket('duration')}[$__rate_interval])))`,
          },
        },
      ],
    },
    {
      title: 'Events',
      panels: [
        {
          title: 'Replays in 5 min',
          queries: { '{{tenant}}': `sum by (tenant) (increase(${series('replays', OF_TENANT)}[5m]))` },
        },
        {
          title: 'Security events an hour',
          queries: {
            '{{event}} {{outcome}}': `sum by (event, outcome) (${increaseFromFirst(series('securityEvents', OF_TENANT), '1h')})`,
          },
        },
        {
          title: 'Revocations in force',
          kind: 'bargauge',
          empty: 'none',
          queries: { '{{kind}}': `max by (kind) (${series('revocations')}) > 0` },
        },
      ],
    },
    {
      title: 'Stores',
      panels: [
        { title: 'Feed backlog', width: 6, queries: { '{{topic}}': `max by (topic) (${series('feedBacklog')})` } },
        {
          title: 'Sink backlog',
          width: 6,
          queries: { '{{tenant}} {{sink}}': `topk(20, max by (tenant, sink) (${series('sinkBacklog', OF_TENANT)}))` },
        },
        {
          title: 'Receiver backlog',
          width: 6,
          queries: {
            '{{tenant}} {{receiver}}': `topk(20, max by (tenant, receiver) (${series('receiverBacklog', OF_TENANT)}))`,
          },
        },
        {
          title: 'Messages in queues',
          width: 6,
          queries: { '{{queue}}': `max by (queue) (${series('queueMessages')})` },
        },
        {
          title: 'Leaves in logs',
          width: 6,
          queries: { leaves: `max(${series('logLeaves')})`, unsigned: `max(${series('logUnsigned')})` },
        },
        { title: 'Anchors', kind: 'stat', width: 6, goodFrom: 1, queries: { anchors: `max(${series('anchors')})` } },
        {
          title: 'Alarms an hour',
          width: 12,
          empty: 'none',
          queries: { '{{kind}}': `sum by (kind) (increase(${series('alarms')}[1h])) > 0` },
        },
      ],
    },
    {
      title: 'Process',
      panels: [
        {
          title: 'Processor',
          width: 6,
          unit: 'percentunit',
          queries: { '{{instance}}': `rate(${series('cpu', JOB)}[$__rate_interval])` },
        },
        {
          title: 'Memory',
          width: 6,
          unit: 'bytes',
          queries: {
            '{{instance}} resident': series('residentMemory', JOB),
            '{{instance}} heap': series('heapUsed', JOB),
          },
        },
        {
          title: 'Delay of the event loop',
          width: 6,
          unit: 's',
          queries: { 'p{{percentile}}': `max by (percentile) (${series('eventLoopDelay')})` },
        },
        {
          title: 'Up for',
          unit: 's',
          width: 6,
          kind: 'stat',
          queries: { '{{instance}}': `time() - ${series('startTime', JOB)}` },
        },
      ],
    },
  ],
}
