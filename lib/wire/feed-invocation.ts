// The invocation of feed by discovery, both directions: a tenant and a cursor out, a signed page back. Pure.
import * as z from 'zod/mini'
import { Unavailable } from '../domain/unavailable.ts'
import { tenantNameSchema } from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const requestSchema = z.strictObject({
  page: z.strictObject({ tenant: tenantNameSchema, since: z.int().check(z.nonnegative()) }),
})
const replySchema = z.union([z.strictObject({ page: z.nullable(z.string()) }), outageSchema])

type Asked = z.infer<typeof requestSchema>['page']
type Page = { readonly page: string | null }

export const writeFeedRequest = ({ tenant, since }: Asked): string => JSON.stringify({ page: { tenant, since } })

/** Null: not a request of ours, whole and nothing more. */
export const readFeedRequest = (payload: unknown): Asked | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data.page : null
}

export const writeFeedReply = (answer: string | null | Unavailable): unknown =>
  answer instanceof Unavailable ? outageOf(answer) : { page: answer }

/** The page (null: no such tenant), the outage, or null: not a reply of feed. */
export const readFeedReply = (payload: unknown): Page | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'page' in read.data ? read.data : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
