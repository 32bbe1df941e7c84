// What is counted of the rest of a broker's work: alarms, moves of keys, fetched key sets, security events, requests that no
// endpoint saw. Labels are of closed lists, and of registered tenants. Pure.
import { ALARMS, type AlarmKind } from './alarm.ts'
import type { KeyMove } from './key-rotation.ts'
import { LIMITS } from './limits.ts'
import { type Reading, reading } from './reading.ts'
import type { RecordedEvent } from './recorded-event.ts'

const MOVES: readonly KeyMove['kind'][] = ['generate', 'prove', 'activate', 'retire', 'withdraw']
/** A round of a tenant that could not be ended; what it would have moved is not known. */
const ROUND = 'round'

/** kept: it failed, and the last good set is served on. failed: and there is none. */
export type RefreshOutcome = 'refreshed' | 'kept' | 'failed'
const REFRESHES: readonly RefreshOutcome[] = ['refreshed', 'kept', 'failed']

/** What the host of the embedded broker refuses by itself. */
const HTTP_REFUSALS: readonly number[] = [400, 404, 408, 413, 415, 421, 431, 503]

export type BrokerCounts = {
  readonly alarms: Map<AlarmKind, number>
  readonly keyMoves: Map<KeyMove['kind'], number>
  failedRounds: number
  readonly refreshes: Map<RefreshOutcome, number>
  /** By status. */
  readonly httpRefused: Map<number, number>
  /** By tenant, event and outcome. */
  readonly securityEvents: Map<string, { readonly labels: readonly string[]; count: number }>
}

export const newBrokerCounts = (): BrokerCounts => ({
  alarms: new Map(),
  keyMoves: new Map(),
  failedRounds: 0,
  refreshes: new Map(),
  httpRefused: new Map(),
  securityEvents: new Map(),
})

export const countOne = <Key>(counts: Map<Key, number>, key: Key): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export const isAlarmKind = (kind: unknown): kind is AlarmKind => typeof kind === 'string' && Object.hasOwn(ALARMS, kind)

/** Beyond LIMITS.metricSeriesMax series a new one is not begun. */
export const countSecurityEvent = (
  { securityEvents }: BrokerCounts,
  { tenant, event, outcome }: Pick<RecordedEvent, 'tenant' | 'event' | 'outcome'>,
): void => {
  const labels = [tenant, event, outcome]
  const key = labels.join(' ')
  const known = securityEvents.get(key)
  if (known !== undefined) known.count += 1
  else if (securityEvents.size < LIMITS.metricSeriesMax) securityEvents.set(key, { labels, count: 1 })
}

export const brokerReadings = (counts: BrokerCounts): Reading[] => [
  ...(Object.keys(ALARMS) as AlarmKind[]).map((kind) => reading('alarms', counts.alarms.get(kind) ?? 0, kind)),
  ...MOVES.map((move) => reading('keyMoves', counts.keyMoves.get(move) ?? 0, move, 'done')),
  reading('keyMoves', counts.failedRounds, ROUND, 'failed'),
  ...REFRESHES.map((outcome) => reading('issuerKeyRefreshes', counts.refreshes.get(outcome) ?? 0, outcome)),
  ...HTTP_REFUSALS.map((status) => reading('httpRefused', counts.httpRefused.get(status) ?? 0, String(status))),
  ...[...counts.securityEvents.values()].map(({ labels, count }) => reading('securityEvents', count, ...labels)),
]
