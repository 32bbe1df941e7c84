// CircleCI cloud and server (issuers.md §2.3, T3). No trigger claim: what makes a run untrusted is a shell opened by an SSH
// rerun, or a ref of a pull request. vcs-ref says nothing without vcs-origin, which a fork build names as the fork. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isHttpsIssuer, isOnHost, isUuid, UUID } from './issuer-forms.ts'
import { claim, derived, refNameOf, refTypeOf } from './leaf-sources.ts'

const HOST = 'oidc.circleci.com'
const ROOT = `https://${HOST}`
const ORG = new RegExp(`^https://oidc\\.circleci\\.com/org/(${UUID})$`)

const own = (name: string): string => `oidc.circleci.com/${name}`

export const circleci: Provider = {
  name: 'circleci',
  title: 'CircleCI',
  issuer: {
    owns: (iss) => isOnHost(iss, HOST),
    accepts: (iss) => iss === ROOT || ORG.test(iss) || (isHttpsIssuer(iss) && !isOnHost(iss, HOST)),
    shared: (iss) => iss === ROOT,
    form: `${ROOT}/org/<org-uuid>, ${ROOT}, or the https URL of a CircleCI server`,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'run',
  // The default audience is the organization's UUID, the same for every relying party of that organization.
  defaultAudiences: (aud) => isCommonAudience(aud) || isUuid(aud),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim(own('org-id'), 'immutable'),
    'project.id': claim(own('project-id'), 'immutable'),
    'project.path': claim(own('vcs-origin'), 'reusable'),
    'ref.full': claim(own('vcs-ref'), 'mutable'),
    'ref.type': derived([own('vcs-ref')], 'mutable', (ref = null) => refTypeOf(ref)),
    'ref.name': derived([own('vcs-ref')], 'mutable', (ref = null) => refNameOf(ref)),
    'workflow.uri': claim(own('pipeline-definition-id'), 'immutable'),
    'run.id': claim(own('workflow-id'), 'per_run'),
    'run.job': claim(own('job-id'), 'per_run'),
    // For audit: the one fact that only `sub` carries.
    'actor.id': derived(
      ['sub'],
      'immutable',
      (sub = null) => /^org\/[^/]+\/project\/[^/]+\/user\/([^/]+)(?:\/|$)/.exec(sub ?? '')?.[1] ?? null,
    ),
    'runner.class': {
      reads: [{ claim: [own('ssh-rerun')], as: 'boolean' }],
      derive: ([isRerun = null]) => (isRerun === null ? null : isRerun === true ? 'interactive' : 'unknown'),
      mutability: 'mutable',
    },
  },
  triggers: null,
  // Without the claim nobody vouches that no human holds a shell (A32). refs/heads/pull/N is how fork builds name a ref.
  untrusted: (leaves, claims) =>
    claimAt(claims, [own('ssh-rerun')]) !== false || /^refs\/(?:heads\/)?pull\//.test(String(leaves['ref.full'])),
  // Keys are shared by all organizations: the issuer of one must not carry the claims of another (A15).
  check: (claims, iss) => {
    const org = ORG.exec(iss)?.[1]
    const actual = claimAt(claims, [own('org-id')])
    return org === undefined || actual === org
      ? ok(null)
      : refuse('claim_invalid', { claim: own('org-id'), expected: 'the organization in iss' })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['project.path'],
      says: 'bind project.path (vcs-origin) beside the ref: a build of a fork has the fork as origin',
    },
    {
      leaves: ['workflow.uri'],
      says: 'bind the pipeline definition id, or every pipeline of the project has this grant',
    },
  ],
}
