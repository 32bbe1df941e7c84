// What is promised of the service (requirements M1, M2), and how fast an error budget may burn before somebody is woken: two
// windows each, a long one that says it matters and a short one that says it still goes on (SRE workbook, chapter 5).

export const OBJECTIVES = {
  /** Of exchanges that deserved a token. */
  issuedShare: 0.9995,
  /** Of tokens that were issued. */
  fastShare: 0.95,
  fastSeconds: 0.3,
} as const

export type Severity = 'page' | 'ticket'
export type Window = '5m' | '30m' | '1h' | '2h' | '6h' | '1d' | '3d'
export type Burn = {
  /** Times the rate at which the budget of 30 days lasts 30 days. */
  readonly factor: number
  readonly long: Window
  readonly short: Window
  readonly severity: Severity
}

export const BURNS: readonly Burn[] = [
  { factor: 14.4, long: '1h', short: '5m', severity: 'page' },
  { factor: 6, long: '6h', short: '30m', severity: 'page' },
  { factor: 3, long: '1d', short: '2h', severity: 'ticket' },
  { factor: 1, long: '3d', short: '6h', severity: 'ticket' },
]

export const WINDOWS: readonly Window[] = ['5m', '30m', '1h', '2h', '6h', '1d', '3d']
