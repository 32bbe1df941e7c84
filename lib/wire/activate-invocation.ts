// The invocation of mint by rotate: activate one key, named and nothing more; mint reads its row itself. Pure.
import * as z from 'zod/mini'
import { Unavailable } from '../domain/unavailable.ts'
import { tenantNameSchema } from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const requestSchema = z.strictObject({
  activate: z.strictObject({ tenant: tenantNameSchema, kid: z.string().check(z.regex(/^[\w-]{43}$/)) }),
})
const replySchema = z.union([z.strictObject({ activated: z.boolean() }), outageSchema])

type Named = z.infer<typeof requestSchema>['activate']

export const writeActivateRequest = ({ tenant, kid }: Named): string => JSON.stringify({ activate: { tenant, kid } })

/** Null: not a request of ours, whole and nothing more. */
export const readActivateRequest = (payload: unknown): Named | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data.activate : null
}

export const writeActivateReply = (answer: boolean | Unavailable): unknown =>
  answer instanceof Unavailable ? outageOf(answer) : { activated: answer }

/** Whether it was activated, the outage, or null: not a reply of mint. */
export const readActivateReply = (payload: unknown): boolean | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'activated' in read.data
    ? read.data.activated
    : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
