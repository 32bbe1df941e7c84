// SPIFFE JWT-SVID (issuers.md §2.14, T19; SPIFFE-ID §2, JWT-SVID §3). org.id is the trust domain of `sub`, and the issuer's
// org_id must be configured: the bundle of one trust domain must not vouch for another (A15). Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isHttpsIssuer } from './issuer-forms.ts'
import { claim, derived, runnerUnknown } from './leaf-sources.ts'

const TRUST_DOMAIN = /^spiffe:\/\/([a-z0-9._-]{1,255})$/
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/
const ID_CHARS_MAX = 2_048

/** The trust domain of a workload's SPIFFE ID; null when it is none: no path, an empty, `.` or `..` segment, a percent. */
const trustDomainOf = (id: string | null): string | null => {
  if (id === null || id.length > ID_CHARS_MAX) return null
  const [, domain, path] = SPIFFE_ID.exec(id) ?? []
  if (domain === undefined || path === undefined) return null
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? null : domain
}

export const spiffe: Provider = {
  name: 'spiffe',
  title: 'SPIFFE JWT-SVID',
  issuer: {
    owns: () => false,
    accepts: (iss) => TRUST_DOMAIN.test(iss) || isHttpsIssuer(iss),
    shared: () => true,
    form: 'the iss the trust domain signs: an https URL, or spiffe://<trust-domain>, also where it signs none; org_id is the trust domain',
  },
  algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'],
  typ: ['JOSE'],
  maxAgeSeconds: 600,
  iatOptional: true,
  replay: 'reuse',
  audience: 'run',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': derived(['sub'], 'immutable', (sub = null) => trustDomainOf(sub)),
    'project.id': claim('sub', 'reusable'),
    'run.id': claim('jti', 'per_run'),
    'runner.class': runnerUnknown,
  },
  triggers: null,
  check: (claims) => {
    const sub = claimAt(claims, ['sub'])
    return typeof sub === 'string' && trustDomainOf(sub) !== null
      ? ok(null)
      : refuse('claim_invalid', { claim: 'sub', expected: 'a SPIFFE ID with a path' })
  },
  workloadLeaf: 'project.id',
  workloadReusable: true,
  bindsRefOrEnvironment: false,
  advice: [],
}
