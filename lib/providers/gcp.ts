// Google service accounts: Compute Engine, Cloud Run, Cloud Build, IAM Credentials (issuers.md §2.10, T9). One issuer for
// every Google identity in the world (A11): the numeric `sub` is what a grant binds, and the tenancy. No jti. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isOnHost } from './issuer-forms.ts'
import { claim, derived } from './leaf-sources.ts'

const ISSUER = 'https://accounts.google.com'
const engine = (name: string): readonly string[] => ['google', 'compute_engine', name]

/** deployer@acme-prod.iam.gserviceaccount.com -> acme-prod; the default account is named by the project's number. */
const projectOfEmail = (email: unknown): string | null =>
  typeof email === 'string'
    ? (/^[^@]+@([a-z0-9-]+)\.iam\.gserviceaccount\.com$/.exec(email)?.[1] ??
      /^([0-9]+)-compute@developer\.gserviceaccount\.com$/.exec(email)?.[1] ??
      null)
    : null

export const gcp: Provider = {
  name: 'gcp',
  title: 'Google Cloud service accounts',
  issuer: {
    exact: ISSUER,
    owns: (iss) => iss === 'accounts.google.com' || isOnHost(iss, 'accounts.google.com'),
    accepts: (iss) => iss === ISSUER,
    shared: () => true,
    form: ISSUER,
  },
  // Never …/service_accounts/v1/jwk/<email>: a service account could then sign its own evidence (A36, CVE-2020-16251).
  jwksUrl: () => 'https://www.googleapis.com/oauth2/v3/certs',
  jwksHosts: ['www.googleapis.com'],
  algorithms: ['RS256'],
  maxAgeSeconds: 3_600,
  replay: 'reuse',
  audience: 'run',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'project.id',
  leaves: {
    'org.id': {
      reads: [{ claim: engine('project_number'), as: 'number' }, { claim: ['email'] }],
      derive: ([number = null, email = null]) => number ?? projectOfEmail(email),
      mutability: 'immutable',
    },
    'project.id': claim('sub', 'immutable'),
    'project.path': claim('email', 'reusable'),
    'instance.kind': derived([engine('instance_id')], 'immutable', (id = null) => (id === null ? null : 'vm')),
    'instance.id': claim(engine('instance_id'), 'immutable'),
  },
  triggers: null,
  check: (claims) => {
    const sub = claimAt(claims, ['sub'])
    if (typeof sub !== 'string' || !/^[0-9]+$/.test(sub))
      return refuse('claim_invalid', { claim: 'sub', expected: 'a numeric unique id' })
    // Type-strict: "true" is not true.
    return claimAt(claims, ['email']) === null || claimAt(claims, ['email_verified']) === true
      ? ok(null)
      : refuse('claim_invalid', { claim: 'email_verified', expected: 'true beside email' })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [
    {
      leaves: ['project.path'],
      says: 'bind project.path (the e-mail) beside the numeric id, so that people can read the grant',
    },
    {
      leaves: ['org.id', 'instance.id'],
      says: 'for a virtual machine bind the project number or the instance: whoever may create tokens for the account may use this grant from anywhere',
    },
  ],
}
