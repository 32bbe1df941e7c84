// A feed as a test writes it: pages of one tenant signed with real keys, and tokens with handles, served by a function.
import { randomBytes } from 'node:crypto'
import type { FeedPage } from '../../lib/domain/revocation-feed.ts'
import { type IssuerKey, issuerKey, signAssertion } from './evidence.ts'

export const ISSUER = 'https://sts.example.com/t/acme'
export const AUDIENCE = 'https://deploy.acme.example'
export const START_SECONDS = 1_800_000_000

export const TOKEN_KEY = issuerKey('ES256', 'token-1')
export const SIGNAL_KEY = issuerKey('ES256', 'signal-1')

export const newHandle = (): string => randomBytes(12).toString('base64url')

export const feedPage = (
  changes: Partial<FeedPage> = {},
  key: IssuerKey = SIGNAL_KEY,
  typ = 'mintmark-revocations+jwt',
) => {
  const iat = changes.iat ?? START_SECONDS
  const page = {
    iss: ISSUER,
    seq: 0,
    since: 0,
    next: changes.seq ?? 0,
    iat,
    exp: iat + 60,
    lift: '',
    block: '',
    cut: '',
    before: [],
  }
  return signAssertion(key, { ...page, ...changes }, { typ })
}

export const accessToken = (changes: Record<string, unknown> = {}, key: IssuerKey = TOKEN_KEY, header = {}) => {
  const iat = START_SECONDS - 10
  const claims = {
    iss: ISSUER,
    sub: 'spiffe://acme.example/ci/1/production',
    client_id: 'spiffe://acme.example/ci/1/production',
    aud: AUDIENCE,
    scope: 'deploy:read',
    iat,
    nbf: iat,
    exp: iat + 600,
    jti: '01900000-0000-7000-8000-000000000000',
    rh: [newHandle(), newHandle()],
    wid: {},
  }
  return signAssertion(key, { ...claims, ...changes }, { typ: 'at+jwt', ...header })
}
