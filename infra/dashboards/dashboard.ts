// Grafana dashboards as data: panels in rows of a grid 24 wide, all asking one Prometheus that is chosen at the top.
import { series } from '../observability/series.ts'

export type Panel = {
  readonly title: string
  /** A PromQL expression each, with the legend of its series. */
  readonly queries: Readonly<Record<string, string>>
  readonly kind?: 'timeseries' | 'stat' | 'bargauge'
  /** Grafana's unit: percentunit, s, short, bytes … */
  readonly unit?: string
  readonly width?: number
  /** Places shown. Without them Grafana rounds 0.9994 to 100 %. */
  readonly decimals?: number
  /** What is shown where there is nothing, and that there may be nothing. */
  readonly empty?: string
  /** What a number is called where it is none to a reader. */
  readonly words?: Readonly<Record<number, string>>
  /** From where on a value is red. */
  readonly badFrom?: number
  /** From where on a value is good; red below. */
  readonly goodFrom?: number
  readonly says?: string
}

export type Row = { readonly title: string; readonly panels: readonly Panel[] }

export type Dashboard = {
  readonly uid: string
  readonly title: string
  /** Whether one tenant can be chosen: queries then say tenant=~"$tenant". */
  readonly byTenant: boolean
  readonly range: string
  readonly rows: readonly Row[]
}

const GRID = 24
const HEIGHT = 8
const SOURCE = { type: 'prometheus', uid: '${source}' }

/** In queries of a dashboard that is by tenant. */
export const OF_TENANT = 'tenant=~"$tenant"'

const thresholds = ({ badFrom, goodFrom }: Panel) => {
  const steps =
    goodFrom === undefined
      ? [{ color: 'green', value: null }, ...(badFrom === undefined ? [] : [{ color: 'red', value: badFrom }])]
      : [
          { color: 'red', value: null },
          { color: 'green', value: goodFrom },
        ]
  return { mode: 'absolute', steps }
}

/** A line where red begins; Grafana draws none by itself. */
const drawn = ({ kind = 'timeseries', badFrom, goodFrom }: Panel) =>
  kind === 'timeseries' && (badFrom ?? goodFrom) !== undefined ? { custom: { thresholdsStyle: { mode: 'line' } } } : {}

const mappings = (words: Readonly<Record<number, string>>) => [
  { type: 'value', options: Object.fromEntries(Object.entries(words).map(([value, text]) => [value, { text }])) },
]

const panelJson = (panel: Panel, id: number, x: number, y: number) => {
  const { title, queries, kind = 'timeseries', unit = 'short', width = GRID / 3, decimals, empty, words, says } = panel
  return {
    id,
    type: kind,
    title,
    ...(says === undefined ? {} : { description: says }),
    datasource: SOURCE,
    gridPos: { x, y, w: width, h: HEIGHT },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(decimals === undefined ? {} : { decimals }),
        ...(empty === undefined ? {} : { noValue: empty }),
        ...(words === undefined ? {} : { mappings: mappings(words) }),
        thresholds: thresholds(panel),
        ...drawn(panel),
      },
      overrides: [],
    },
    ...(kind === 'stat' ? { options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background' } } : {}),
    targets: Object.entries(queries).map(([legend, expr], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
    })),
  }
}

const variables = (byTenant: boolean) => [
  { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
  ...(byTenant
    ? [
        {
          name: 'tenant',
          label: 'Tenant',
          type: 'query',
          datasource: SOURCE,
          query: { query: `label_values(${series('exchanges')}, tenant)`, refId: 'tenant' },
          includeAll: true,
          allValue: '.*',
          multi: true,
          refresh: 2,
        },
      ]
    : []),
]

/** What Grafana imports. The same table is the same JSON, byte for byte. */
export const dashboardJson = ({ uid, title, byTenant, range, rows }: Dashboard) => {
  let y = 0
  let id = 0
  const panels = rows.flatMap((row) => {
    id += 1
    const heading = {
      id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: GRID, h: 1 },
      panels: [],
    }
    y += 1
    let x = 0
    const placed = row.panels.map((panel) => {
      const width = panel.width ?? GRID / 3
      if (x + width > GRID) {
        x = 0
        y += HEIGHT
      }
      id += 1
      const json = panelJson(panel, id, x, y)
      x += width
      return json
    })
    y += HEIGHT
    return [heading, ...placed]
  })
  return {
    uid,
    title,
    tags: ['mintmark'],
    schemaVersion: 39,
    editable: false,
    refresh: '30s',
    time: { from: `now-${range}`, to: 'now' },
    templating: { list: variables(byTenant) },
    panels,
  }
}
