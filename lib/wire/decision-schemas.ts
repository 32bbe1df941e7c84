// Decisions as they travel between functions: refusals, denials and what a denial says of the evidence. Strict, so that what
// arrives is exactly what was meant; bounded, so that nobody in between can grow it. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { TENANT_NAME, UUID, whole } from '../domain/names.ts'
import { REFUSALS, type RefusalKind } from '../domain/refusal.ts'
import { WID_LEAVES, type WidLeaf } from '../domain/wid.ts'

export const tenantNameSchema = z.string().check(z.regex(whole(TENANT_NAME)))
export const decisionIdSchema = z.string().check(z.regex(whole(UUID)))
export const traceIdSchema = z.string().check(z.regex(/^[0-9a-f]{32}$/))
/** An address, or the network of one (lib/domain/source-key.ts). */
export const sourceSchema = z.string().check(z.maxLength(64))

const epochSeconds = z.int().check(z.nonnegative(), z.maximum(LIMITS.epochSecondsMax))
const text = z.string().check(z.maxLength(LIMITS.tokenBytesMax))

export const refusalKindSchema = z.enum(Object.keys(REFUSALS) as [RefusalKind, ...RefusalKind[]])
export const refusalSchema = z.pipe(
  z.strictObject({
    kind: refusalKindSchema,
    detail: z.optional(z.record(z.string().check(z.maxLength(64)), z.union([text, z.number(), z.boolean(), z.null()]))),
  }),
  // exactOptionalPropertyTypes: absent and undefined are not the same.
  z.transform(({ kind, detail }) => (detail === undefined ? { kind } : { kind, detail })),
)

const widSchema = z.partialRecord(
  z.enum(Object.keys(WID_LEAVES) as [WidLeaf, ...WidLeaf[]]),
  z.union([text, z.boolean(), z.null()]),
)

/** How far the exchange came: DenialContext of lib/ports/mint.ts. */
export const denialContextSchema = z.strictObject({
  configVersion: z.nullable(z.int().check(z.positive())),
  verified: z.boolean(),
  issuerName: z.nullable(z.string().check(z.maxLength(64))),
  evidence: z.nullable(
    z.strictObject({
      sub: text,
      jti: z.nullable(text),
      iat: z.int(),
      exp: z.int(),
      kid: text,
      replayKey: z.string().check(z.maxLength(64)),
    }),
  ),
  wid: z.nullable(widSchema),
  verdicts: z.nullable(z.record(z.string().check(z.maxLength(64)), z.string().check(z.regex(/^[01]*$/)))),
  firstDecisionId: z.nullable(decisionIdSchema),
})

export const denialSchema = z.strictObject({
  v: z.literal(1),
  decisionId: decisionIdSchema,
  tenant: tenantNameSchema,
  atSeconds: epochSeconds,
  traceId: traceIdSchema,
  refusal: refusalSchema,
  source: sourceSchema,
  target: z.nullable(
    z.strictObject({
      type: text,
      audience: z.nullable(text),
      scope: z.nullable(text),
      grant: z.nullable(text),
    }),
  ),
  ...denialContextSchema.shape,
  counted: z.optional(z.strictObject({ instance: decisionIdSchema, number: z.int().check(z.positive()) })),
})

export const rollUpPartSchema = z.strictObject({
  id: decisionIdSchema,
  tenant: tenantNameSchema,
  minute: z.int().check(z.nonnegative()),
  kind: refusalKindSchema,
  source: sourceSchema,
  count: z.int().check(z.positive()),
  listed: z.array(decisionIdSchema).check(z.maxLength(LIMITS.rollUpIdsPerMessageMax)),
  unlisted: z.int().check(z.nonnegative()),
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
