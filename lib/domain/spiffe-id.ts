// SPIFFE IDs (SPIFFE-ID §2): one spelling each, so equality of bytes is equality of identity. Pure.
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'

declare const brand: unique symbol

/** `spiffe://<trust domain>/<path>`, made only by parseSpiffeId. */
export type SpiffeId = string & { readonly [brand]: 'SpiffeId' }

const BYTES_MAX = 2048
const SCHEME = 'spiffe://'
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^[A-Za-z0-9._-]+$/

/** Lower-case letters, digits, `.`, `_`, `-`; 1-255 of them: no port, no userinfo, nothing to fold (SPIFFE-ID §2.1). */
export const isTrustDomain = (text: string): boolean => TRUST_DOMAIN.test(text)

/** One segment of a path: neither empty nor `.` or `..`, and nothing that would have to be escaped (SPIFFE-ID §2.2). */
export const isPathSegment = (text: string): boolean => SEGMENT.test(text) && text !== '.' && text !== '..'

/** A SPIFFE ID in its one spelling, at most 2048 bytes; a path is optional, a trailing slash is not. Refuses: identity_invalid. */
export const parseSpiffeId = (text: string): Result<SpiffeId> => {
  if (text.length > BYTES_MAX) return refuse('identity_invalid', { problem: 'too long' })
  if (!text.startsWith(SCHEME)) return refuse('identity_invalid', { problem: 'scheme' })
  const [domain, ...segments] = text.slice(SCHEME.length).split('/')
  if (!isTrustDomain(domain as string)) return refuse('identity_invalid', { problem: 'trust domain' })
  return segments.every(isPathSegment) ? ok(text as SpiffeId) : refuse('identity_invalid', { problem: 'path' })
}

/** The trust domain of an ID. */
export const trustDomainOf = (id: SpiffeId): string => id.slice(SCHEME.length).split('/', 1)[0] as string
