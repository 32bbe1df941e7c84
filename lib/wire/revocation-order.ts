// A revocation order as a queue message: exactly this, or it is poison. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../domain/revocation.ts'
import { type LiftOrder, type RevocationOrder, recordedOrder } from '../domain/revocation-order.ts'
import { decisionIdSchema, tenantNameSchema } from './decision-schemas.ts'
import { type ReadMessage, readQueueBody } from './queue-body.ts'

const kindSchema = z.enum(Object.keys(REVOCATION_KINDS) as [RevocationKind, ...RevocationKind[]])

const selectorSchema = z.strictObject({
  kind: kindSchema,
  issuer: z.string().check(z.maxLength(64)),
  value: z.string().check(z.maxLength(LIMITS.selectorValueBytesMax)),
})

const tokenProofSchema = z.strictObject({
  kind: z.literal('token'),
  token: z.string().check(z.maxLength(LIMITS.tokenBytesMax)),
  dpop: z.exactOptional(z.string().check(z.maxLength(LIMITS.tokenBytesMax))),
})

const proofSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uid'), uid: z.int().check(z.nonnegative()) }),
  z.strictObject({ kind: z.literal('sender') }),
  tokenProofSchema,
  z.strictObject({ kind: z.literal('set'), set: z.string().check(z.maxLength(LIMITS.tokenBytesMax)) }),
  z.strictObject({
    kind: z.literal('github'),
    body: z.string().check(z.maxLength(LIMITS.bodyBytesMax)),
    signature: z.string().check(z.maxLength(128)),
  }),
  z.strictObject({ kind: z.literal('leak'), token: z.string().check(z.maxLength(LIMITS.tokenBytesMax)) }),
  z.strictObject({ kind: z.literal('replay'), decision: decisionIdSchema }),
  z.strictObject({ kind: z.literal('finding'), event: z.string().check(z.maxLength(LIMITS.findingBytesMax)) }),
])

const orderSchema: z.ZodMiniType<RevocationOrder> = z.strictObject({
  v: z.literal(1),
  id: decisionIdSchema,
  tenant: tenantNameSchema,
  selectors: z.array(selectorSchema).check(z.maxLength(LIMITS.orderSelectorsMax)),
  form: z.enum(['block', 'cut']),
  reason: z.string(),
  proof: proofSchema,
  orderedAtSeconds: z.int().check(z.nonnegative(), z.maximum(LIMITS.epochSecondsMax)),
})

const liftSchema: z.ZodMiniType<LiftOrder> = z.strictObject({
  v: z.literal(1),
  id: decisionIdSchema,
  tenant: tenantNameSchema,
  lifts: decisionIdSchema,
  reason: z.string(),
  proof: tokenProofSchema,
  orderedAtSeconds: z.int().check(z.nonnegative(), z.maximum(LIMITS.epochSecondsMax)),
})

const messageSchema = z.union([orderSchema, liftSchema])

/** Reasons: too_large, not_json, not_an_order. What the order asks is checked by orderProblem() of the domain. */
export const readOrder = (body: string): ReadMessage<RevocationOrder | LiftOrder> =>
  readQueueBody(body, { bytesMax: LIMITS.queueMessageBytesMax, schema: messageSchema, otherwise: 'not_an_order' })

/** What of an order that was refused may wait for an operator: no token in it can be used. */
export const keptOrder = (order: RevocationOrder | LiftOrder): RevocationOrder | LiftOrder => recordedOrder(order)
