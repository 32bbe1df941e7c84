// What a search of the audit log looks for: by identity, project, run, decision, credential, code and time. Pure.
import { isJsonObject, type JsonValue } from './claims.ts'
import type { OcsfEvent } from './ocsf/event.ts'

/** What each filter is compared with in an event. */
export const SEARCH_KEYS = {
  identity: (event) => [valueAt(event, 'user', 'uid'), ...operator(event, 'user')],
  project: (event) => [valueAt(event, 'unmapped', 'mintmark', 'wid', 'project.id'), ...selected(event, 'project')],
  run: (event) => [valueAt(event, 'unmapped', 'mintmark', 'wid', 'run.id'), ...selected(event, 'run')],
  decision: (event) => [valueAt(event, 'unmapped', 'mintmark', 'decision_id')],
  credential: (event) => [
    valueAt(event, 'session', 'uid'),
    ...selected(event, 'credential'),
    ...operator(event, 'session'),
  ],
  code: (event) => [event['status_code'] ?? null],
} as const satisfies Record<string, (event: OcsfEvent) => readonly (JsonValue | undefined)[]>

export type SearchKey = keyof typeof SEARCH_KEYS

/** An event fits that has all that is wanted, in that time, both ends included. */
export type LogSearch = {
  readonly wanted: readonly (readonly [key: SearchKey, value: string])[]
  readonly sinceMs: number
  readonly untilMs: number
}

export const fitsSearch = (event: OcsfEvent, { wanted, sinceMs, untilMs }: LogSearch): boolean =>
  event.time >= sinceMs &&
  event.time <= untilMs &&
  wanted.every(([key, value]) => SEARCH_KEYS[key](event).includes(value))

/** Undefined: there is no such member. */
export const valueAt = (event: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>((value, name) => (isJsonObject(value) ? value[name] : undefined), event)

/** Who did it, and with which credential: what an operator does is found by the token it was done with. */
const operator = (event: OcsfEvent, member: 'user' | 'session'): (JsonValue | undefined)[] => {
  const actor = event['actor']
  return valueAt(actor, 'session') === undefined ? [] : [valueAt(actor, member, 'uid')]
}

/** What a revocation selects. */
const selected = (event: OcsfEvent, kind: string): (JsonValue | undefined)[] => {
  const selectors = valueAt(event, 'unmapped', 'mintmark', 'selectors')
  return Array.isArray(selectors)
    ? selectors.filter((one) => valueAt(one, 'kind') === kind).map((one) => valueAt(one, 'value'))
    : []
}
