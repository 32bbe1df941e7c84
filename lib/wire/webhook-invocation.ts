// The invocation of checkpoint by deliver, both directions: a URL and the digest of a body out, a signature back. No text that is
// signed travels: whoever asks cannot say what it is. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { tenantNameSchema } from './decision-schemas.ts'
import { outageOf, outageSchema } from './outage.ts'

const requestSchema = z.strictObject({
  webhook: z.strictObject({
    tenant: tenantNameSchema,
    /** Signed only where it is one that the tenant's document has. */
    url: z.string(),
    /** SHA-256: 32 bytes, base64. */
    digest: z.string().check(z.regex(/^[A-Za-z0-9+/]{43}=$/)),
  }),
})
const replySchema = z.union([
  z.strictObject({
    signed: z.nullable(
      z.strictObject({
        kid: z.string().check(z.regex(/^[\w-]{43}$/)),
        createdSeconds: z.int().check(z.positive(), z.maximum(LIMITS.epochSecondsMax)),
        /** Ed25519: 64 bytes, base64. */
        signature: z.string().check(z.regex(/^[A-Za-z0-9+/]{86}==$/)),
      }),
    ),
  }),
  outageSchema,
])

type Asked = z.infer<typeof requestSchema>['webhook']
type Signed = {
  readonly signed: { readonly kid: string; readonly createdSeconds: number; readonly signature: string } | null
}

export const writeWebhookRequest = ({ tenant, url, digest }: Asked): string =>
  JSON.stringify({ webhook: { tenant, url, digest } })

/** Null: not a request of ours, whole and nothing more. */
export const readWebhookRequest = (payload: unknown): Asked | null => {
  const read = requestSchema.safeParse(payload)
  return read.success ? read.data.webhook : null
}

export const writeWebhookReply = (answer: Signed['signed'] | Unavailable): unknown =>
  answer instanceof Unavailable ? outageOf(answer) : { signed: answer }

/** The signature (null: no webhook of the tenant has this URL), the outage, or null: not a reply of checkpoint. */
export const readWebhookReply = (payload: unknown): Signed | Unavailable | null => {
  const read = replySchema.safeParse(payload)
  if (!read.success) return null
  return 'signed' in read.data ? read.data : new Unavailable(read.data.unavailable, read.data.retryAfterSeconds)
}
