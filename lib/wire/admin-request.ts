// What the paths and bodies of `/t/{tenant}/admin/…` ask. Strict: what is not exactly one of these asks nothing.
import * as z from 'zod/mini'
import type { AdminRequest } from '../domain/admin-request.ts'
import { parseStrictJson, TOKEN_JSON_LIMITS } from '../domain/json.ts'
import { LIMITS } from '../domain/limits.ts'
import { ENTRY_NAME, UUID, whole } from '../domain/names.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../domain/revocation.ts'
import { auditRoute } from './audit-request.ts'
import { readSimulate } from './simulate-request.ts'

const revokeSchema = z.strictObject({
  kind: z.enum(Object.keys(REVOCATION_KINDS) as [RevocationKind, ...RevocationKind[]]),
  /** `<issuer>/<id>`, or the bare value; of the whole tenant, its name. */
  value: z.string().check(z.maxLength(LIMITS.selectorValueBytesMax)),
  reason: z.string().check(z.maxLength(LIMITS.reasonCharsMax)),
  cut: z._default(z.boolean(), false),
  dry_run: z._default(z.boolean(), false),
})
/** Of an unblock and of a taint: why. */
const reasonSchema = z.strictObject({ reason: z.string().check(z.maxLength(LIMITS.reasonCharsMax)) })

export type AdminRoute = {
  /** What the caller's token must have: events and salts are of audit:read alone (design §4). */
  readonly scope: 'admin' | 'audit:read'
  readonly method: 'GET' | 'POST'
  /** Of the body; of a GET the query. Null: it is not what the route takes. */
  readonly read: (text: string) => AdminRequest | null
}

type OperatorRoute = Omit<AdminRoute, 'scope'>

const ID = `(${UUID})`
const ORDERS = new RegExp(`^orders/${ID}$`)
const DECISIONS = new RegExp(`^decisions/${ID}$`)
/** Our key ids are SHA-256 thumbprints (RFC 7638). */
const TAINT = /^keys\/([A-Za-z0-9_-]{43})\/taint$/
const UNBLOCK = new RegExp(`^revocations/${ID}/unblock$`)

/** What is served at `path` below `admin/`, by method; empty: nothing is. */
export const adminRoutes = (path: string): readonly AdminRoute[] => {
  const audit = auditRoute(path)
  if (audit !== null) return [{ scope: 'audit:read', method: 'GET', read: audit }]
  return operatorRoutes(path).map((route) => ({ scope: 'admin', ...route }))
}

const operatorRoutes = (path: string): readonly OperatorRoute[] => {
  if (path === 'revocations')
    return [
      { method: 'GET', read: readPage },
      { method: 'POST', read: readRevoke },
    ]
  if (path === 'simulate') return [{ method: 'POST', read: readSimulate }]
  if (path === 'keys') return [{ method: 'GET', read: () => ({ kind: 'keys' }) }]
  if (path === 'keys/rotate')
    return [{ method: 'POST', read: (body) => (isEmptyObject(body) ? { kind: 'rotate_keys' } : null) }]
  const tainted = TAINT.exec(path)?.[1]
  if (tainted !== undefined) return [{ method: 'POST', read: (body) => readTaint(tainted, body) }]
  if (path === 'receivers') return [{ method: 'GET', read: () => ({ kind: 'receivers' }) }]
  const order = ORDERS.exec(path)?.[1]
  if (order !== undefined) return [{ method: 'GET', read: () => ({ kind: 'order', id: order }) }]
  const decision = DECISIONS.exec(path)?.[1]
  if (decision !== undefined) return [{ method: 'GET', read: () => ({ kind: 'decision', id: decision }) }]
  const sinks = sinkRoutes(path)
  if (sinks.length > 0) return sinks
  const unblocked = UNBLOCK.exec(path)?.[1]
  return unblocked === undefined ? [] : [{ method: 'POST', read: (body) => readUnblock(unblocked, body) }]
}

const AFTER = /^after=(0|[1-9][0-9]{0,14})$/

const readPage = (query: string): AdminRequest | null => {
  const after = query === '' ? '0' : AFTER.exec(query)?.[1]
  return after === undefined ? null : { kind: 'revocations', after: Number(after) }
}

const SINK = whole(`sinks/(${ENTRY_NAME})/(test|resend|dead-letters)`)
const SINK_ERRAND = new RegExp(`^sinks/errands/${ID}$`)

const sinkRoutes = (path: string): readonly OperatorRoute[] => {
  if (path === 'sinks') return [{ method: 'GET', read: () => ({ kind: 'sinks' }) }]
  const errand = SINK_ERRAND.exec(path)?.[1]
  if (errand !== undefined) return [{ method: 'GET', read: () => ({ kind: 'sink_errand', id: errand }) }]
  const [, sink, what] = SINK.exec(path) ?? []
  if (sink === undefined) return []
  if (what === 'dead-letters') return [{ method: 'GET', read: () => ({ kind: 'dead_letters', sink }) }]
  const kind = what === 'test' ? 'test' : 'resend'
  return [{ method: 'POST', read: (body) => (isEmptyObject(body) ? { kind: 'ask_sink', sink, errand: kind } : null) }]
}

const isEmptyObject = (body: string): boolean => z.strictObject({}).safeParse(parsed(body)).success

const readRevoke = (body: string): AdminRequest | null => {
  const read = revokeSchema.safeParse(parsed(body))
  if (!read.success) return null
  const { kind: what, value, reason, cut, dry_run: isDryRun } = read.data
  return { kind: 'revoke', what, value, reason, form: cut ? 'cut' : 'block', isDryRun }
}

const readUnblock = (id: string, body: string): AdminRequest | null => {
  const reason = readReason(body)
  return reason === null ? null : { kind: 'unblock', id, reason }
}

const readTaint = (kid: string, body: string): AdminRequest | null => {
  const reason = readReason(body)
  return reason === null ? null : { kind: 'taint_key', kid, reason }
}

const readReason = (body: string): string | null => {
  const read = reasonSchema.safeParse(parsed(body))
  return read.success ? read.data.reason : null
}

const ADMIN_JSON = { ...TOKEN_JSON_LIMITS, stringBytesMax: LIMITS.bodyBytesMax }

/** Strict: of a member that comes twice, two readers could each believe another one. */
const parsed = (body: string): unknown => {
  const read = parseStrictJson(body, ADMIN_JSON)
  return read.ok ? read.value : null
}
