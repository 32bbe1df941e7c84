// The invocation of feed by push and poll, both directions: a receiver and numbers of changes out, signed SETs back. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { ENTRY_NAME, whole } from '../domain/names.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { tenantNameSchema } from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const requestSchema = z.strictObject({
  sets: z.strictObject({
    tenant: tenantNameSchema,
    receiver: z.string().check(z.regex(whole(ENTRY_NAME))),
    seqs: z.array(z.int().check(z.positive())).check(z.maxLength(LIMITS.pollSetsMax)),
  }),
})
const replySchema = z.union([
  z.strictObject({ sets: z.nullable(z.array(z.strictObject({ jti: z.string(), set: z.string() }))) }),
  outageSchema,
])

type Asked = z.infer<typeof requestSchema>['sets']
type Signed = { readonly sets: readonly { readonly jti: string; readonly set: string }[] | null }

export const writeSetsRequest = ({ tenant, receiver, seqs }: Asked): string =>
  JSON.stringify({ sets: { tenant, receiver, seqs } })

/** Null: not a request of ours, whole and nothing more. */
export const readSetsRequest = (payload: unknown): Asked | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data.sets : null
}

export const writeSetsReply = (answer: Signed['sets'] | Unavailable): unknown =>
  answer instanceof Unavailable ? outageOf(answer) : { sets: answer }

/** SETs (null: no such receiver or change), the outage, or null: not a reply of feed. */
export const readSetsReply = (payload: unknown): Signed | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'sets' in read.data ? read.data : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
