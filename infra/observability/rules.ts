// Prometheus rules out of the tables beside this file: recorded ratios of the objectives, then the alerts.
import { ALERTS, type Alert } from './alerts.ts'
import { OBJECTIVES, WINDOWS, type Window } from './objectives.ts'
import { bucket, count, DESERVING, FAILURES, ISSUED, series } from './series.ts'

/** Where people read them. */
export const RUNBOOKS = 'https://github.com/mintmark/mintmark/blob/main/docs/runbooks'

const ratios = (window: Window) => [
  {
    record: `mintmark:issuance_errors:ratio_rate${window}`,
    expr: `sum(rate(${series('exchanges', FAILURES)}[${window}])) / sum(rate(${series('exchanges', DESERVING)}[${window}]))`,
  },
  {
    record: `mintmark:slow_issuance:ratio_rate${window}`,
    expr: `1 - sum(rate(${bucket('duration', `${ISSUED},le="${OBJECTIVES.fastSeconds}"`)}[${window}])) / sum(rate(${count('duration', ISSUED)}[${window}]))`,
  },
]

const ruleOf = ({ name, expression, severity, window, says, runbook, ...rest }: Alert) => ({
  alert: name,
  expr: expression,
  ...(rest.for === undefined ? {} : { for: rest.for }),
  labels: { severity, ...(window === undefined ? {} : { window }) },
  annotations: { summary: says, runbook_url: `${RUNBOOKS}/${runbook}.md` },
})

export const prometheusRules = () => ({
  groups: [
    { name: 'mintmark-objectives', interval: '30s', rules: WINDOWS.flatMap(ratios) },
    { name: 'mintmark-alerts', interval: '30s', rules: ALERTS.map(ruleOf) },
  ],
})
