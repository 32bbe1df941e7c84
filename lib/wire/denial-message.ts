// Denials as queue messages from attest to audit: those of one tenant, in full or counted, several to a message. Pure.
import * as z from 'zod/mini'
import type { AuditEntry, RollUpPart } from '../domain/audit-entry.ts'
import type { Denial } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import { denialEvidence, denialSchema, rollUpPartSchema } from './decision-schemas.ts'

const messageSchema = z.strictObject({
  v: z.literal(1),
  denials: z.array(denialSchema).check(z.maxLength(LIMITS.denialsPerMessageMax)),
  rollUps: z.array(rollUpPartSchema).check(z.maxLength(LIMITS.denialsPerMessageMax)),
})

export type DenialBatch = { readonly denials: readonly Denial[]; readonly rollUps: readonly RollUpPart[] }

export const writeDenials = ({ denials, rollUps }: DenialBatch): string =>
  JSON.stringify({
    v: 1,
    denials: denials.map((denial) => ({ ...denial, evidence: denialEvidence(denial.evidence) })),
    rollUps,
  })

type Read =
  | { readonly ok: true; readonly message: { readonly tenant: string; readonly entries: readonly AuditEntry[] } }
  | { readonly ok: false; readonly reason: string }

/** Reasons: too_large, not_json, not_denials, empty, several_tenants. */
export const readDenials = (body: string): Read => {
  if (body.length > LIMITS.queueMessageBytesMax) return { ok: false, reason: 'too_large' }
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { ok: false, reason: 'not_json' }
  }
  const read = messageSchema.safeParse(json)
  if (!read.success) return { ok: false, reason: 'not_denials' }
  const entries: AuditEntry[] = [
    ...read.data.denials.map((denial) => ({ kind: 'denial' as const, denial })),
    ...read.data.rollUps.map((rollUp) => ({ kind: 'roll_up' as const, rollUp })),
  ]
  const tenants = new Set([...read.data.denials, ...read.data.rollUps].map(({ tenant }) => tenant))
  const [tenant, ...others] = tenants
  if (tenant === undefined) return { ok: false, reason: 'empty' }
  return others.length === 0 ? { ok: true, message: { tenant, entries } } : { ok: false, reason: 'several_tenants' }
}
