// Policy tests: `<tenant>.test.yaml` beside the tenant document. A case is an assertion, what is changed in it, what is asked
// for, and what must come of it. Read as strictly as the documents they test.
import * as z from 'zod/mini'
import { REFUSALS, type RefusalKind } from '../../lib/domain/refusal.ts'

const KINDS = Object.keys(REFUSALS) as [RefusalKind, ...RefusalKind[]]

const expected = z.union(
  [
    z.strictObject({
      grant: z.string(),
      identity: z.optional(z.string().check(z.startsWith('/'))),
      audience: z.optional(z.string()),
      scope: z.optional(z.array(z.string())),
      reports: z.optional(z.array(z.string())),
    }),
    z.strictObject({ deny: z.enum(KINDS), reports: z.optional(z.array(z.string())) }),
  ],
  { error: 'must be { grant: NAME } or { deny: REASON }' },
)

const policyCase = z.strictObject({
  name: z.string().check(z.minLength(1), z.describe('What the policy promises, as a sentence.')),
  assertion: z.optional(z.string()).check(z.describe('A recorded assertion, as a path from the test file.')),
  claims: z
    .optional(z.record(z.string(), z.unknown()))
    .check(z.describe('Claims written out, instead of a recorded assertion.')),
  issuer: z
    .optional(z.string())
    .check(z.describe('Name of the issuer that signs it here; default: the one that has its iss.')),
  with: z
    .optional(z.record(z.string(), z.unknown()))
    .check(
      z.describe('Claims changed or added; null removes one. Times and aud are fresh and right unless changed here.'),
    ),
  target: z.optional(
    z.union(
      [
        z.string(),
        z.strictObject({
          type: z.optional(z.enum(['access_token', 'aws-credentials'])),
          audience: z.optional(z.string()),
          scope: z.optional(z.array(z.string())),
          grant: z.optional(z.string()),
        }),
      ],
      { error: 'must be an audience, or { type, audience, scope, grant }' },
    ),
  ),
  expect: expected,
})

export const policyTestSchema = z.strictObject({
  tenant: z.optional(z.string()).check(z.describe('Default: the name of the file.')),
  tests: z.array(policyCase).check(z.minLength(1, 'has no tests'), z.maxLength(1_000)),
})

export type PolicyCase = z.infer<typeof policyCase>
