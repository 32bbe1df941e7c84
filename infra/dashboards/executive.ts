// For whoever answers for the service: is the promise kept, who is refused, what is handed out, what happened.
import { OBJECTIVES } from '../observability/objectives.ts'
import {
  bucket,
  count,
  DESERVING,
  FAILURES,
  ISSUED,
  increaseFromFirst,
  LEAKS,
  series,
} from '../observability/series.ts'
import type { Dashboard } from './dashboard.ts'

const share = (part: string, whole: string, window: string): string =>
  `sum(increase(${part}[${window}])) / (sum(increase(${whole}[${window}])) > 0)`

export const EXECUTIVE: Dashboard = {
  uid: 'mintmark-executive',
  title: 'Mintmark: executive',
  byTenant: false,
  range: '30d',
  rows: [
    {
      title: 'Promises',
      panels: [
        {
          title: 'Issuance success, 30 days',
          kind: 'stat',
          unit: 'percentunit',
          decimals: 3,
          empty: 'no exchange yet',
          width: 6,
          goodFrom: OBJECTIVES.issuedShare,
          queries: { success: share(series('exchanges', 'outcome="issued"'), series('exchanges', DESERVING), '30d') },
          says: 'M1, objective 99.95 %: of the exchanges that deserved a token, those that got one.',
        },
        {
          title: 'Tokens within 300 ms, 30 days',
          kind: 'stat',
          unit: 'percentunit',
          decimals: 2,
          empty: 'no token yet',
          width: 6,
          goodFrom: OBJECTIVES.fastShare,
          queries: {
            fast: share(
              bucket('duration', `${ISSUED},le="${OBJECTIVES.fastSeconds}"`),
              count('duration', ISSUED),
              '30d',
            ),
          },
          says: 'M2, objective 95 %.',
        },
        {
          title: 'Keys moved as planned, 30 days',
          kind: 'stat',
          unit: 'percentunit',
          width: 6,
          goodFrom: 1,
          empty: 'no key moved yet',
          queries: {
            rotation: share(series('keyMoves', 'outcome="done"'), series('keyMoves'), '30d'),
          },
          says: 'M10.',
        },
        {
          title: 'Leaks reported, 30 days',
          kind: 'stat',
          decimals: 0,
          width: 6,
          badFrom: 1,
          queries: { leaks: `sum(${increaseFromFirst(series('securityEvents', LEAKS), '30d')}) or vector(0)` },
          says: 'M8.',
        },
      ],
    },
    {
      title: 'Use',
      panels: [
        {
          title: 'Credentials issued a day, by provider',
          queries: { '{{provider}}': `sum by (provider) (increase(${series('issued')}[1d]))` },
        },
        {
          title: 'Failures a day, by tenant',
          queries: { '{{tenant}}': `topk(10, sum by (tenant) (increase(${series('exchanges', FAILURES)}[1d])))` },
        },
        {
          title: 'Privileged credentials a day',
          empty: 'none',
          queries: {
            '{{tenant}} {{credential_type}}': `topk(10, sum by (tenant, credential_type) (increase(${series('privileged')}[1d])) > 0)`,
          },
          says: 'M5: cloud sessions, and tokens with the scope admin.',
        },
      ],
    },
    {
      title: 'Incidents',
      panels: [
        {
          title: 'Refused a day, by class',
          empty: 'none',
          queries: { '{{reason}}': `sum by (reason) (increase(${series('denials')}[1d])) > 0` },
          says: 'M3, M9.',
        },
        {
          title: 'Evidence used twice a day',
          badFrom: 1,
          queries: { '{{tenant}}': `sum by (tenant) (increase(${series('replays')}[1d]))` },
          says: 'M6.',
        },
        {
          title: 'Alarms a day',
          badFrom: 1,
          empty: 'none',
          queries: { '{{kind}}': `sum by (kind) (increase(${series('alarms')}[1d])) > 0` },
        },
      ],
    },
  ],
}
