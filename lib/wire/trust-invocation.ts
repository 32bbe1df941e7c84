// The invocation of trust, both directions. It names a tenant and one of its issuers, never a URL: every URL comes from
// trust's own read of the tenant document (design §2). Pure.
import * as z from 'zod/mini'
import type { JsonValue } from '../domain/claims.ts'
import { LIMITS } from '../domain/limits.ts'
import { ENTRY_NAME, whole } from '../domain/names.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { tenantNameSchema } from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const requestSchema = z.strictObject({
  tenant: tenantNameSchema,
  issuer: z.string().check(z.regex(whole('(?:events/)?', ENTRY_NAME))),
  why: z.enum(['cold', 'due', 'unknown_key']),
})

type Request = z.infer<typeof requestSchema>

export const writeTrustRequest = ({ tenant, issuer, why }: Request): string => JSON.stringify({ tenant, issuer, why })

/** Null: not a request of ours, whole and nothing more. */
export const readTrustRequest = (payload: unknown): Request | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data : null
}

const epochSeconds = z.int().check(z.nonnegative(), z.maximum(LIMITS.epochSecondsMax))

const setSchema = z.strictObject({
  sourceId: z.string().check(z.maxLength(8 * 1024)),
  // Public keys of somebody else: judged by whoever uses them, as when they are read from the store.
  jwks: z.pipe(
    z.json(),
    z.transform((jwks) => jwks as JsonValue),
  ),
  fetchedAtSeconds: epochSeconds,
  spiffeSequence: z.nullable(z.int().check(z.nonnegative())),
  unknownKeyFetchAtSeconds: z.nullable(epochSeconds),
})
const PROBLEMS = [
  'fetch_failed',
  'not_utf8',
  'not_json',
  'discovery_malformed',
  'issuer_mismatch',
  'jwks_uri_refused',
  'own_url',
  'too_many_keys',
  'no_usable_key',
  'sequence_went_back',
] as const
const outcomeSchema = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), set: setSchema, fetched: z.boolean() }),
  z.strictObject({ ok: z.literal(false), problem: z.enum(PROBLEMS), status: z.nullable(z.int()) }),
])
const replySchema = z.union([outcomeSchema, outageSchema])

type Outcome = z.infer<typeof outcomeSchema>

/** What trust hands back. Throws when the outcome is none of the schema: a bug. */
export const writeTrustReply = (outcome: Outcome | Unavailable): unknown =>
  outcome instanceof Unavailable ? outageOf(outcome) : outcomeSchema.parse(outcome)

/** The outcome, the outage, or null: not a reply of trust. */
export const readTrustReply = (payload: unknown): Outcome | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'ok' in read.data ? read.data : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
