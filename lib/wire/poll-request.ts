// The body of a poll (RFC 8936 §2.2), read, and of its answer (§2.3). Members nobody here knows are passed over, as with other transmitters.
import * as z from 'zod/mini'
import { parseStrictJson, TOKEN_JSON_LIMITS } from '../domain/json.ts'
import { LIMITS } from '../domain/limits.ts'

const jti = z.string().check(z.minLength(1), z.maxLength(LIMITS.jtiBytesMax))
const problem = z.object({ err: z.string(), description: z.optional(z.string()) })

const pollSchema = z.object({
  maxEvents: z.optional(z.int().check(z.nonnegative())),
  returnImmediately: z._default(z.boolean(), false),
  ack: z._default(z.array(jti).check(z.maxLength(LIMITS.pollAnswersMax)), []),
  setErrs: z._default(z.record(jti, problem), {}),
})

/** An error is a member with two of its own. Strict: of a member that comes twice, two readers could each believe another one. */
const POLL_JSON = {
  ...TOKEN_JSON_LIMITS,
  membersMax: TOKEN_JSON_LIMITS.membersMax + 3 * LIMITS.pollAnswersMax,
  stringBytesMax: LIMITS.bodyBytesMax,
}

/** Null: not a poll. The description of an error is not kept: it is a stranger's text. */
export const readPoll = (body: string) => {
  // No body asks for everything there is.
  const json = parseStrictJson(body === '' ? '{}' : body, POLL_JSON)
  const read = json.ok ? pollSchema.safeParse(json.value) : null
  if (!read?.success) return null
  const { maxEvents = null, returnImmediately, ack, setErrs } = read.data
  const errs = Object.entries(setErrs).map(([id, { err }]) => [id, err] as const)
  if (ack.length + errs.length > LIMITS.pollAnswersMax) return null
  return { maxEvents, returnImmediately, ack, setErrs: Object.fromEntries(errs) }
}
