// Every panel and every rule against a real Prometheus that scrapes a running broker: no expression names a series that is not
// there, and the scrape itself is what promtool calls good.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dashboard } from '../../infra/dashboards/dashboard.ts'
import { DEBUG } from '../../infra/dashboards/debug.ts'
import { EXECUTIVE } from '../../infra/dashboards/executive.ts'
import { ON_CALL } from '../../infra/dashboards/on-call.ts'
import { ALERTS } from '../../infra/observability/alerts.ts'
import { METRICS, type MetricKey } from '../../lib/domain/metrics.ts'
import { prometheusName } from '../../lib/wire/metrics-text.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { HAS_NO_PROMETHEUS, type Prometheus, promtool, type Sample, startPrometheus } from '../support/prometheus.ts'
import { IDP, pushSet, setClaims, signSet } from '../support/security-events.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const key = issuerKey('RS256')
const idp = issuerKey('ES256')

const acmeYaml = `${githubTenant('acme', { keys: [key] })}
sinks:
  local: { type: jsonl, path: acme-audit.jsonl }
receivers:
  edge: { type: poll }
events:
  idp:
    issuer: ${IDP}
    jwks: { inline: ${JSON.stringify({ keys: [idp.jwk] })} }
    on: { session-revoked: { subject: opaque, revoke: run } }
`

/** As Grafana fills it in. */
const filled = (expression: string): string =>
  expression.replaceAll('$tenant', '.*').replaceAll('$__rate_interval', '1m')

const queriesOf = ({ title, rows }: Dashboard): [string, string, boolean][] =>
  rows.flatMap(({ panels }) =>
    panels.flatMap((panel) =>
      Object.values(panel.queries).map((expression): [string, string, boolean] => [
        `${title} / ${panel.title}`,
        expression,
        panel.empty !== undefined,
      ]),
    ),
  )
const QUERIES = [EXECUTIVE, ON_CALL, DEBUG].flatMap(queriesOf)

/** Names of series in an expression: what is left of PromQL without its labels, strings, functions and words. */
const namesIn = (expression: string): string[] => [
  ...new Set(
    expression.replace(/\{[^}]*\}|\[[^\]]*\]/g, '').match(/\b(?:mintmark|http_server|process|nodejs)[a-z0-9_:]*/g) ??
      [],
  ),
]

const countOf = (samples: readonly Sample[]): number => Number(samples[0]?.value[1] ?? 0)

describe.skipIf(HAS_NO_PROMETHEUS)('with a real Prometheus (needs prometheus and promtool on PATH)', () => {
  let broker: RunningBroker
  let prometheus: Prometheus
  let ops: string

  /** Something of everything that is counted. */
  const makeTraffic = async () => {
    const acme = `${broker.url}/t/acme`
    const assertion = (changes: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme, changes))
    const once = assertion()
    await exchange(acme, once, { audience: TARGET })
    await exchange(acme, once, { audience: TARGET })
    await exchange(acme, assertion(), { audience: 'https://nowhere.example' })
    await exchange(acme, assertion({ exp: 1_000_000_000, iat: 999_999_000, nbf: 999_999_000 }), { audience: TARGET })
    await pushSet(acme, signSet(idp, setClaims(`${acme}/events`, { sub_id: { format: 'opaque', id: '4711' } })))
  }

  beforeAll(async () => {
    broker = await startBroker({ tenants: { acme: acmeYaml }, args: ['--ops-port', '0'] })
    ops = /metrics on (\S+)\/metrics/.exec(broker.output())![1]!
    // Recorded and judged each second instead of twice a minute.
    const rules = readFileSync('infra/observability/mintmark.rules.yml', 'utf8').replaceAll(
      'interval: 30s',
      'interval: 1s',
    )
    prometheus = await startPrometheus(new URL(ops).host, rules)
    await makeTraffic()
    const seen = (series: string) => prometheus.query(`min(count_over_time(${series}[5m]))`)
    const isSeen = (samples: readonly Sample[]) => countOf(samples) > 3
    await until('traffic that was scraped', () => seen('mintmark_security_events_total'), isSeen)
    await makeTraffic()
    await until('what rules make of it', () => seen('mintmark:issuance_errors:ratio_rate1h'), isSeen)
  })
  afterAll(async () => {
    await prometheus.stop()
    await removeBroker(broker)
  })

  test('promtool has nothing to say against the scrape', async () => {
    const text = await (await fetch(`${ops}/metrics`)).text()
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, text: '' })
  })

  test.each(Object.keys(METRICS) as MetricKey[])('%s of the table is scraped', async (metric) => {
    const definition = METRICS[metric]
    const name = `${prometheusName(definition)}${definition.kind === 'histogram' ? '_bucket' : ''}`
    const samples = await prometheus.query(name)
    expect(samples.length, name).toBeGreaterThan(0)
    for (const label of definition.labels) expect(samples[0]?.metric).toHaveProperty(label)
  })

  test.each(QUERIES)('%s shows something', async (_, expression, mayBeEmpty) => {
    for (const name of namesIn(expression)) expect((await prometheus.query(name)).length, name).toBeGreaterThan(0)
    // What is shown only where there is some of it may be empty; it is evaluated all the same.
    const samples = await prometheus.query(filled(expression))
    if (!mayBeEmpty) expect(samples.length, filled(expression)).toBeGreaterThan(0)
  })

  test.each(ALERTS.map(({ name, expression }): [string, string] => [name, expression]))(
    '%s is made of series that are there',
    async (_, expression) => {
      await prometheus.query(expression)
      for (const name of namesIn(expression)) expect((await prometheus.query(name)).length, name).toBeGreaterThan(0)
    },
  )

  test('a healthy broker fires nothing but that it has no anchor, and what was done to it here', async () => {
    const firing = await prometheus.query('count by (alertname) (ALERTS{alertstate="firing"})')
    const names = firing.map(({ metric }) => metric['alertname'])
    expect(names.filter((name) => !['MintmarkReplay', 'MintmarkNoAnchor'].includes(name ?? ''))).toEqual([])
  })
})
