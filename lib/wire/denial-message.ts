// Denials as queue messages from attest to audit: those of one tenant, in full or counted, several to a message. Pure.
import * as z from 'zod/mini'
import type { AuditEntry, RollUpPart } from '../domain/audit-entry.ts'
import type { Denial } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import { denialEvidence, denialSchema, rollUpPartSchema } from './decision-schemas.ts'
import { type ReadMessage, readQueueBody } from './queue-body.ts'

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

type Read = ReadMessage<{ readonly tenant: string; readonly entries: readonly AuditEntry[] }>

/** Reasons: too_large, not_json, not_denials, empty, several_tenants. */
export const readDenials = (body: string): Read => {
  const read = readQueueBody(body, {
    bytesMax: LIMITS.queueMessageBytesMax,
    schema: messageSchema,
    otherwise: 'not_denials',
  })
  if (!read.ok) return read
  const { denials, rollUps } = read.message
  const entries: AuditEntry[] = [
    ...denials.map((denial) => ({ kind: 'denial' as const, denial })),
    ...rollUps.map((rollUp) => ({ kind: 'roll_up' as const, rollUp })),
  ]
  const [tenant, ...others] = new Set([...denials, ...rollUps].map(({ tenant: of }) => of))
  if (tenant === undefined) return { ok: false, reason: 'empty' }
  return others.length === 0 ? { ok: true, message: { tenant, entries } } : { ok: false, reason: 'several_tenants' }
}
