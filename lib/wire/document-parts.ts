// What several sections of the tenant document are made of: names, texts, secrets, key sets. Pure.
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { ENTRY_NAME, whole } from '../domain/names.ts'
import type { SignatureAlgorithm } from '../domain/provider.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
ALGORITHMS satisfies readonly SignatureAlgorithm[]

const NAME = whole(ENTRY_NAME)
export const name = (what: string) =>
  z.string().check(z.regex(NAME, `the name of ${what} is lower case letters, digits, "-" and "_"`))
export const text = z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(LIMITS.patternCharsMax))
export const url = z
  .string()
  .check(z.maxLength(LIMITS.patternCharsMax), z.regex(/^https?:\/\/[^\s]+$/, 'must be a URL'))
export const list = <T extends z.ZodMiniType>(of: T) =>
  z.array(of).check(z.minLength(1, 'must not be empty'), z.maxLength(LIMITS.listItemsMax))
export const algorithms = list(z.enum(ALGORITHMS)).check(z.describe('Signature algorithms accepted from this issuer.'))

export const secretFile = z
  .strictObject(
    {
      file: z
        .string()
        .check(
          z.regex(
            /^[a-z][a-z0-9]*\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
            'must be <tenant>/<name>, a file under --secrets',
          ),
        ),
    },
    {
      error: ({ input }) =>
        input === undefined ? undefined : 'an inline secret is refused: write { file: <tenant>/<name> }',
    },
  )
  .check(z.describe('Name of a secret: a file below --secrets DIR, or the Secrets Manager name on AWS.'))

const jwk = z
  .looseObject({ kty: z.enum(['RSA', 'EC'], { error: 'kty must be RSA or EC' }), kid: z.optional(text) })
  .check(
    z.refine((key) => !['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((member) => member in key), {
      error: 'a private key: only public keys belong here',
    }),
  )

export const jwks = z
  .union(
    [
      z.strictObject({
        inline: z
          .strictObject({
            keys: z.array(jwk).check(z.maxLength(LIMITS.jwksKeysMax)),
            spiffe_sequence: z.optional(z.number()),
            spiffe_refresh_hint: z.optional(z.number()),
          })
          .check(z.describe('A JWK Set (RFC 7517 §5) or a SPIFFE bundle.')),
      }),
      z.strictObject({ url: url.check(z.describe('Where the JWK Set is.')) }),
      z.strictObject({ discovery: z.literal(true) }),
    ],
    { error: 'must be { inline: … }, { url: … } or { discovery: true }' },
  )
  .check(
    z.describe('Where the keys of the issuer come from. Default: what the preset says, else OpenID Connect discovery.'),
  )
