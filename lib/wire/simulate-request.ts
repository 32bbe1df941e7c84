// The body of `POST /t/{tenant}/admin/simulate`: an assertion or its claims, and the target as a request would name it. Read as
// strictly as evidence is: claims that the token endpoint would refuse to read are not simulated.
import * as z from 'zod/mini'
import type { AdminRequest } from '../domain/admin-request.ts'
import type { JsonObject } from '../domain/claims.ts'
import { parseStrictJson, TOKEN_JSON_LIMITS } from '../domain/json.ts'
import { LIMITS } from '../domain/limits.ts'

const text = z.string().check(z.maxLength(LIMITS.jsonStringBytesMax))
const target = {
  type: z._default(z.enum(['access_token', 'aws-credentials']), 'access_token'),
  audience: z._default(z.nullable(text), null),
  /** Separated by spaces, as in a request. */
  scope: z._default(z.nullable(text), null),
  grant: z._default(z.nullable(text), null),
}
const schema = z.union([
  z.strictObject({ assertion: z.string().check(z.maxLength(LIMITS.tokenBytesMax)), ...target }),
  z.strictObject({ claims: z.record(z.string(), z.unknown()), ...target }),
])

/** Claims are one level down; an assertion is one long string. */
const BODY_LIMITS = {
  depthMax: TOKEN_JSON_LIMITS.depthMax + 1,
  membersMax: TOKEN_JSON_LIMITS.membersMax + Object.keys(target).length + 1,
  stringBytesMax: LIMITS.tokenBytesMax,
}

/** Null: not what is taken. */
export const readSimulate = (body: string): AdminRequest | null => {
  const json = parseStrictJson(body, BODY_LIMITS)
  const read = json.ok ? schema.safeParse(json.value) : null
  if (read === null || !read.success) return null
  const { type, audience, scope, grant } = read.data
  const scopes = scope === null ? null : scope.split(' ').filter((one) => one !== '')
  return {
    kind: 'simulate',
    evidence:
      'assertion' in read.data
        ? { form: 'assertion', assertion: read.data.assertion }
        : { form: 'claims', claims: read.data.claims as JsonObject },
    target: { type, audience, scope: scopes, grant },
  }
}
