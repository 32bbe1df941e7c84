// The token of AssumeRoleWithWebIdentity, verified as STS does: signature by the provider's published keys, issuer registered,
// one audience among the registered ones, times, role pinned by `https://aws.amazon.com/roles`; tags and source identity read
// from the token. The pinning claim is documented only by AWS's announcement: a real account has to confirm it.
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, errors as joseErrors, jwtVerify } from 'jose'
import { AwsError } from './answer.ts'
import type { Cloud } from './cloud.ts'

/** The published keys of an issuer URL: what STS would fetch through discovery. */
export type PublishedKeys = (issuer: string) => JSONWebKeySet | Promise<JSONWebKeySet>

export type WebIdentity = {
  /** ARN of the provider in the account of the role. */
  readonly provider: string
  /** Host and path, the prefix of its condition keys. */
  readonly prefix: string
  readonly subject: string
  /** What `<prefix>:aud` compares: `azp` where the token has one, else the audience. */
  readonly audience: string
  readonly originalAudience: string
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
  readonly isRoleAuthorizedByIdp: boolean
}

/** IAM takes no EdDSA. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
const TOKEN_CHARACTERS_MAX = 20_000

type Asked = { readonly token: string; readonly roleArn: string; readonly cloud: Cloud; readonly nowMs: number }

/** Throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError or AccessDenied. */
export const verifyWebIdentity = async (asked: Asked, keysOf: PublishedKeys): Promise<WebIdentity> => {
  const { token, roleArn, cloud, nowMs } = asked
  if (token.length > TOKEN_CHARACTERS_MAX) throw badToken('Token is too long')
  const account = roleArn.split(':')[4]
  const issuer = issuerOf(token)
  const registered = Object.entries(cloud.identityProviders).find(
    ([arn, { url }]) => url === issuer && arn.split(':')[4] === account,
  )
  if (registered === undefined) throw badToken('No OpenIDConnect provider found in your account for this issuer')
  const [provider, { url, clientIds }] = registered

  let keys: JSONWebKeySet
  try {
    keys = await keysOf(url)
  } catch {
    throw new AwsError('IDPCommunicationError', 'The identity provider could not be reached')
  }
  const claims = await verified(token, keys, url, nowMs)
  const originalAudience = [claims.aud ?? []].flat()
  const azp = claims['azp']
  const audience = typeof azp === 'string' ? azp : originalAudience[0]
  // Several audiences without an azp to say whose token it is: STS refuses.
  if (
    audience === undefined ||
    (originalAudience.length > 1 && typeof azp !== 'string') ||
    !clientIds.includes(audience)
  ) {
    throw badToken('Incorrect token audience')
  }
  const roles = claims['https://aws.amazon.com/roles']
  if (roles !== undefined && ![roles].flat().includes(roleArn)) {
    throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403)
  }
  const sourceIdentity = claims['https://aws.amazon.com/source_identity']
  return {
    provider,
    prefix: url.replace(/^https:\/\//, ''),
    subject: claims.sub!,
    audience,
    originalAudience: originalAudience[0]!,
    ...tagsOf(claims),
    ...(typeof sourceIdentity === 'string' ? { sourceIdentity } : {}),
    isRoleAuthorizedByIdp: roles !== undefined,
  }
}

const badToken = (message: string): AwsError => new AwsError('InvalidIdentityToken', message)

/** Unverified: only to find the keys that will verify it. */
const issuerOf = (token: string): string => {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { iss?: string }
    return payload.iss ?? ''
  } catch {
    throw badToken('The ID Token provided is not a valid JWT')
  }
}

const verified = async (token: string, keys: JSONWebKeySet, issuer: string, nowMs: number): Promise<JWTPayload> => {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      algorithms: ALGORITHMS,
      currentDate: new Date(nowMs),
      requiredClaims: ['sub', 'aud', 'exp', 'iat'],
    })
    return payload
  } catch (error) {
    if (error instanceof joseErrors.JWTExpired) throw new AwsError('ExpiredTokenException', 'Token expired')
    if (error instanceof joseErrors.JOSEError) throw badToken("Couldn't verify the identity token")
    throw error
  }
}

const tagsOf = (claims: JWTPayload): Pick<WebIdentity, 'tags' | 'transitiveTagKeys'> => {
  const claim = claims['https://aws.amazon.com/tags']
  if (claim === undefined) return { tags: {}, transitiveTagKeys: [] }
  const { principal_tags: tags, transitive_tag_keys: keys = [] } = claim as {
    principal_tags?: Readonly<Record<string, unknown>>
    transitive_tag_keys?: readonly string[]
  }
  // Each value is a list of one, as AWS documents the claim.
  const pairs = Object.entries(tags ?? {}).map(([key, value]) => {
    const [only, ...more] = Array.isArray(value) ? (value as readonly unknown[]) : []
    if (typeof only !== 'string' || more.length > 0) throw badToken('principal_tags must be lists of one string')
    return [key, only] as const
  })
  return { tags: Object.fromEntries(pairs), transitiveTagKeys: keys }
}
