// `npm run -s screenshots`, by hand: pictures of the dashboards for docs/. A real broker with traffic, a real Prometheus, and what
// its API answers to the queries of infra/dashboards/*.json, drawn by uPlot in Chromium. It stands in for Grafana and says so.
// Needs `prometheus` on PATH and /usr/bin/chromium (Debian: apt-get install prometheus chromium).
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import type { dashboardJson } from '../infra/dashboards/dashboard.ts'
import { type Prometheus, startPrometheus } from '../test/support/prometheus.ts'
import { startTraffic } from './dashboard-traffic.ts'

const require = createRequire(import.meta.url)
const SECONDS = Number(process.env['MINTMARK_SCREENSHOT_SECONDS'] ?? 240)
const OUT = 'docs/dashboards'
const POINTS = 180
/** As Grafana fills it in for a source that is scraped every 5 s. */
const RATE_INTERVAL = '20s'

type DashboardJson = ReturnType<typeof dashboardJson>
type Target = { readonly expr: string; readonly legendFormat: string }
type Series = { readonly legend: string; readonly values: readonly (number | null)[] }
type Range = { readonly from: number; readonly to: number }

const legendOf = (format: string, labels: Readonly<Record<string, string>>): string =>
  format.replace(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? '')

const ask = async (prometheus: Prometheus, { expr, legendFormat }: Target, { from, to }: Range): Promise<Series[]> => {
  const step = (to - from) / POINTS
  const query = expr.replaceAll('$tenant', '.*').replaceAll('$__rate_interval', RATE_INTERVAL)
  const parameters = { query, start: String(from), end: String(to), step: String(step) }
  const response = await fetch(`${prometheus.url}/api/v1/query_range?${new URLSearchParams(parameters)}`)
  const answer = (await response.json()) as {
    readonly error?: string
    readonly data?: { readonly result: readonly { metric: Record<string, string>; values: [number, string][] }[] }
  }
  if (answer.data === undefined) throw new Error(`${query}: ${answer.error}`)
  return answer.data.result.map(({ metric, values }) => {
    const at = new Map(values.map(([time, value]) => [Math.round((time - from) / step), Number(value)]))
    const points = Array.from({ length: POINTS + 1 }, (_, index) => at.get(index) ?? Number.NaN)
    return { legend: legendOf(legendFormat, metric), values: points.map((one) => (Number.isFinite(one) ? one : null)) }
  })
}

/** A dashboard with what Prometheus has for each panel. */
const filled = async (prometheus: Prometheus, { title, panels }: DashboardJson, range: Range) => {
  const times = Array.from({ length: POINTS + 1 }, (_, at) => range.from + (at * (range.to - range.from)) / POINTS)
  const drawn = []
  for (const panel of panels) {
    const series: Series[] = []
    if ('targets' in panel) for (const target of panel.targets) series.push(...(await ask(prometheus, target, range)))
    const isSeen = series.filter(({ values }) => values.some((value) => value !== null))
    drawn.push({ ...panel, defaults: 'fieldConfig' in panel ? panel.fieldConfig.defaults : {}, times, series: isSeen })
  }
  return { title, panels: drawn }
}

const traffic = await startTraffic()
const prometheus = await startPrometheus(
  traffic.target,
  readFileSync('infra/observability/mintmark.rules.yml', 'utf8').replaceAll('interval: 30s', 'interval: 5s'),
)
try {
  const from = Date.now() / 1000
  await traffic.run(SECONDS)
  const range = { from, to: Date.now() / 1000 }
  mkdirSync(OUT, { recursive: true })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  for (const name of ['executive', 'on-call', 'debug']) {
    const dashboard = JSON.parse(readFileSync(`infra/dashboards/${name}.json`, 'utf8')) as DashboardJson
    await page.setContent(readFileSync('scripts/dashboard-page.html', 'utf8'))
    await page.addStyleTag({ path: require.resolve('uplot/dist/uPlot.min.css') })
    await page.addScriptTag({ path: require.resolve('uplot/dist/uPlot.iife.min.js') })
    await page.evaluate(`draw(${JSON.stringify(await filled(prometheus, dashboard, range))})`)
    await page.screenshot({ path: `${OUT}/${name}.png`, fullPage: true })
    process.stdout.write(`${OUT}/${name}.png\n`)
  }
  await browser.close()
} finally {
  await prometheus.stop()
  await traffic.stop()
}
