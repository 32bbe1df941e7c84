// What GitHub reports of leaked secrets (webhook event secret_scanning_alert): which repository, and which type of secret. The
// body is all that is signed, so the event is told by its members and never by a header. It holds no secret. Pure.
import { isJsonObject, type JsonValue } from './claims.ts'
import { parseStrictJson } from './json.ts'
import { LIMITS } from './limits.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'

export type GithubReport =
  | {
      readonly kind: 'leak'
      readonly secretType: string
      /** Ids, as text. */
      readonly repository: string
      readonly owner: string
      /** When the alert was last touched: a body from before is a repeat. */
      readonly atSeconds: number
    }
  /** A ping, an alert that was closed, or where an alert is found: nothing to act on. */
  | { readonly kind: 'harmless' }
  | { readonly kind: 'unknown' }

const JSON_LIMITS = {
  depthMax: LIMITS.fetchedJsonDepthMax,
  membersMax: LIMITS.fetchedJsonMembersMax,
  stringBytesMax: LIMITS.fetchedJsonStringBytesMax,
}

/** Actions that say a secret is out, now or again; any other is an alert being handled. */
const LEAKS: ReadonlySet<string> = new Set(['created', 'reopened', 'publicly_leaked'])

/** Refuses: json_*, event_invalid. */
export const readGithubReport = (body: string): Result<GithubReport> => {
  const parsed = parseStrictJson(body, JSON_LIMITS)
  if (!parsed.ok) return parsed
  const report = parsed.value
  if (!isJsonObject(report)) return refuse('event_invalid')
  const { action, alert, repository, zen, location } = report
  if (typeof zen === 'string') return ok({ kind: 'harmless' })
  if (!isJsonObject(alert) || typeof alert['secret_type'] !== 'string' || typeof action !== 'string')
    return ok({ kind: 'unknown' })
  if (location !== undefined || !LEAKS.has(action)) return ok({ kind: 'harmless' })
  const ids = isJsonObject(repository) ? [repository['id'], memberOf(repository['owner'], 'id')].map(idText) : []
  const [repositoryId, owner] = ids
  const at = [alert['updated_at'], alert['created_at']].map(secondsOf).find((seconds) => seconds !== null)
  if (!repositoryId || !owner || at == null) return refuse('event_invalid')
  return ok({ kind: 'leak', secretType: alert['secret_type'], repository: repositoryId, owner, atSeconds: at })
}

const memberOf = (value: JsonValue | undefined, member: string): JsonValue | undefined =>
  isJsonObject(value) ? value[member] : undefined

const idText = (value: JsonValue | undefined): string | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : null

const UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/

const secondsOf = (value: JsonValue | undefined): number | null => {
  const ms = typeof value === 'string' && UTC.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000)
}
