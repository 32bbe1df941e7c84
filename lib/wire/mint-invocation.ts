// The invocation of mint by attest, both directions. What goes in is a request and never a fact: there is no way for JSON to
// carry a verification (P9). What comes back is read as strictly as what goes in. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'
import { Unavailable } from '../domain/unavailable.ts'
import {
  decisionIdSchema,
  denialContextSchema,
  denialEvidence,
  refusalSchema,
  sourceSchema,
  tenantNameSchema,
  traceIdSchema,
} from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const text = z.string().check(z.maxLength(LIMITS.bodyBytesMax))

const requestSchema = z.strictObject({
  tenant: tenantNameSchema,
  grantType: z.enum(['token-exchange', 'jwt-bearer']),
  evidence: text,
  target: z.strictObject({
    type: z.nullable(text),
    audiences: z.array(text).check(z.maxLength(LIMITS.parameterCountMax)),
    scope: z.nullable(text),
    grant: z.nullable(text),
  }),
  idempotencyKey: z.nullable(
    z.string().check(z.minLength(LIMITS.idempotencyKeyCharsMin), z.maxLength(LIMITS.idempotencyKeyCharsMax)),
  ),
  dpop: z.nullable(z.strictObject({ proof: text, method: z.string().check(z.maxLength(16)), url: text })),
  decisionId: decisionIdSchema,
  traceId: traceIdSchema,
  source: sourceSchema,
})

type Request = z.infer<typeof requestSchema>
/** The same as a flow holds it: nothing of it is changed. */
type AsHeld<T> = { readonly [member in keyof T]: T[member] extends object ? AsHeld<T[member]> : T[member] }

/** Member by member: whatever else the caller's object holds stays in its process. */
export const writeMintRequest = (request: AsHeld<Request>): string => {
  const { tenant, grantType, evidence, target, idempotencyKey, dpop, decisionId, traceId, source } = request
  return JSON.stringify({ tenant, grantType, evidence, target, idempotencyKey, dpop, decisionId, traceId, source })
}

/** Null: not a request of ours, whole and nothing more. */
export const readMintRequest = (payload: unknown): Request | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data : null
}

const issuedSchema = z.strictObject({
  ok: z.literal(true),
  credential: z.strictObject({
    accessToken: text,
    issuedTokenType: z.enum([TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS]),
    tokenType: z.enum(['Bearer', 'DPoP', 'N_A']),
    expiresInSeconds: z.int().check(z.nonnegative(), z.maximum(LIMITS.ttlSecondsMax)),
    scope: text,
  }),
})
const refusedSchema = z.pipe(
  z.strictObject({
    ok: z.literal(false),
    refusal: refusalSchema,
    context: denialContextSchema,
    retryAfterSeconds: z.optional(z.int().check(z.nonnegative())),
  }),
  z.transform(({ retryAfterSeconds, ...rest }) =>
    retryAfterSeconds === undefined ? rest : { ...rest, retryAfterSeconds },
  ),
)
const answerSchema = z.discriminatedUnion('ok', [issuedSchema, refusedSchema])
const replySchema = z.union([answerSchema, outageSchema])

type Answer = z.infer<typeof answerSchema>

/** What mint hands back: its answer, or the outage that stopped it. Throws when the answer is none of the schema: a bug. */
export const writeMintReply = (answer: AsHeld<Answer> | Unavailable): unknown => {
  if (answer instanceof Unavailable) return outageOf(answer)
  if (answer.ok) return issuedSchema.parse(answer)
  const { context } = answer
  return refusedSchema.parse({ ...answer, context: { ...context, evidence: denialEvidence(context.evidence) } })
}

/** The answer, the outage, or null: not a reply of mint. */
export const readMintReply = (payload: unknown): Answer | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'ok' in read.data ? read.data : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
