// Decisions as they travel between functions: refusals, denials and what a denial says of the evidence. Strict, so that what
// arrives is exactly what was meant; bounded, so that nobody in between can grow it. Pure.
import * as z from 'zod'
import { LIMITS } from '../domain/limits.ts'
import { REFUSALS, type RefusalKind } from '../domain/refusal.ts'
import { WID_LEAVES, type WidLeaf } from '../domain/wid.ts'

export const tenantNameSchema = z.string().regex(/^[a-z][a-z0-9]{2,30}$/)
export const decisionIdSchema = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
export const traceIdSchema = z.string().regex(/^[0-9a-f]{32}$/)

const epochSeconds = z.int().nonnegative().max(LIMITS.epochSecondsMax)
const text = z.string().max(LIMITS.tokenBytesMax)

export const refusalKindSchema = z.enum(Object.keys(REFUSALS) as [RefusalKind, ...RefusalKind[]])
export const refusalSchema = z
  .strictObject({
    kind: refusalKindSchema,
    detail: z.record(z.string().max(64), z.union([text, z.number(), z.boolean(), z.null()])).optional(),
  })
  // exactOptionalPropertyTypes: absent and undefined are not the same.
  .transform(({ kind, detail }) => (detail === undefined ? { kind } : { kind, detail }))

const widSchema = z.partialRecord(
  z.enum(Object.keys(WID_LEAVES) as [WidLeaf, ...WidLeaf[]]),
  z.union([text, z.boolean(), z.null()]),
)

/** How far the exchange came: DenialContext of lib/ports/mint.ts. */
export const denialContextSchema = z.strictObject({
  configVersion: z.int().positive().nullable(),
  verified: z.boolean(),
  issuerName: z.string().max(64).nullable(),
  evidence: z
    .strictObject({
      sub: text,
      jti: text.nullable(),
      iat: z.int(),
      exp: z.int(),
      kid: text,
      replayKey: z.string().max(64),
    })
    .nullable(),
  wid: widSchema.nullable(),
  verdicts: z.record(z.string().max(64), z.string().regex(/^[01]*$/)).nullable(),
  firstDecisionId: decisionIdSchema.nullable(),
})

export const denialSchema = z.strictObject({
  v: z.literal(1),
  decisionId: decisionIdSchema,
  tenant: tenantNameSchema,
  atSeconds: epochSeconds,
  traceId: traceIdSchema,
  refusal: refusalSchema,
  source: z.string().max(64),
  target: z
    .strictObject({
      type: text,
      audience: text.nullable(),
      scope: text.nullable(),
      grant: text.nullable(),
    })
    .nullable(),
  ...denialContextSchema.shape,
})

export const rollUpPartSchema = z.strictObject({
  id: decisionIdSchema,
  tenant: tenantNameSchema,
  minute: z.int().nonnegative(),
  kind: refusalKindSchema,
  source: z.string().max(64),
  count: z.int().positive(),
  listed: z.array(decisionIdSchema).max(LIMITS.rollUpIdsPerMessageMax),
  unlisted: z.int().nonnegative(),
})

type Evidence = z.infer<typeof denialContextSchema>['evidence']

/** What a denial keeps of evidence facts, of which the flows know more. */
export const denialEvidence = (evidence: Evidence): Evidence =>
  evidence === null
    ? null
    : {
        sub: evidence.sub,
        jti: evidence.jti,
        iat: evidence.iat,
        exp: evidence.exp,
        kid: evidence.kid,
        replayKey: evidence.replayKey,
      }
