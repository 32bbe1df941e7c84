// The body of a queue message: no longer than may be, JSON, and exactly of its form; anything else is poison, and why. Pure.
import type * as z from 'zod/mini'

/** `reason`: a constant code. */
export type ReadMessage<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: string }

type Form<Message> = {
  readonly bytesMax: number
  readonly schema: z.ZodMiniType<Message>
  /** The reason for JSON of another form. */
  readonly otherwise: string
}

/** Reasons: too_large, not_json, and that of the form. */
export const readQueueBody = <Message>(
  body: string,
  { bytesMax, schema, otherwise }: Form<Message>,
): ReadMessage<Message> => {
  if (body.length > bytesMax) return { ok: false, reason: 'too_large' }
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { ok: false, reason: 'not_json' }
  }
  const read = schema.safeParse(json)
  return read.success ? { ok: true, message: read.data } : { ok: false, reason: otherwise }
}
