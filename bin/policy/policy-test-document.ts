// Policy tests: `<tenant>.test.yaml` beside the tenant document. A case is an assertion, what is changed in it, what is asked
// for, and what must come of it. Read as strictly as the documents they test.
import * as z from 'zod'
import { REFUSALS, type RefusalKind } from '../../lib/domain/refusal.ts'

const KINDS = Object.keys(REFUSALS) as [RefusalKind, ...RefusalKind[]]

const expected = z.union(
  [
    z.strictObject({
      grant: z.string(),
      identity: z.string().startsWith('/').optional(),
      audience: z.string().optional(),
      scope: z.array(z.string()).optional(),
      reports: z.array(z.string()).optional(),
    }),
    z.strictObject({ deny: z.enum(KINDS), reports: z.array(z.string()).optional() }),
  ],
  { error: 'must be { grant: NAME } or { deny: REASON }' },
)

const policyCase = z.strictObject({
  name: z.string().min(1).describe('What the policy promises, as a sentence.'),
  assertion: z.string().optional().describe('A recorded assertion, as a path from the test file.'),
  claims: z.record(z.string(), z.unknown()).optional().describe('Claims written out, instead of a recorded assertion.'),
  issuer: z.string().optional().describe('Name of the issuer that signs it here; default: the one that has its iss.'),
  with: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Claims changed or added; null removes one. Times and aud are fresh and right unless changed here.'),
  target: z
    .union(
      [
        z.string(),
        z.strictObject({
          type: z.enum(['access_token', 'aws-credentials']).optional(),
          audience: z.string().optional(),
          scope: z.array(z.string()).optional(),
          grant: z.string().optional(),
        }),
      ],
      {
        error: 'must be an audience, or { type, audience, scope, grant }',
      },
    )
    .optional(),
  expect: expected,
})

export const policyTestSchema = z.strictObject({
  tenant: z.string().optional().describe('Default: the name of the file.'),
  tests: z.array(policyCase).min(1, 'has no tests').max(1_000),
})

export type PolicyCase = z.infer<typeof policyCase>
