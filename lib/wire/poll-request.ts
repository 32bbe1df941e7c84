// The body of a poll (RFC 8936 §2.2), read, and of its answer (§2.3). Members nobody here knows are passed over, as with other transmitters.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'

const jti = z.string().check(z.minLength(1), z.maxLength(LIMITS.jtiBytesMax))
const problem = z.object({ err: z.string(), description: z.optional(z.string()) })

const pollSchema = z.object({
  maxEvents: z.optional(z.int().check(z.nonnegative())),
  returnImmediately: z._default(z.boolean(), false),
  ack: z._default(z.array(jti).check(z.maxLength(LIMITS.pollAnswersMax)), []),
  setErrs: z._default(z.record(jti, problem), {}),
})

/** Null: not a poll. The description of an error is not kept: it is a stranger's text. */
export const readPoll = (body: string) => {
  let json: unknown
  try {
    // No body asks for everything there is.
    json = JSON.parse(body === '' ? '{}' : body)
  } catch {
    return null
  }
  const read = pollSchema.safeParse(json)
  if (!read.success) return null
  const { maxEvents = null, returnImmediately, ack, setErrs } = read.data
  const errs = Object.entries(setErrs).map(([id, { err }]) => [id, err] as const)
  if (ack.length + errs.length > LIMITS.pollAnswersMax) return null
  return { maxEvents, returnImmediately, ack, setErrs: Object.fromEntries(errs) }
}
